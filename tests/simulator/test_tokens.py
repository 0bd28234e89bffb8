"""gettoken, and what every endpoint checks first."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from simulator import corp

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        ({}, 41002),
        ({"corpid": corp.CORP_ID}, 41004),
        ({"corpid": "wwother", "corpsecret": corp.SECRET}, 40013),
        ({"corpid": corp.CORP_ID, "corpsecret": "wrong"}, 40001),
    ],
)
async def test_gettoken_refuses_wrong_credentials(desk: "Desk", query: dict[str, str], errcode: int) -> None:
    """Each missing or wrong credential has its documented code."""
    answer = (await desk.http.get("/cgi-bin/gettoken", params=query)).json()
    assert answer["errcode"] == errcode
    assert "access_token" not in answer


async def test_a_token_lives_two_hours_and_is_the_same_until_then(desk: "Desk") -> None:
    """Asking again gives the same token; after 7200 s it is expired (42001) and the next one differs."""
    first = await desk.token()
    desk.clock.advance(timedelta(seconds=7199))
    assert await desk.token() == first
    desk.clock.advance(timedelta(seconds=1))
    url = "/cgi-bin/externalcontact/get_follow_user_list"
    assert (await desk.http.get(url, params={"access_token": first})).json()["errcode"] == 42001
    assert await desk.token() != first


async def test_a_token_can_be_taken_back_early(desk: "Desk") -> None:
    """After `invalidate_token` the old token is 40014 and a new one works."""
    old = await desk.token()
    desk.world.invalidate_token()
    url = "/cgi-bin/externalcontact/get_follow_user_list"
    assert (await desk.http.get(url, params={"access_token": old})).json()["errcode"] == 40014
    assert (await desk.get("externalcontact/get_follow_user_list"))["errcode"] == 0


async def test_no_token_and_no_token_of_ours(desk: "Desk") -> None:
    """Without a token 41001, with a made-up one 40014."""
    url = "/cgi-bin/externalcontact/get_follow_user_list"
    assert (await desk.http.get(url)).json()["errcode"] == 41001
    assert (await desk.http.get(url, params={"access_token": "made-up"})).json()["errcode"] == 40014


async def test_address_permission_method_path_and_json(desk: "Desk") -> None:
    """60020 for a foreign address, 48002 without 客户联系, 43001/43002 for the method, 40066, 47001."""
    token = {"access_token": await desk.token()}
    assert (await desk.get("no/such"))["errcode"] == 40066
    assert (await desk.post("user/get", {}))["errcode"] == 43001
    assert (await desk.get("message/send"))["errcode"] == 43002
    broken = await desk.http.post("/cgi-bin/message/send", params=token, content=b"{")
    assert broken.json()["errcode"] == 47001
    desk.world.contact_permission = False
    assert (await desk.get("externalcontact/get_follow_user_list"))["errcode"] == 48002
    assert (await desk.get("user/get", userid="lihua"))["errcode"] == 0
    desk.world.ip_allowed = False
    assert (await desk.get("user/get", userid="lihua"))["errcode"] == 60020
    assert desk.world.calls["user/get", 60020] == 1


async def test_an_app_is_shown_to_its_own_token_only(desk: "Desk") -> None:
    """agent/get: our app with its name and whom it sees, 301002 for another one, 40056 and 40063 for no number."""
    desk.world.staff["wangwu"].visible = False
    app = await desk.get("agent/get", agentid=str(desk.world.agent_id))
    assert (app["errcode"], app["agentid"], app["close"]) == (0, desk.world.agent_id, 0)
    assert app["allow_userinfos"] == {"user": [{"userid": "lihua"}]}
    desk.world.contact_permission = False  # it is about customers
    assert (await desk.get("agent/get", agentid=str(desk.world.agent_id)))["errcode"] == 0
    for agent_id, errcode in (("1000003", 301002), ("x", 40056), ("", 40063)):
        assert (await desk.get("agent/get", agentid=agent_id))["errcode"] == errcode


async def test_a_ticket_for_the_app_lives_as_long(desk: "Desk") -> None:
    """ticket/get gives one ticket until it ends, and only of the kind that apps have."""
    first = await desk.get("ticket/get", type="agent_config")
    assert (first["errcode"], first["expires_in"]) == (0, 7200)
    desk.clock.advance(timedelta(hours=1))
    assert (await desk.get("ticket/get", type="agent_config"))["ticket"] == first["ticket"]
    desk.clock.advance(timedelta(hours=1))
    assert (await desk.get("ticket/get", type="agent_config"))["ticket"] != first["ticket"]
    assert (await desk.get("ticket/get"))["errcode"] == 40058
