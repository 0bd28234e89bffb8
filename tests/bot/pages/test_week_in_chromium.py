"""The page of the managers' weekly report in a real browser on a phone."""

from datetime import timedelta
from typing import Any

from bot import server
from rules.actions import Link
from rules.post_report import OwnerWeek
from store import owner_weeks, sends
from store.posts import PostGroupRow, PostRow
from store.sends import SendRow
from tests.bot.pages.browser import chromium
from tests.bot.pages.test_in_chromium import MEASURE, PHONES, phone
from tests.life.conftest import StartLife
from tests.life.office import MONDAY, calendar, open_office_of

FITS = {"overflow": 0, "low": [], "small": []}


async def test_a_week_with_everything_in_it_fits_a_phone(start_life: StartLife) -> None:
    """Sums, who did not confirm, reasons, what never went out, what was late, and the owners' table."""
    async with start_life(calendar(), at=MONDAY) as life:
        office = open_office_of(life, owners=3, groups=4)
        await life.bot.read_roster("start")
        await life.settle()
        first = (MONDAY - timedelta(days=7)).date()
        async with life.bot.store.write() as tx:
            await fill(tx, [each.chat_id for each in office.groups], first)
        async with server.running(life.bot.app, "127.0.0.1", 0) as port, chromium() as browser:
            days = f"{first}~{first + timedelta(days=6)}"
            link = Link(page="week", userid="lihua", issued_at=life.clock.now(), days=days)
            url = f"http://127.0.0.1:{port}/week/{life.bot.worker.hands.links.token(link)}"
            for width, height in PHONES:
                page, complaints = await phone(browser, width, height)
                await page.goto(url)
                assert await page.evaluate(MEASURE) == FITS
                assert complaints == []
            text = await page.inner_text("body")
            for words in (
                "6 / 24 群次发到了",
                "谁没点",
                "群主1",
                "本月需 39 条，额度 30 条",
                "整条没有发的",
                "晚了半小时以上的",
                "消息",
            ):
                assert words in text


async def fill(tx: Any, chat_ids: list[str], first: Any) -> None:
    """Two posts with every fate, one that never went out, and what the platform says of three owners."""
    at = MONDAY - timedelta(days=5)
    for number, name in enumerate(("周三分享（冬日白茶专场）", "早报")):
        row = PostRow(key=f"k{number}", name=name, day=first, fire_at=at, say_at=at, state="done")
        tx.add(row)
        await tx.flush()
        send = SendRow(
            key=f"s{number}", about=row.about, sender="owner1", targets=chat_ids[:8], text="x", say_at=at, until=at
        )
        await sends.add(tx, send)
        fates = ("arrived", "arrived", "expired", "expired", "unsent", "capped", "cancelled", "waiting")
        for result, got in zip((await sends.results(tx, send.id)).values(), fates, strict=True):
            result.got, result.at = got, at + timedelta(hours=2)
        why = "本月需 39 条，额度 30 条，优先级高的和日子早的先用，这一条不发"
        for chat_id, way in zip(chat_ids[8:], ("dropped", "unreachable", "paused", "merged"), strict=True):
            tx.add(PostGroupRow(post_key=row.key, chat_id=chat_id, way=way, why=why if way == "dropped" else "", at=at))
    late = "机器人停过，晚了 3小时20分钟，超过这一条最多能晚的 2小时，没有补发"
    tx.add(PostRow(key="k9", name="周六茶会", day=first, fire_at=at, say_at=at, state="skipped", why=late))
    weeks = [
        OwnerWeek(owner=f"owner{n}", groups=20, new_members=12 * n, members=3900, active=210 * n, messages=1800 * n)
        for n in (1, 2, 3)
    ]
    await owner_weeks.keep(tx, first, weeks)
    await tx.flush()
