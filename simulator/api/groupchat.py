"""Customer groups: externalcontact/groupchat/list (page 92120), get (pages 92122, 96338), onjob_transfer (95703)."""

import base64
import binascii

from simulator.api.call import Call, Json, strings
from simulator.errors import MESSAGES, ApiError
from simulator.groups import Group, Member, Snapshot
from simulator.world import World

MANY_PEOPLE = 1000


def groupchat_list(world: World, call: Call) -> Json:
    status_filter = call.number("status_filter", 0, 3, default=0)
    limit = call.number("limit", 1, 1000)
    start = _position(call.body.get("cursor") or "")
    owners = _owners(world, call)
    found = [each for each in world.groups.values() if not each.dismissed and not each.internal]
    found = [each for each in found if each.owner in owners]
    found = [each for each in found if status_filter in (0, _status(world, each))]
    page = found[start : start + limit]
    answer: Json = {
        "group_chat_list": [{"chat_id": each.chat_id, "status": _status(world, each)} for each in page],
    }
    if start + limit < len(found):
        answer["next_cursor"] = base64.urlsafe_b64encode(str(start + limit).encode()).decode()
    return answer


def _owners(world: World, call: Call) -> set[str]:
    """Whose groups are asked for: all in the visible range, or those of the filter that are."""
    visible = {each.userid for each in world.staff.values() if each.visible}
    wanted = call.body.get("owner_filter")
    if wanted is None:
        if len(visible) > MANY_PEOPLE:
            raise ApiError(81017)
        return visible
    if not isinstance(wanted, dict):
        raise ApiError(40058, "owner_filter")
    return visible & set(strings(wanted.get("userid_list"), "owner_filter.userid_list", 100))


def _status(world: World, group: Group) -> int:
    """0 the owner works here, 1 the owner has left the corp."""
    return 1 if world.staff[group.owner].left else 0


def _position(cursor: object) -> int:
    try:
        return int(base64.urlsafe_b64decode(str(cursor))) if cursor else 0
    except (binascii.Error, ValueError):
        raise ApiError(40058, "cursor") from None


def groupchat_get(world: World, call: Call) -> Json:
    chat_id = call.text("chat_id")
    need_name = call.number("need_name", 0, 1, default=0)
    group = world.groups.get(chat_id)
    seen = _seen(world, group) if group else None
    if group is None or group.internal or seen is None or seen.dismissed:
        raise ApiError(90501)
    if not world.staff[seen.owner].visible:
        raise ApiError(60011, "the owner is not in the visible range")
    return {"group_chat": _group(world, seen, bool(need_name))}


def onjob_transfer(world: World, call: Call) -> Json:
    """Hands groups to another owner. Each group that is not handed over is listed with its errcode (page 95703)."""
    chat_ids = strings(call.body.get("chat_id_list"), "chat_id_list", 100)
    if not chat_ids:
        raise ApiError(40058, "chat_id_list")
    new_owner = world.staff.get(call.text("new_owner"))
    if new_owner is None or new_owner.left:
        raise ApiError(60111, "new_owner")
    if not new_owner.visible:
        raise ApiError(60011, "new_owner")
    if not new_owner.serves:
        raise ApiError(84083, "new_owner")
    failed = []
    for chat_id in dict.fromkeys(chat_ids):
        group = world.groups.get(chat_id)
        errcode = world.transfers.refused(world, group, new_owner)
        if errcode is None and group is not None:
            world.transfers.hand_over(world, group, new_owner)
        else:
            failed.append({"chat_id": chat_id, "errcode": errcode, "errmsg": MESSAGES[errcode or -1]})
    return {"failed_chat_list": failed}


def _seen(world: World, group: Group) -> Snapshot | None:
    """What the servers that answer now have; None where they do not know the group yet."""
    states = group.readable(world.clock.now())
    if len(states) > 1 and world.strikes("flickering_reads"):
        return world.fate.die("flicker").choice(states[1:])
    return states[0]


def _group(world: World, seen: Snapshot, need_name: bool) -> Json:  # noqa: FBT001 (private, always named above)
    return {
        "chat_id": seen.chat_id,
        "name": seen.name,
        "owner": seen.owner,
        "create_time": int(seen.created_at.timestamp()),
        "notice": seen.notice,
        "member_list": [_member(world, each, need_name) for each in seen.members.values()],
        "admin_list": [{"userid": each} for each in seen.admins],
        "member_version": seen.version,
    }


def _member(world: World, member: Member, need_name: bool) -> Json:  # noqa: FBT001 (private)
    """unionid: WeChat people only, where the corp has bound a developer id. invitor: only our own staff."""
    answer: Json = {
        "userid": member.id,
        "type": member.type,
        "join_time": int(member.join_time.timestamp()),
        "join_scene": member.join_scene,
    }
    outsider = world.customers.get(member.id)
    if outsider and outsider.unionid and world.gives_unionid:
        answer["unionid"] = outsider.unionid
    if member.invitor in world.staff:
        answer["invitor"] = {"userid": member.invitor}
    if member.state is not None:
        answer["state"] = member.state
    answer["group_nickname"] = member.group_nickname
    if need_name:
        answer["name"] = outsider.name if outsider else world.staff[member.id].name
    return answer
