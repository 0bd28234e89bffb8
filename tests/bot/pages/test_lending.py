"""Pages at another address learn from the public one who is there."""

from urllib.parse import parse_qs, urlsplit

from simulator.webview import AGENTS
from tests.bot.pages.house import CAMPAIGN, MINUTES, House


async def test_a_campaign_page_knows_the_same_visitor(house: House) -> None:
    """At an address of its own, to which WeCom sends nobody back, a page has the public one say who it is."""
    anna = house.world.add_customer("安娜")
    house.world.logins.trusted.add("bot.test")
    phone = house.phone(anna)
    at_campaign = (await phone.go(f"{CAMPAIGN}/d/lucky?x=1")).json()
    assert (at_campaign["kind"], at_campaign["host"]) == ("customer", "draw.test")
    assert phone.trail[-1] == f"{CAMPAIGN}/d/lucky?x=1"
    before = len(phone.trail)
    assert (await phone.go(f"{CAMPAIGN}/d/lucky")).json() == at_campaign
    assert len(phone.trail) == before + 1  # known there, too, from now on
    assert (await phone.who())["visitor"] == at_campaign["visitor"]
    [note] = [url for url in phone.trail if "/login/borrow" in url]
    house.clock.advance(5 * MINUTES)
    assert (await phone.go(note)).json() == at_campaign  # back, long after
    staff = (await house.phone(house.world.staff["wangwu"], "wecom").go(f"{CAMPAIGN}/d/lucky")).json()
    assert (staff["kind"], staff["userid"]) == ("staff", "wangwu")


async def test_a_note_is_good_for_one_browser_and_a_moment(house: House) -> None:
    """Nobody can log somebody else in at the campaign's address with a note of their own, or with an old one."""
    anna, mallory = house.world.add_customer("安娜"), house.world.add_customer("马洛里")
    hers = house.phone(mallory)
    await hers.go(f"{CAMPAIGN}/d/lucky")
    [note] = [url for url in hers.trail if "/login/borrow" in url]
    victim = house.phone(anna)
    assert (await victim.go(note)).status_code == 403
    start = (await victim.once(f"{CAMPAIGN}/d/lucky")).headers["location"]
    nonce = parse_qs(urlsplit(start).query)["nonce"][0]
    lent = parse_qs(urlsplit(note).query)["lent"][0]
    refused = await victim.client.get(
        f"{CAMPAIGN}/login/borrow", params={"nonce": nonce, "lent": lent}, headers={"user-agent": AGENTS["wechat"]}
    )
    assert refused.status_code == 410
    assert f'href="{CAMPAIGN}/d/lucky"' in refused.text
    house.clock.advance(11 * MINUTES)
    hers.client.cookies.delete("steward_visitor", domain="draw.test")
    assert (await hers.go(note)).status_code == 410
