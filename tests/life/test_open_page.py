"""The page that opens a group in the WeCom client: signed for the client, closed by default, never a dead end."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import httpx2

from rules.actions import Link
from tests.life.shop import MINUTES, Shop, book

OPEN = book(removal={"open_group": True})


def address(shop: Shop, userid: str = "wangwu") -> str:
    now = shop.life.clock.now()
    link = Link(page="open", userid=userid, issued_at=now, chat_id=shop.group.chat_id)
    return shop.life.bot.worker.hands.links.url(link)


async def look(shop: Shop, userid: str = "wangwu") -> httpx2.Response:
    return await shop.life.browser.get(address(shop, userid))


async def test_the_list_leads_to_it(open_shop: Any) -> None:
    """With the setting on, every group of the list has a button that opens its page."""
    async with open_shop(OPEN) as shop:
        await shop.enters(shop.rival())
        todo = shop.life.bot.worker.hands.links.url(Link(page="todo", userid="wangwu", issued_at=shop.life.clock.now()))
        found = re.search(r'href="([^"]+/open/[^"]+)"', (await shop.life.browser.get(todo)).text)
        assert found
        page = await shop.life.browser.get(httpx2.URL(todo).join(found[1]))
        assert (page.status_code, "静安1群" in page.text) == (200, True)


async def test_it_is_signed_as_the_client_checks_it(open_shop: Any) -> None:
    """SHA-1 over ticket, nonce, time and this address (page 90506); only WeCom's script may come from elsewhere."""
    async with open_shop(OPEN) as shop:
        page = await look(shop)
        given = dict(re.findall(r'data-(\w+)="([^"]*)"', page.text))
        ticket = shop.world.tickets._current
        text = f"jsapi_ticket={ticket}&noncestr={given['nonce']}&timestamp={given['timestamp']}&url={address(shop)}"
        assert given["signature"] == hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        assert (given["corp"], given["agent"]) == (shop.world.corp_id, str(shop.world.agent_id))
        assert given["chat"] == shop.group.chat_id
        assert ticket
        assert ticket not in page.text
        hosts = {httpx2.URL(each).host for each in re.findall(r'src="(https?://[^"]+)"', page.text)}
        assert hosts == {"wwcdn.weixin.qq.com"}
        policy = page.headers["content-security-policy"]
        assert "script-src 'self' https://wwcdn.weixin.qq.com;" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"


async def test_the_ticket_is_kept(open_shop: Any) -> None:
    """One ticket serves all until shortly before its end, as fetching is limited by frequency."""
    async with open_shop(OPEN) as shop:
        for _ in range(3):
            await look(shop)
        assert shop.world.calls["ticket/get", 0] == 1
        await shop.life.run(timedelta(hours=2))
        await look(shop)
        assert shop.world.calls["ticket/get", 0] == 2


async def test_without_a_ticket_it_says_how_to_do_it_by_hand(open_shop: Any) -> None:
    """Where the platform gives none, the page is there all the same, without any script."""
    async with open_shop(OPEN) as shop:
        shop.world.ip_allowed = False
        page = await look(shop)
        assert (page.status_code, "搜索框里搜「静安1群」" in page.text, "<script" in page.text) == (200, True, False)


async def test_it_is_closed_by_default(open_shop: Any) -> None:
    """Without the setting there is no button, and the address explains itself."""
    async with open_shop(book()) as shop:
        page = await look(shop)
        assert (page.status_code, "没有开放" in page.text) == (404, True)
        assert shop.world.calls["ticket/get", 0] == 0


async def test_it_is_for_those_who_can_remove(open_shop: Any) -> None:
    """Somebody who is no longer owner or admin is told so; nothing of the group is shown."""
    async with open_shop(OPEN) as shop:
        for userid in ("lihua", "sunqi"):
            page = await look(shop, userid)
            assert (page.status_code, "静安1群" in page.text) == (410, False)
        shop.world.dismiss(shop.group)
        await shop.life.run(MINUTES)
        assert (await look(shop)).status_code == 410
