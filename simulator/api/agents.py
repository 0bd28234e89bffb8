"""The app itself: agent/get (page 90227)."""

from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.world import World

NAME = "群管家"


def agent_get(world: World, call: Call) -> Json:
    """A token is for one app; another app of the corp is not shown to it."""
    agent_id = call.query.get("agentid")
    if not agent_id:
        raise ApiError(40063, "agentid")
    if not agent_id.isdecimal():
        raise ApiError(40056)
    if int(agent_id) != world.agent_id:
        raise ApiError(301002)
    visible = [{"userid": each.userid} for each in world.staff.values() if each.visible and not each.left]
    return {
        "agentid": world.agent_id,
        "name": NAME,
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": visible},
        "allow_partys": {"partyid": []},
        "allow_tags": {"tagid": []},
        "close": 0,
        "redirect_domain": "",
        "report_location_flag": 0,
        "isreportenter": 0,
        "home_url": "",
    }
