"""externalcontact/{add,get,update,del,list}_contact_way (pages 92228, 96348)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.api.call import Call, Json, flag, short, strings
from simulator.codes import ContactWay
from simulator.errors import ApiError
from simulator.world import World

STATE, REMARK, USERS = 30, 30, 100
SHOWN = timedelta(days=90)  # of a list, where no start is given


def contact_way_add(world: World, call: Call) -> Json:
    """Not idempotent: the same twice is two."""
    kind = call.number("type", 1, 2)
    scene = call.number("scene", 1, 2)
    if call.body.get("is_temp"):
        raise ApiError(40058, "is_temp is for the medical trade only")
    settings = _settings(call, {"skip_verify": True, "mark_source": True, "is_exclusive": False})
    users = _users(world, kind, call.body.get("user"))
    world.codes.room()
    config_id, code, now = world.codes.identity("contact")
    way = ContactWay(config_id, world.agent_id, code, now, kind, scene, users, **settings)
    world.codes.keep(way)
    return {"config_id": config_id} | _picture(world, way)


def contact_way_get(world: World, call: Call) -> Json:
    way = world.codes.contact_way(call.text("config_id"))
    told: Json = {
        "config_id": way.config_id,
        "type": way.type,
        "scene": way.scene,
        "remark": way.remark,
        "skip_verify": way.skip_verify,
        "state": way.state or "",
        "user": way.users,
        "party": [],
        "is_temp": False,
        "is_exclusive": way.is_exclusive,
        "mark_source": way.mark_source,
    }
    return {"contact_way": told | _picture(world, way)}


def contact_way_update(world: World, call: Call) -> Json:
    """Unlike a join way's update: what is not sent stays as it was (page 92228)."""
    way = world.codes.contact_way(call.text("config_id"))
    now = {"skip_verify": way.skip_verify, "mark_source": way.mark_source, "is_exclusive": way.is_exclusive}
    settings = _settings(call, now, remark=way.remark, state=way.state or "")
    if "user" in call.body:
        way.users = _users(world, way.type, call.body["user"])
    for name, value in settings.items():
        setattr(way, name, value)
    return {}


def contact_way_del(world: World, call: Call) -> Json:
    world.codes.delete(world.codes.contact_way(call.text("config_id")))
    return {}


def contact_way_list(world: World, call: Call) -> Json:
    """Their config_ids, oldest first."""
    now = world.clock.now()
    limit = call.number("limit", 1, 1000, default=100)
    since = _moment(call, "start_time", now - SHOWN)
    until = _moment(call, "end_time", now)
    start = call.body.get("cursor") or "0"
    if not isinstance(start, str) or not start.isdecimal():
        raise ApiError(40058, "cursor")
    found = [each.config_id for each in world.codes.contact_ways.values() if each.app == world.agent_id]
    found = [each for each in found if since <= world.codes.contact_ways[each].made_at <= until]
    page = found[int(start) : int(start) + limit]
    answer: Json = {"contact_way": [{"config_id": each} for each in page]}
    if int(start) + limit < len(found):
        answer["next_cursor"] = str(int(start) + limit)
    return answer


def _moment(call: Call, name: str, default: datetime) -> datetime:
    if call.body.get(name) is None:
        return default
    return datetime.fromtimestamp(call.number(name, 0, 10**10), UTC)


def _settings(call: Call, flags: Mapping[str, bool], remark: str = "", state: str = "") -> dict[str, Any]:
    return {
        "remark": short(call.body, "remark", REMARK, remark),
        "state": short(call.body, "state", STATE, state) or None,
        **{name: flag(call.body, name, default=default) for name, default in flags.items()},
    }


def _users(world: World, kind: int, wanted: Any) -> list[str]:
    """Visible staff with 客户联系; exactly one for type 1. Departments are not simulated."""
    users = list(dict.fromkeys(strings(wanted, "user", USERS)))
    if not users or (kind == 1 and len(users) != 1):
        raise ApiError(40058, "user")
    for each in users:
        staff = world.staff.get(each)
        if staff is None or staff.left:
            raise ApiError(60111, each)
        if not staff.visible:
            raise ApiError(60011, each)
        if not staff.serves:
            raise ApiError(41054, each)
    return users


def _picture(world: World, way: ContactWay) -> Json:
    return {"qr_code": world.codes.picture_url(way.code)} if way.scene == 2 else {}
