"""externalcontact/groupchat/{add,get,update,del}_join_way (pages 92229, 99547). There is no list."""

from collections.abc import Mapping
from typing import Any

from simulator.api.call import Call, Json, flag, short, strings
from simulator.codes import JoinWay
from simulator.errors import ApiError
from simulator.world import World

GROUPS, STATE, BASE_NAME = 5, 30, 40


def join_way_add(world: World, call: Call) -> Json:
    """Not idempotent: the same twice is two."""
    settings = _settings(world, call)
    world.codes.room()
    config_id, code, now = world.codes.identity("join")
    way = JoinWay(config_id, world.agent_id, code, now, **settings)
    way.next_room = way.room_base_id
    world.codes.keep(way)
    return {"config_id": config_id}


def join_way_get(world: World, call: Call) -> Json:
    way = world.codes.join_way(call.text("config_id"))
    told: Json = {
        "config_id": way.config_id,
        "scene": way.scene,
        "remark": way.remark,
        "auto_create_room": int(way.auto_create_room),
        "room_base_name": way.room_base_name,
        "room_base_id": way.room_base_id,
        "chat_id_list": [*way.chat_ids, *(way.made if world.codes.appends else [])],
        "state": way.state or "",
        "mark_source": way.mark_source,
    }
    return {"join_way": told | ({"qr_code": world.codes.picture_url(way.code)} if way.scene == 2 else {})}


def join_way_update(world: World, call: Call) -> Json:
    """Overwrites: what is not sent is as if it had never been set. The code stays the same."""
    way = world.codes.join_way(call.text("config_id"))
    settings = _settings(world, call)
    if (settings["room_base_name"], settings["room_base_id"]) != (way.room_base_name, way.room_base_id):
        way.next_room = settings["room_base_id"]
    for name, value in settings.items():
        setattr(way, name, value)
    way.made = []
    return {}


def join_way_del(world: World, call: Call) -> Json:
    world.codes.delete(world.codes.join_way(call.text("config_id")))
    return {}


def _settings(world: World, call: Call) -> dict[str, Any]:
    body: Mapping[str, Any] = call.body
    return {
        "scene": call.number("scene", 1, 2),
        "chat_ids": _groups(world, body.get("chat_id_list")),
        "remark": short(body, "remark", None)[:30],  # longer ones are cut
        "auto_create_room": bool(call.number("auto_create_room", 0, 1, default=1)),
        "room_base_name": short(body, "room_base_name", BASE_NAME),
        "room_base_id": call.number("room_base_id", 0, 10**9, default=1),
        "state": short(body, "state", STATE) or None,
        "mark_source": flag(body, "mark_source", default=True),
    }


def _groups(world: World, wanted: Any) -> list[str]:
    """Customer groups of visible owners. A group made among colleagues is no customer group, ever."""
    chat_ids = list(dict.fromkeys(strings(wanted, "chat_id_list", GROUPS)))
    if not chat_ids:
        raise ApiError(40058, "chat_id_list")
    for each in chat_ids:
        group = world.groups.get(each)
        if group is None or group.dismissed or group.internal:
            raise ApiError(90501, each)
        if not world.staff[group.owner].visible:
            raise ApiError(60011, "the owner is not in the visible range")
    return chat_ids
