"""The managers' weekly report: whole bot, whole WeCom; the card, its page, and the platform's own figures."""

from typing import Any

import pytest

from rules.actions import Link
from rules.book import Book
from tests.life.office import TEN, Office, at, calendar
from tests.life.shop import MINUTES

WEEKLY = {**TEN, "when": "每周三 10:00", "late_at_most": "1小时"}
TO_STAFF = {"name": "开门前", "to": "同事", "staff": "群主1", "when": "每周二 09:30", "text": "看一眼待办"}
LATE = {**TEN, "name": "晚到", "when": "每周四 10:00"}


async def a_week(office: Office) -> None:
    """Wednesday's post: owner1 confirms at once, owner2 never does. Thursday's: owner1 an hour late. People talk."""
    world = office.life.world
    world.staff["owner1"].confirms(after=3 * MINUTES)
    await office.hop(at(9, 29, day=24))
    await office.until(at(9, 40, day=24))
    await office.hop(at(9, 49, day=25))
    newcomer = world.add_customer("林小满")
    world.join(office.groups[0], newcomer)
    for words in ("早", "这茶好喝"):
        world.talk.says(newcomer, office.groups[0], words)
    await office.until(at(12, day=25))
    world.staff["owner1"].confirms(after=70 * MINUTES)
    await office.hop(at(9, 49, day=26))
    await office.until(at(12, 30, day=26))
    await office.hop(at(9, 59, day=30))


async def page_of(office: Office, days: str, userid: str = "lihua") -> str:
    links = office.life.bot.worker.hands.links
    link = Link(page="week", userid=userid, issued_at=office.life.clock.now(), days=days)
    return (await office.life.browser.get(links.url(link))).text


async def test_on_monday_the_managers_hear_of_every_group_of_every_post(open_office: Any) -> None:
    """One card with the sums and one page with all of it; nobody else gets it, and nobody gets it twice."""
    async with open_office(calendar(WEEKLY, LATE, TO_STAFF), owners=2) as office:
        await a_week(office)
        before = len(office.texts("lihua"))
        await office.until(at(11, day=30))
        [card] = office.texts("lihua")[before:]
        for words in (
            "上周群发：4/8 群次发到了",
            "11月23日到11月29日",
            "群主2 4",
            "晚了 2 群次",
            "新 5 人，说话 1 人，2 条",
        ):
            assert words in card
        assert not any("上周群发" in each for each in office.texts("owner1"))
        page = await page_of(office, "2026-11-23~2026-11-29")
        for words in (
            "4 / 8 群次发到了",
            "另有给同事的提醒 1 条",
            "没人确认",
            "群主2",
            "「ten」2 个群没人确认",
            "「晚到」，2 个群晚了",
        ):
            assert words in page
        assert "<td>群主1</td><td>2</td><td>3</td><td>1 /" in page


async def test_without_the_platforms_figures_the_report_comes_all_the_same(open_office: Any) -> None:
    """Statistics that cannot be had cost only their own line."""
    async with open_office(calendar(WEEKLY), owners=1) as office:
        office.all_confirm()
        await office.hop(at(9, 49, day=25))
        await office.until(at(10, 30, day=25))
        await office.hop(at(9, 59, day=30))
        before = len(office.texts("lihua"))
        office.life.world.contact_permission = False
        await office.until(at(10, 5, day=30))
        office.life.world.contact_permission = True
        await office.until(at(11, day=30))
        [card] = [each for each in office.texts("lihua")[before:] if "上周群发" in each]
        assert "2/2 群次发到了" in card
        assert "说话" not in card


@pytest.mark.parametrize("book", [calendar(), calendar(WEEKLY, posting={"weekly_report": False})])
async def test_who_wants_no_report_is_left_in_peace(open_office: Any, book: Book) -> None:
    """Nothing planned, nothing told; likewise where the config says so."""
    async with open_office(book) as office:
        await office.hop(at(10, 5, day=25))
        await office.hop(at(11, day=30))
        await office.until(at(12, day=30))
        assert not any("上周" in each for each in office.texts("lihua"))


async def test_the_page_is_for_managers_with_a_good_link(open_office: Any) -> None:
    """Somebody who is no manager any more, or another's link, sees nothing of it."""
    async with open_office(calendar(WEEKLY), owners=1) as office:
        assert "群发情况" in await page_of(office, "2026-11-23~2026-11-29")
        assert "群发情况" not in await page_of(office, "2026-11-23~2026-11-29", userid="owner1")
        assert "群发情况" not in await page_of(office, "nonsense")
