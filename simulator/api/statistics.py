"""Statistics of customer groups by owner: externalcontact/groupchat/statistic (page 92133)."""

from datetime import datetime, timedelta, timezone

from simulator.api.call import Call, Json, strings
from simulator.errors import ApiError
from simulator.groups import Group
from simulator.world import World

BEIJING = timezone(timedelta(hours=8))
KEPT = timedelta(days=180)
MOST_DAYS = 30
DAY = timedelta(days=1)


def groupchat_statistic(world: World, call: Call) -> Json:
    """Whole days, yesterday the last, 30 of them at most. Owners without groups have no row."""
    first = _day(call.number("day_begin_time", 0, 2**40))
    last = _day(call.number("day_end_time", 0, 2**40, default=int(first.timestamp())))
    today = _day(int(world.clock.now().timestamp()))
    if not today - KEPT <= first <= last <= today - DAY or (last - first).days >= MOST_DAYS:
        raise ApiError(40058, "day_begin_time, day_end_time")
    offset, limit = call.number("offset", 0, 2**31, default=0), call.number("limit", 1, 1000, default=500)
    wanted = call.body.get("owner_filter")
    visible = {each.userid for each in world.staff.values() if each.visible}
    if isinstance(wanted, dict):
        visible &= set(strings(wanted.get("userid_list"), "owner_filter.userid_list", 100))
    groups = [each for each in world.groups.values() if not each.internal and each.owner in visible]
    owners = sorted({each.owner for each in groups if each.created_at < last + DAY})
    items = [
        {"owner": owner, "data": _data(world, [each for each in groups if each.owner == owner], first, last + DAY)}
        for owner in owners[offset : offset + limit]
    ]
    return {"total": len(owners), "next_offset": min(offset + limit, len(owners)), "items": items}


def _day(seconds: int) -> datetime:
    """The beginning of that day in Beijing."""
    return datetime.fromtimestamp(seconds, BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)


def _data(world: World, groups: list[Group], begin: datetime, end: datetime) -> Json:
    said = [each for group in groups for each in world.talk.in_group(group.chat_id) if begin <= each.at < end]
    there = [member for group in groups for member in group.members.values() if member.join_time < end]
    return {
        "new_chat_cnt": sum(begin <= each.created_at < end for each in groups),
        "chat_total": len(groups),
        "chat_has_msg": len({each.chat_id for each in said}),
        "new_member_cnt": sum(each.join_time >= begin for each in there),
        "member_total": len(there),
        "member_has_msg": len({(each.chat_id, each.sender) for each in said}),
        "msg_total": len(said),
        "migrate_trainee_chat_cnt": 0,
    }
