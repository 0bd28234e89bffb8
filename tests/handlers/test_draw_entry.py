"""Who takes part in a draw: everybody once, whoever may, until the published second."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from handlers import draw_entry, draw_pick
from handlers.draw_entry import CLOSED, NO_ENTRY, WRONG
from handlers.draw_facts import settings_of
from handlers.prizes import TWICE
from rules.draw_proof import verify
from rules.draw_rules import TAGS_UNKNOWN
from rules.events import DrawEntered
from rules.rewards import Rewards
from store import blocks, points
from store import draws as draw_rows
from store.database import Database
from tests.handlers.fair import FIXED, FRIDAY, HOUR, MP, Fair, OpenFair, book_with, entered, names, settings


async def test_pressed_twice_and_on_two_phones_is_one_entry(fair_with: OpenFair) -> None:
    """Whoever is known by name has one entry, whichever phone they use; two phones that turn out to be one person's
    count once.
    """
    fair = await fair_with(people=names(2))
    await fair.until(FRIDAY - HOUR)
    first = await fair.visitor("wm1", phone="phone-a")
    assert [await fair.enter(first) for _ in range(3)] == ["", "", ""]
    other = await fair.visitor(phone="phone-b")
    assert await fair.enter(other) == ""
    assert set(await fair.entrants()) == {"wm1", f"v{other}"}
    stranger = await fair.visitor(phone="phone-c")
    assert await fair.enter(stranger) == ""
    again = await fair.visitor("wm0", phone="phone-c")
    assert again == stranger
    assert await fair.enter(again) == ""
    await fair.until(FRIDAY)
    entrants = await fair.entrants()
    assert {person for person, out in entrants.items() if not out} == {"wm1", f"v{other}", "wm0"}
    assert (await fair.draw()).entrants == 3


async def test_two_visitors_that_become_one_have_one_chance(fair_with: OpenFair) -> None:
    """Two browsers signed up as strangers; before the list closes they turn out to be one person: one entry counts."""
    fair = await fair_with(people=names(2))
    await fair.until(FRIDAY - HOUR)
    one, other = await fair.visitor(phone="phone-a"), await fair.visitor(phone="phone-b", appid=MP)
    assert [await fair.enter(each) for each in (one, other)] == ["", ""]
    await fair.authorises(one, "phone-b")
    assert await fair.enter(one) == ""
    await fair.until(FRIDAY)
    assert (await fair.draw()).entrants == 1
    assert set((await fair.entrants()).values()) == {"", TWICE}


@pytest.mark.parametrize(
    ("who", "more", "says"),
    [
        ("wo1", {}, "企业微信账号收不了红包"),
        ("wmBlocked", {}, "您不能参加"),
        ("wmElsewhere", {}, "不在活动的群里"),
        ("wmNew", {"who": {"member_for": "7天"}}, "进群满 7天"),
    ],
)
async def test_who_may_not_enter(fair_with: OpenFair, who: str, more: dict[str, Any], says: str) -> None:
    """Other companies' people (for money), the blocklist, those outside and those who came too lately are told why."""
    fair = await fair_with(more, people=("wo1", "wmBlocked"))
    await fair.come("wmNew", since=fair.now)
    async with fair.db.write() as tx:
        await blocks.put(tx, external_userid="wmBlocked", because="广告", by="lihua", now=fair.now)
    await fair.until(FRIDAY - HOUR)
    assert says in await fair.enter(await fair.visitor(who))
    assert await fair.entrants() == {}


async def test_a_coupon_may_go_to_another_companys_people(fair_with: OpenFair) -> None:
    """`wo…` is refused for money only."""
    coupon = {"type": "券", "what": "茶样", "value": "10元"}
    fair = await fair_with({"prize": coupon, "pay_by": "券"}, people=("wo1",))
    await fair.until(FRIDAY - HOUR)
    assert await fair.enter(await fair.visitor("wo1")) == ""


async def test_quiz_points_tags(fair_with: OpenFair) -> None:
    """The right answer, enough points, one of the tags: each way to enter is what it says, and costs what it says."""
    quiz = {"question": "茶里的总部在哪里？", "options": ["上海", "北京"], "answer": "上海"}
    people = names(2)
    fair = await fair_with({"enter": "答题", "quiz": quiz}, people=people)
    fair.book = book_with(
        settings(enter="答题", quiz=quiz),
        settings(name="by-points", enter="积分", points=5),
        settings(name="by-tag", enter="标签", tags=["老客"]),
    )
    await fair.until(FRIDAY - HOUR)
    visitor = await fair.visitor("wm1")
    ids = {row.name: row.id for row in await fair.all_draws()}
    assert await fair.enter(visitor, "北京", ids["friday"]) == WRONG
    assert await fair.enter(visitor, "上海", ids["friday"]) == ""
    assert "积分不够" in await fair.enter(visitor, draw_id=ids["by-points"])
    async with fair.db.write() as tx:
        await points.give(tx, "wm1", 7, why="打卡", key="x", now=fair.now)
    assert [await fair.enter(visitor, draw_id=ids["by-points"]) for _ in range(2)] == ["", ""]
    async with fair.db.read() as tx:
        assert await points.balance(tx, "wm1") == 2
    assert "没有邀请您" in await fair.enter(visitor, draw_id=ids["by-tag"], wm1=("新客",))
    assert await fair.enter(visitor, draw_id=ids["by-tag"], wm1=("老客",)) == ""
    assert "加导购" in await fair.enter(await fair.visitor(phone="unknown"), draw_id=ids["by-points"])


async def test_the_published_close_is_kept_to_the_second(fair_with: OpenFair) -> None:
    """Even before the sweep has closed the list nobody enters after the published time."""
    fair = await fair_with({"close_before": "10分钟"}, people=names(2))
    await fair.until(FRIDAY - HOUR)
    visitor = await fair.visitor("wm1")
    fair.now = FRIDAY - timedelta(minutes=10)
    assert await fair.enter(visitor) == CLOSED


async def test_everybody_takes_part_without_a_word(fair_with: OpenFair) -> None:
    """`全员`: whoever is in the groups when the list closes and may take part is on it, in how many groups ever."""
    fair = await fair_with({"enter": "全员"}, people=(*names(20), "wo1", "wmBlocked"), groups=2)
    await fair.come("wm0", "wm30", chat_id="wr1")
    async with fair.db.write() as tx:
        await blocks.put(tx, external_userid="wmBlocked", because="广告", by="lihua", now=fair.now)
    await fair.until(FRIDAY - HOUR)
    assert await fair.enter(await fair.visitor("wm1")) == NO_ENTRY
    await fair.leave("wm19")
    await fair.until(FRIDAY)
    assert set(await fair.entrants()) == {*names(19), "wm30"}
    assert len(await fair.live()) == 3
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


async def test_tags_that_the_platform_does_not_tell_refuse_nobody_for_good(fair_with: OpenFair) -> None:
    """While the platform does not answer, an entry is asked for again, a winner wins, and a claim waits; nobody loses
    a prize by it.
    """
    fair = await fair_with({"enter": "标签", "tags": ["老客"], "prize": {**FIXED, "shares": 1}}, people=names(1))
    await fair.until(FRIDAY - HOUR)
    visitor = await fair.visitor("wm0")
    assert await fair.enter(visitor) == TAGS_UNKNOWN
    assert await fair.enter(visitor, wm0=("老客",)) == ""
    await fair.until(FRIDAY)
    assert await fair.live() == ["wm0"]
    await fair.authorises(visitor, "mp-0")
    assert await fair.claim(visitor) == TAGS_UNKNOWN
    assert await fair.claim(visitor, wm0=("老客",)) == ""


async def test_nobody_gets_on_a_list_that_is_being_closed(db_url: str) -> None:
    """On both databases: somebody who entered in the last moment, and whose transaction is still on its way while the
    list is closed, is on the hashed list, or not in the draw at all.
    """
    db = await Database.open(db_url)
    try:
        fair = Fair(db, book_with(settings()))
        await fair.open(people=names(3))
        await entered(fair, names(2))
        await fair.until(FRIDAY - timedelta(seconds=1))
        late = await fair.visitor("wm2")
        under_way, done = asyncio.Event(), asyncio.Event()

        async def enters() -> None:
            event = DrawEntered(at=fair.now, draw_id=1, visitor_id=late)
            async with db.write() as tx:
                await draw_entry.handle(event, draw_entry.Seen(), tx, fair.book, FRIDAY - timedelta(seconds=1))
                under_way.set()
                for _ in range(20):  # as long as whoever closes the list needs to get there
                    await asyncio.sleep(0.01)
            done.set()

        entering = asyncio.create_task(enters())
        await under_way.wait()
        await fair.until(FRIDAY)
        assert done.is_set()
        await entering
        assert (await fair.draw()).entrants == 3
        assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    finally:
        await db.close()


async def test_who_enters_while_the_list_is_closed_is_told_so(db_url: str) -> None:
    """Likewise the other way round: the list is being closed, and whoever presses then is too late."""
    db = await Database.open(db_url)
    try:
        fair = Fair(db, book_with(settings()))
        await fair.open(people=names(3))
        await entered(fair, names(2))
        late = await fair.visitor("wm2")
        await fair.until(FRIDAY - timedelta(seconds=1))
        closing = asyncio.Event()
        answers = list[str]()

        async def enters() -> None:
            await closing.wait()
            answers.append(await fair.enter(late))

        entering = asyncio.create_task(enters())
        async with db.write() as tx:
            row = await draw_rows.draw(tx, 1, lock=True)
            assert row is not None
            await draw_pick.freeze(tx, row, settings_of(row), now=fair.now)
            row.state, row.frozen_at = "frozen", fair.now
            closing.set()
            for _ in range(20):
                await asyncio.sleep(0.01)
            assert answers == []
        await entering
        assert answers == [CLOSED]
        await fair.until(FRIDAY)
        assert (await fair.draw()).entrants == 2
    finally:
        await db.close()


async def test_a_right_answer_brings_points_once(fair_with: OpenFair) -> None:
    """However often it is pressed; a wrong one brings none, nor does one of somebody whom nobody knows."""
    quiz = {"question": "茶里的总部在哪里？", "options": ["上海", "北京"], "answer": "上海"}
    fair = await fair_with({"enter": "答题", "quiz": quiz}, people=names(2))
    fair.book = fair.book.model_copy(update={"rewards": Rewards(answer=4)})
    await fair.until(FRIDAY - HOUR)
    one, other, nobody = await fair.visitor("wm0"), await fair.visitor("wm1"), await fair.visitor(phone="unknown")
    assert [await fair.enter(one, "上海") for _ in range(2)] == ["", ""]
    assert await fair.enter(other, "北京") == WRONG
    await fair.enter(nobody, "上海")
    async with fair.db.read() as tx:
        assert [await points.balance(tx, who) for who in ("wm0", "wm1")] == [4, 0]
