"""WeCom's and the 公众号's OAuth as the simulator plays them: who is named how, and what is refused."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from simulator import Customer, ImpossibleError, Staff
from tests.simulator.conftest import Desk

BACK = "https://shop.test/login/back"


def asks(desk: Desk, *, appid: str = "", scope: str = "snsapi_base", state: str = "s1", back: str = BACK) -> str:
    query = {"appid": appid or desk.world.corp_id, "redirect_uri": back, "response_type": "code", "scope": scope}
    return f"http://open/connect/oauth2/authorize?{urlencode(query | {'state': state})}#wechat_redirect"


def code_of(desk: Desk, person: Customer | Staff, **how: str) -> str:
    back = parse_qs(urlsplit(desk.world.logins.grant(person, asks(desk, **how))).query)
    assert back["state"] == ["s1"]
    return back["code"][0]


async def test_staff_are_named_by_userid(desk: Desk) -> None:
    """A member of the corp has no openid and no external_userid."""
    answer = await desk.get("auth/getuserinfo", code=code_of(desk, desk.world.staff["wangwu"]))
    assert {key: answer.get(key) for key in ("errcode", "userid", "openid")} == {
        "errcode": 0,
        "userid": "wangwu",
        "openid": None,
    }


@pytest.mark.parametrize("visible", [True, False])
async def test_others_are_named_by_openid_and_contacts_by_external_userid(desk: Desk, visible: bool) -> None:
    """external_userid only if somebody in the app's visible range has added them (page 96442)."""
    desk.world.add_staff("seen", "看得见的", visible=visible)
    anna = desk.world.add_customer("安娜")
    before = await desk.get("auth/getuserinfo", code=code_of(desk, anna))
    assert (before["openid"], before.get("external_userid")) == (desk.world.logins.openid(anna), None)
    desk.world.make_contact("seen", anna)
    after = await desk.get("auth/getuserinfo", code=code_of(desk, anna))
    assert (after["openid"], after.get("external_userid")) == (before["openid"], anna.id if visible else None)


async def test_another_companys_wecom_gets_an_openid(desk: Desk) -> None:
    """They are no member of the corp: they are told like any other, with a `wo…` id where somebody has added them."""
    rival = desk.world.add_rival("张三", "对手公司")
    desk.world.make_contact("wangwu", rival)
    answer = await desk.get("auth/getuserinfo", code=code_of(desk, rival))
    assert answer["openid"]
    assert answer["external_userid"].startswith("wo")


async def test_a_code_is_good_once_and_for_five_minutes(desk: Desk) -> None:
    """Used, late, made up, or given for another app: 40029."""
    anna = desk.world.add_customer("安娜")
    code = code_of(desk, anna)
    assert (await desk.get("auth/getuserinfo", code=code))["errcode"] == 0
    late, foreign = code_of(desk, anna), code_of(desk, anna, appid=desk.world.logins.mp_app_id)
    desk.clock.advance(timedelta(minutes=5, seconds=1))
    for wrong in (code, late, foreign, "made-up", ""):
        assert (await desk.get("auth/getuserinfo", code=wrong))["errcode"] == 40029


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ({"appid": "wwother"}, "appid"),
        ({"scope": "snsapi_all"}, "参数"),
        ({"state": "x" * 129}, "参数"),
        ({"back": "https://evil.test/back"}, "redirect_uri"),
    ],
)
async def test_a_wrong_address_shows_an_error(desk: Desk, url: dict[str, str], says: str) -> None:
    """A page on a host that is not trusted, another corp's appid, a state over 128 bytes: the client says so."""
    desk.world.logins.trusted.add("shop.test")
    with pytest.raises(ImpossibleError, match=says):
        desk.world.logins.grant(desk.world.add_customer("安娜"), asks(desk, **url))


async def test_the_parameters_must_stand_in_order(desk: Desk) -> None:
    """WeChat opens nothing whose parameters are in another order, or that lacks the fragment."""
    anna, right = desk.world.add_customer("安娜"), asks(desk)
    desk.world.logins.grant(anna, right)
    for wrong in (
        right.removesuffix("#wechat_redirect"),
        right.replace("&scope=snsapi_base", "") + "&scope=snsapi_base",
    ):
        with pytest.raises(ImpossibleError):
            desk.world.logins.grant(anna, wrong)


async def test_convert_to_openid_names_the_same_person_as_oauth(desk: Desk) -> None:
    """For people on WeChat; `wo…` ids are refused; with `converts` "contacts", so is who is in a group only (84061)."""
    anna, rival = desk.world.add_customer("安娜"), desk.world.add_rival("张三", "对手公司")
    answer = await desk.post("externalcontact/convert_to_openid", {"external_userid": anna.id})
    told = await desk.get("auth/getuserinfo", code=code_of(desk, anna))
    assert answer["openid"] == told["openid"]
    for who, errcode in ((rival.id, 40096), ("wmNobodyAtAll", 40096)):
        refused = await desk.post("externalcontact/convert_to_openid", {"external_userid": who})
        assert refused["errcode"] == errcode
    desk.world.logins.converts = "contacts"
    refused = await desk.post("externalcontact/convert_to_openid", {"external_userid": anna.id})
    assert refused["errcode"] == 84061


async def test_the_mp_has_openids_of_its_own_and_tells_unionids_to_whom_it_may(desk: Desk) -> None:
    """snsapi_base tells the unionid only of who has allowed it before; snapshot pages make people up."""
    logins, anna = desk.world.logins, desk.world.add_customer("安娜")

    async def told(**how: str) -> dict[str, object]:
        query = {"appid": logins.mp_app_id, "secret": logins.mp_secret, "grant_type": "authorization_code"}
        code = code_of(desk, anna, appid=logins.mp_app_id, **how)
        answer: dict[str, object] = (
            await desk.http.get("/sns/oauth2/access_token", params=query | {"code": code})
        ).json()
        return answer

    first = await told()
    assert first["openid"] not in (None, logins.openid(anna))
    assert "unionid" not in first
    assert (await told(scope="snsapi_userinfo"))["unionid"] == anna.unionid
    assert (await told())["unionid"] == anna.unionid
    logins.snapshots.add(anna.id)
    made_up = await told()
    assert (made_up["is_snapshotuser"], made_up["openid"] == first["openid"]) == (1, False)


async def test_the_mps_settings_are_checked(desk: Desk) -> None:
    """40013 a wrong appid, 40125 a wrong secret, 40029 a wrong code, 40163 a used one."""
    logins, anna = desk.world.logins, desk.world.add_customer("安娜")
    code = code_of(desk, anna, appid=logins.mp_app_id)
    right = {"appid": logins.mp_app_id, "secret": logins.mp_secret, "code": code}
    tries = [right | {"appid": "x"}, right | {"secret": "x"}, right | {"code": "x"}, right, right]
    answers = [(await desk.http.get("/sns/oauth2/access_token", params=each)).json() for each in tries]
    assert [answer.get("errcode", 0) for answer in answers] == [40013, 40125, 40029, 0, 40163]


async def test_a_real_browser_says_whom_to_be(desk: Desk) -> None:
    """Without the cookie the page lists everybody; whom one chooses is sent back with a code."""
    anna = desk.world.add_customer("安娜")
    address = asks(desk).split("#", maxsplit=1)[0].removeprefix("http://open")
    assert "安娜" in (await desk.http.get(address)).text
    for how in (
        {"params": {**parse_qs(urlsplit(address).query), "as": anna.id}},
        {"headers": {"cookie": f"simulated_person={anna.id}"}},
    ):
        sent = await desk.http.get(address.split("?", maxsplit=1)[0] if "params" in how else address, **how)
        assert sent.status_code == 302
        assert sent.headers["location"].startswith(f"{BACK}?code=")
