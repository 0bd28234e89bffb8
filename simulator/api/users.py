"""The corp's own people: user/get (page 90196, for apps made since 2022-06-20: page 96067)."""

from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.world import World


def user_get(world: World, call: Call) -> Json:
    userid = call.query.get("userid")
    if not userid:
        raise ApiError(40063, "userid")
    staff = world.staff.get(userid)
    if staff is None or staff.left:
        raise ApiError(60111)
    if not staff.visible:
        raise ApiError(60011)
    return {
        "userid": staff.userid,
        "name": staff.name,
        "department": list(staff.departments),
        "status": 1,
        "isleader": 0,
    }
