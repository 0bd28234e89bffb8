"""Releases teach: of a person, or of a whole company, and they can be listed."""

import contextlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.cli import app
from rules.actions import Link
from simulator import Customer
from tests.life.shop import MINUTES, SECONDS, Shop, book


async def a_known_rival(shop: Shop, name: str, company: str = "对手公司") -> Customer:
    """Somebody of another company whom our staff have added, so that the company is known."""
    rival = shop.rival(name, company)
    shop.world.make_contact("lihua", rival)
    await shop.life.run(10 * SECONDS)
    await shop.enters(rival, wait=2 * MINUTES)
    return rival


async def test_a_company_is_let_go_from_the_card(open_shop: Any) -> None:
    """放行这家公司 stands on the card of one person whose company is known; then nobody of it is asked about."""
    async with open_shop(book()) as shop:
        await a_known_rival(shop, "张三")
        keys = [button.key for button in shop.cards()[-1].buttons]
        assert keys == ["removed", "release", "release_company", "later"]
        shop.press("release_company")
        await shop.life.run(10 * SECONDS)
        assert await shop.outcomes() == ["released"]
        await a_known_rival(shop, "李四")
        assert await shop.outcomes() == ["released"]
        await a_known_rival(shop, "王二", "另一家公司")
        assert await shop.outcomes() == ["released", None]


async def test_it_is_not_offered_where_it_would_be_a_guess(open_shop: Any) -> None:
    """Where the company is not known, or several people are on one card, there is no such button."""
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("没加过"))
        assert "release_company" not in [button.key for button in shop.cards()[-1].buttons]
        await shop.life.run(5 * MINUTES)
        several = [shop.rival(name) for name in ("甲一", "乙二")]
        for each in several:
            shop.world.make_contact("lihua", each)
        await shop.life.run(10 * SECONDS)
        await shop.enters(*several, wait=2 * MINUTES)
        assert "release_company" not in [button.key for button in shop.cards()[-1].buttons]


async def test_a_company_is_let_go_from_the_list(open_shop: Any) -> None:
    """The page has the same button, named after the company, and does the same for all of them."""
    async with open_shop(book()) as shop:
        await a_known_rival(shop, "张三")
        await a_known_rival(shop, "李四")
        links = shop.life.bot.worker.hands.links
        url = links.url(Link(page="todo", userid="wangwu", issued_at=shop.life.clock.now()))
        assert "放行「对手公司」的所有人" in (await shop.life.browser.get(url)).text
        key = links.form_key("todo", url.rpartition("/")[2])
        answer = await shop.life.browser.post(url, data={"key": key, "press": "release_company:1"})
        said = await shop.life.browser.get(f"{url}{answer.headers['location']}")
        assert "放行了这家公司" in said.text
        await shop.life.run(timedelta(seconds=10))
        assert await shop.outcomes() == ["released", "released"]


async def test_releases_are_listed(open_shop: Any, sqlite_url: str, tmp_path: Path) -> None:
    """`steward releases` says whom or which company, from which rule, by whom and when; also for programs."""
    async with open_shop(book()) as shop:
        rival = await a_known_rival(shop, "张三")
        shop.press("release_company")
        await shop.life.run(10 * SECONDS)
        at = shop.life.clock.now()
    told, data = await run(sqlite_url, tmp_path, "releases"), await run(sqlite_url, tmp_path, "releases", "--json")
    for words in ("「对手公司」的所有人", "张三", "规则 other_company", "王五 放行", "案件 #1", f"{at:%Y-%m-%d}"):
        assert words in told
    listed = json.loads(data)
    assert {each["subject"] for each in listed} == {"company:对手公司", rival.id}
    assert {each["by"] for each in listed} == {"王五"}


async def run(url: str, folder: Path, *words: str, **env: str) -> str:
    """What a command prints, run beside this test's loop."""
    import asyncio

    def steward() -> str:
        with contextlib.chdir(folder):
            told = CliRunner().invoke(app, list(words), env={"DATABASE_URL": url, "COLUMNS": "120", **env})
        if told.exception is not None and not isinstance(told.exception, SystemExit):
            raise told.exception
        return told.output

    return await asyncio.to_thread(steward)


async def test_links_are_printed(open_shop: Any, sqlite_url: str, tmp_path: Path) -> None:
    """`steward links` prints a group's report link, the same each time; `explain` a case's appeal link. Both open."""
    settings = {"STEWARD_PUBLIC_URL": "http://127.0.0.1", "STEWARD_SECRET_KEY": "a-key-for-tests-only"}
    async with open_shop(book()) as shop:
        await shop.enters(shop.rival("张三"))
        told = await run(sqlite_url, tmp_path, "links", "静安", **settings)
        assert "没有 friend_adding 规则管这个群" in told
        [line] = json.loads(await run(sqlite_url, tmp_path, "links", "--json", **settings))
        assert line["report"] in told
        assert (line["group"], line["works"]) == ("静安1群", False)
        assert (await shop.life.browser.get(line["report"])).status_code == 404
        explained = await run(sqlite_url, tmp_path, "explain", "1", **settings)
        [url] = [word for word in explained.split() if "/appeal/" in word]
        assert "/appeal/" not in await run(sqlite_url, tmp_path, "explain", "1")
    assert "STEWARD_SECRET_KEY" in await run(sqlite_url, tmp_path, "links")
    assert url.startswith("http://127.0.0.1/appeal/")
