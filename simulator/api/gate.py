"""In front of every endpoint: method, JSON, address, token, permission, frequency; behind it, the count."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from simulator.api import (
    agents,
    contact_ways,
    contacts,
    group_messages,
    groupchat,
    join_ways,
    messages,
    oauth,
    statistics,
    tags,
    tokens,
    users,
    welcome,
)
from simulator.api.call import Call, Json
from simulator.errors import ApiError
from simulator.world import World

Endpoint = Callable[[World, Call], Json]

ENDPOINTS: Mapping[str, tuple[Literal["GET", "POST"], Endpoint]] = {
    "gettoken": ("GET", tokens.gettoken),
    "ticket/get": ("GET", tokens.ticket_get),
    "agent/get": ("GET", agents.agent_get),
    "externalcontact/groupchat/list": ("POST", groupchat.groupchat_list),
    "externalcontact/groupchat/get": ("POST", groupchat.groupchat_get),
    "externalcontact/groupchat/statistic": ("POST", statistics.groupchat_statistic),
    "externalcontact/groupchat/onjob_transfer": ("POST", groupchat.onjob_transfer),
    "externalcontact/get": ("GET", contacts.contact_get),
    "externalcontact/get_follow_user_list": ("GET", contacts.follow_user_list),
    "externalcontact/groupchat/add_join_way": ("POST", join_ways.join_way_add),
    "externalcontact/groupchat/get_join_way": ("POST", join_ways.join_way_get),
    "externalcontact/groupchat/update_join_way": ("POST", join_ways.join_way_update),
    "externalcontact/groupchat/del_join_way": ("POST", join_ways.join_way_del),
    "externalcontact/add_contact_way": ("POST", contact_ways.contact_way_add),
    "externalcontact/get_contact_way": ("POST", contact_ways.contact_way_get),
    "externalcontact/update_contact_way": ("POST", contact_ways.contact_way_update),
    "externalcontact/del_contact_way": ("POST", contact_ways.contact_way_del),
    "externalcontact/list_contact_way": ("POST", contact_ways.contact_way_list),
    "externalcontact/group_welcome_template/add": ("POST", welcome.template_add),
    "externalcontact/group_welcome_template/edit": ("POST", welcome.template_edit),
    "externalcontact/group_welcome_template/get": ("POST", welcome.template_get),
    "externalcontact/group_welcome_template/del": ("POST", welcome.template_del),
    "externalcontact/send_welcome_msg": ("POST", welcome.send_welcome_msg),
    "externalcontact/add_msg_template": ("POST", group_messages.add_msg_template),
    "externalcontact/get_groupmsg_list_v2": ("POST", group_messages.groupmsg_list),
    "externalcontact/get_groupmsg_task": ("POST", group_messages.groupmsg_task),
    "externalcontact/get_groupmsg_send_result": ("POST", group_messages.groupmsg_send_result),
    "externalcontact/remind_groupmsg_send": ("POST", group_messages.remind),
    "externalcontact/cancel_groupmsg_send": ("POST", group_messages.cancel),
    "externalcontact/get_corp_tag_list": ("POST", tags.tag_list),
    "externalcontact/add_corp_tag": ("POST", tags.tag_add),
    "externalcontact/mark_tag": ("POST", tags.mark_tag),
    "media/upload": ("POST", group_messages.media_upload),
    "auth/getuserinfo": ("GET", oauth.getuserinfo),
    "externalcontact/convert_to_openid": ("POST", oauth.convert_to_openid),
    "user/get": ("GET", users.user_get),
    "message/send": ("POST", messages.message_send),
    "message/update_template_card": ("POST", messages.update_template_card),
}


def answer(world: World, method: str, endpoint: str, query: Mapping[str, str], body: bytes) -> Json:
    """The JSON answer, errors included. Counts it in `world.calls`."""
    try:
        result: Json = {"errcode": 0, "errmsg": "ok", **_pass(world, method, endpoint, query, body)}
    except ApiError as refused:
        result = refusal(refused)
    world.calls[endpoint, result["errcode"]] += 1
    return result


def refusal(refused: ApiError) -> Json:
    return {"errcode": refused.errcode, "errmsg": refused.errmsg}


def _pass(world: World, method: str, endpoint: str, query: Mapping[str, str], body: bytes) -> Json:
    known = ENDPOINTS.get(endpoint)
    if known is None:
        raise ApiError(40066, f"{endpoint} (not simulated)")
    if method != known[0]:
        raise ApiError(43001 if known[0] == "GET" else 43002)
    parse = group_messages.parse_upload if endpoint == "media/upload" else _parsed
    call = Call(endpoint, query, parse(body) if method == "POST" else {})
    if endpoint != "gettoken":
        if not world.ip_allowed:
            raise ApiError(60020)
        world.tokens.check(query.get("access_token", ""))
        if endpoint.startswith("externalcontact/") and not world.contact_permission:
            raise ApiError(48002)
    world.usage.count_call(endpoint)
    if world.strikes("platform_busy"):
        raise ApiError(-1)
    return known[1](world, call)


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        raise ApiError(47001) from None
    if not isinstance(parsed, dict):
        raise ApiError(47001)
    return parsed
