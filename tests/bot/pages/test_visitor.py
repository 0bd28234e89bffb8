"""Who opens a public page: a customer, one of our staff, another company's, nobody that WeChat knows."""

import pytest

from handlers import identity
from store import identities, openids
from tests.bot.pages.house import BOT, DAYS, WECHAT, House


async def test_a_customer_is_the_same_one_every_time(house: House) -> None:
    """The first time WeChat says who it is, then the cookie does; another phone of theirs is the same visitor."""
    anna, bert = house.world.add_customer("安娜"), house.world.add_customer("伯特")
    phone = house.phone(anna)
    first = await phone.who("/who?from=shop-12")
    assert (first["kind"], first["at"]) == ("customer", "/who?from=shop-12")
    assert await house.external_of(first["visitor"]) is None
    before = len(phone.trail)
    assert (await phone.who())["visitor"] == first["visitor"]
    assert len(phone.trail) == before + 1  # nobody was asked again
    assert (await house.phone(anna).who())["visitor"] == first["visitor"]
    assert (await house.phone(bert).who())["visitor"] != first["visitor"]


async def test_whom_staff_have_added_is_known_to_the_roster(house: House) -> None:
    """Step (a): OAuth names the external_userid of contacts; (e): of whoever is added later, at the next login."""
    friend, stranger = house.world.add_customer("朋友"), house.world.add_customer("路人")
    house.world.make_contact("wangwu", friend)
    assert await house.external_of((await house.phone(friend).who())["visitor"]) == friend.id
    phone = house.phone(stranger)
    visitor = (await phone.who())["visitor"]
    assert await house.external_of(visitor) is None
    house.world.make_contact("wangwu", stranger)
    house.clock.advance(8 * DAYS)
    assert (await phone.who())["visitor"] == visitor
    assert await house.external_of(visitor) == stranger.id


async def test_a_computed_openid_names_who_opens_the_page(house: House) -> None:
    """Step (c): somebody who is only in a group is known, where their openid was computed beforehand."""
    anna = house.world.add_customer("安娜")
    async with house.store.write() as tx:
        openid = house.world.logins.openid(anna)
        await openids.note(tx, anna.id, openid=openid, errcode=0, now=house.clock.now())
    assert await house.external_of((await house.phone(anna).who())["visitor"]) == anna.id


async def test_staff_are_known_by_userid(house: House) -> None:
    """A member of our corp is told apart from customers, in WeCom and in WeChat, and is no visitor."""
    staff = house.world.staff["wangwu"]
    for agent in ("wecom", "wechat"):
        said = await house.phone(staff, agent).who()
        assert (said["kind"], said["userid"], said["visitor"]) == ("staff", "wangwu", 0)


@pytest.mark.parametrize("agent", ["wecom", "wechat"])
async def test_another_companys_wecom_is_asked_to_use_wechat(house: House, agent: str) -> None:
    """Whoever comes with WeCom and is none of ours gets a page that says so, with the code, and no visitor is made."""
    rival = house.world.add_rival("张三", "对手公司")
    house.world.make_contact("wangwu", rival)
    page = await house.phone(rival, agent).open("/who")
    assert page.status_code == 200
    assert "请用微信扫码" in page.text
    assert f'src="{BOT}/code.png"' in page.text
    async with house.store.read() as tx:
        assert await identities.visitor_now(tx, 1) is None


async def test_a_browser_outside_wechat_is_told_so(house: House) -> None:
    """No login is begun where it cannot end: the page says to use WeChat, with the code to scan."""
    phone = house.phone(house.world.add_customer("安娜"), "other")
    page = await phone.open("/who")
    assert "请用微信打开" in page.text
    assert "/code.png" in page.text
    assert len(phone.trail) == 1


async def test_a_cookie_of_ours_cannot_be_made_up_or_carried_over(house: House) -> None:
    """A forged cookie, one of another client, and one that is too old all lead to being asked again."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    await phone.who()
    cookie = phone.client.cookies["steward_visitor"]
    for agent, value, advance in (("wechat", cookie[:-2] + "xx", 0), ("wecom", cookie, 0), ("wechat", cookie, 8)):
        house.clock.advance(advance * DAYS)
        other = house.phone(anna, agent)
        answer = await other.once(f"{BOT}/who", cookie=f"steward_visitor={value}")
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(WECHAT)


async def test_a_cookie_follows_the_proof_through_merge_and_split(house: House) -> None:
    """After two visitors were merged, and split again, each phone is who it was."""
    anna = house.world.add_customer("安娜")
    phone = house.phone(anna)
    mine = (await phone.who())["visitor"]
    now = house.clock.now()
    async with house.store.write() as tx:
        assert isinstance(mine, int)
        bound = await identity.bind_by_state(tx, mine, "seat-1", ["wmX"], now=now)
        assert bound is not None
    assert (await phone.who())["visitor"] == mine
    async with house.store.write() as tx:
        await identity.bind_by_state(tx, mine, "seat-1", ["wmX", "wmY"], now=now)
    assert (await phone.who())["visitor"] == mine
    async with house.store.write() as tx:
        await identities.forget(tx, mine, now=now)
    assert (await phone.who())["visitor"] != mine


async def test_somebody_else_may_use_the_phone(house: House) -> None:
    """`/login/again` forgets who this browser was, and asks anew."""
    anna, bert = house.world.add_customer("安娜"), house.world.add_customer("伯特")
    phone = house.phone(anna)
    mine = (await phone.who())["visitor"]
    phone.person = bert
    assert (await phone.who())["visitor"] == mine
    assert (await phone.who("/login/again?to=/who"))["visitor"] != mine
