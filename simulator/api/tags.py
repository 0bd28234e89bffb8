"""externalcontact/{get_corp_tag_list,add_corp_tag,mark_tag} (pages 96320, 92697)."""

from typing import Any

from simulator.api.call import Call, Json, short, strings
from simulator.errors import ApiError
from simulator.tags import NAME_LENGTH, Tag, TagGroup
from simulator.world import World

AT_ONCE = 100


def tag_list(world: World, call: Call) -> Json:
    """All groups with their tags; with `group_id`, those groups; with `tag_id`, those tags, whatever the groups."""
    tag_ids = strings(call.body.get("tag_id") or [], "tag_id", 1000)
    group_ids = strings(call.body.get("group_id") or [], "group_id", 1000)
    groups = []
    for group in world.tags.groups.values():
        tags = [each for each in group.tags.values() if not tag_ids or each.id in tag_ids]
        if tags and (tag_ids or not group_ids or group.id in group_ids):
            groups.append(_group(group, tags))
    return {"tag_group": groups}


def tag_add(world: World, call: Call) -> Json:
    """With `group_id` into that group; with `group_name` into the group of this name, made where there is none."""
    group_id = short(call.body, "group_id", 64)
    group = world.tags.groups.get(group_id) if group_id else None
    if group_id and group is None:
        raise ApiError(40058, "group_id")
    group_name = short(call.body, "group_name", NAME_LENGTH)
    names = _names(call.body.get("tag"))
    if group is None and not group_name:
        raise ApiError(40058, "group_name")
    into, made = world.tags.add(group, group_name, names)
    return {"tag_group": _group(into, made)}


def _names(wanted: Any) -> list[str]:
    if not isinstance(wanted, list) or not wanted or len(wanted) > AT_ONCE:
        raise ApiError(40058, "tag")
    names = [each.get("name") if isinstance(each, dict) else None for each in wanted]
    if not all(isinstance(name, str) and name for name in names):
        raise ApiError(40058, "tag.name")
    if any(len(str(name)) > NAME_LENGTH for name in names):
        raise ApiError(40072)
    return [str(name) for name in names]


def mark_tag(world: World, call: Call) -> Json:
    """84061 where the person is no contact of that member of staff; the same again changes nothing."""
    userid, external_userid = call.text("userid"), call.text("external_userid")
    add = strings(call.body.get("add_tag") or [], "add_tag", AT_ONCE)
    remove = strings(call.body.get("remove_tag") or [], "remove_tag", AT_ONCE)
    if not add and not remove:
        raise ApiError(40058, "add_tag")
    staff, person = world.staff.get(userid), world.customers.get(external_userid)
    if staff is None or staff.left:
        raise ApiError(60111)
    if not staff.visible:
        raise ApiError(60011)
    if person is None or userid not in person.follows or world.clock.now() < person.follows[userid].readable_at:
        raise ApiError(84061)
    world.tags.mark(userid, external_userid, list(add), list(remove))
    return {}


def _group(group: TagGroup, tags: list[Tag]) -> Json:
    return {
        "group_id": group.id,
        "group_name": group.name,
        "create_time": int(group.made_at.timestamp()),
        "order": group.order,
        "deleted": False,
        "tag": [
            {
                "id": each.id,
                "name": each.name,
                "create_time": int(each.made_at.timestamp()),
                "order": each.order,
                "deleted": False,
            }
            for each in tags
        ],
    }
