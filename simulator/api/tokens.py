"""gettoken (page 91039), and the app's jsapi_ticket: ticket/get (page 90506)."""

from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.world import World


def gettoken(world: World, call: Call) -> Json:
    if not call.query.get("corpid"):
        raise ApiError(41002)
    if not call.query.get("corpsecret"):
        raise ApiError(41004)
    if call.query["corpid"] != world.corp_id:
        raise ApiError(40013)
    if call.query["corpsecret"] != world.secret:
        raise ApiError(40001)
    token, seconds = world.tokens.issue()
    return {"access_token": token, "expires_in": seconds}


def ticket_get(world: World, call: Call) -> Json:
    """One ticket at a time, like the token; it lives as long."""
    if call.query.get("type") != "agent_config":
        raise ApiError(40058, "type")
    ticket, seconds = world.tickets.issue()
    return {"ticket": ticket, "expires_in": seconds}
