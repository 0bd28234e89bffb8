"""The life of a draw: rules first, everybody once, a pick that proves itself, and every fen back where it belongs."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from handlers.draw_entry import CLOSED, GONE, NO_ENTRY, NOT_YET, WRONG
from handlers.draw_pick import TWICE
from handlers.prizes import NEEDS_NAME, NEEDS_OPENID, NOT_WON, TOO_LATE
from rules.draw_proof import verify
from rules.pick import commitment
from store import blocks, ledger, points
from store import draws as draw_rows
from store import matters as matter_rows
from store import payouts as payout_rows
from store import sends as send_rows
from store.database import Database
from tests.handlers.fair import FIXED, FRIDAY, MP, Fair, book_with, settings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OpenFair = Callable[..., Awaitable[Fair]]


@pytest.fixture
async def fair_with(sqlite_db: Database) -> OpenFair:
    """`await fair_with({"enter": …}, people=[…])`: a fair with this draw, before it is announced."""

    async def make(more: dict[str, Any] | None = None, people: tuple[str, ...] = (), **opened: Any) -> Fair:
        monthly = opened.pop("monthly", "5000元")
        fair = Fair(sqlite_db, book_with(settings(**(more or {})), monthly=monthly))
        await fair.open(people=people, **opened)
        return fair

    return make


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"wm{number}" for number in range(count))


async def _entered(fair: Fair, people: tuple[str, ...]) -> dict[str, int]:
    """All of them sign up an hour after entry opens."""
    await fair.until(FRIDAY - DAY + HOUR)
    visitors = {who: await fair.visitor(who) for who in people}
    for who, visitor in visitors.items():
        assert await fair.enter(visitor) == "", who
    return visitors


# --- the calendar -----------------------------------------------------------------------------------------------------


async def test_rules_are_published_before_anybody_enters(fair_with: OpenFair) -> None:
    """Two days ahead the rules, the commitment and the money are there; nobody can enter before it opens."""
    fair = await fair_with(people=_names(3))
    await fair.calendar()
    row = await fair.draw()
    assert (row.state, row.key) == ("announced", "friday:2026-11-27T20:00+08:00")
    assert row.commitment == commitment(bytes.fromhex(row.seed))
    headings = [heading for heading, _ in row.rules]
    assert headings == [
        "奖品", "数量", "谁能参加", "怎么参加", "时间", "怎么抽", "怎么领", "个人所得税", "主办方", "联系方式"
    ]  # fmt: skip
    assert await fair.month() == ledger.Month(budget=500_000, free=498_500, held=1_500, paid=0)
    assert await fair.enter(await fair.visitor("wm1")) == NOT_YET
    await fair.calendar()
    assert len(await fair.all_draws()) == 1


async def test_a_draw_the_budget_cannot_cover_is_not_announced(fair_with: OpenFair) -> None:
    """Managers hear of it; once there is money it is announced."""
    fair = await fair_with({"when": "每天 20:00"}, monthly="20元", people=_names(3))
    await fair.calendar()
    assert [(each.state, each.held) for each in await fair.all_draws()] == [("announced", 1_500)]
    async with fair.db.read() as tx:
        assert (await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua"))[0].title == "抽奖的预算不够"
    fair.book = book_with(settings(when="每天 20:00"), monthly="100元")
    await fair.calendar()
    assert len(await fair.all_draws()) == 2
    async with fair.db.read() as tx:
        assert not await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua")
    assert (await fair.month()).free == 7_000


async def test_a_paused_draw_is_not_announced_and_one_that_is_on_goes_on(fair_with: OpenFair) -> None:
    """`pause` stops the next time, not this one."""
    fair = await fair_with({"when": "每天 20:00", "pause": True}, people=_names(3))
    await fair.until(FRIDAY - DAY)
    assert await fair.all_draws() == []
    fair.book = book_with(settings())
    await fair.calendar()
    fair.book = book_with(settings(pause=True))
    await fair.until(FRIDAY)
    assert [each.state for each in await fair.all_draws()] == ["closed"]


async def test_too_late_is_cancelled_and_the_money_goes_back(fair_with: OpenFair) -> None:
    """The bot was down over the draw for longer than it allows: no draw, everything returned, managers told."""
    fair = await fair_with({"enter": "积分", "points": 5}, people=_names(3))
    async with fair.db.write() as tx:
        await points.give(tx, "wm1", 7, why="打卡", key="x", now=fair.now)
    await fair.until(FRIDAY - HOUR)
    assert await fair.enter(await fair.visitor("wm1")) == ""
    fair.now = FRIDAY + 3 * HOUR
    await fair.step()
    row = await fair.draw()
    assert row.state == "cancelled"
    assert "太晚了" in row.because
    assert (await fair.month()).free == 500_000
    async with fair.db.read() as tx:
        assert await points.balance(tx, "wm1") == 7


async def test_only_what_is_better_is_taken_over(fair_with: OpenFair) -> None:
    """While it is on more money and a longer claim are taken over and shown; less is not, nor another prize."""
    fair = await fair_with(people=_names(3))
    await fair.calendar()
    worse = settings(prize={"type": "固定", "amount": "1元", "shares": 9}, claim_within="1天", organiser="别人")
    fair.book = book_with(worse)
    await fair.calendar()
    row = await fair.draw()
    assert row.changes == []
    assert row.held == 1_500
    fair.book = book_with(settings(prize={"type": "固定", "amount": "6元", "shares": 4}, claim_within="5天"))
    await fair.calendar()
    row = await fair.draw()
    assert [each["text"] for each in row.changes] == [
        "领奖时间延长到 5天",
        "奖品增加：红包 5元，3 份 → 红包 6元，4 份",
    ]
    assert row.held == 2_400
    assert (await fair.month()).held == 2_400
    await _entered(fair, _names(3))
    await fair.until(FRIDAY)
    assert [each.amount for each in await fair.winners()] == [600] * 3
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    assert (await fair.month()).held == 1_800


# --- entering ---------------------------------------------------------------------------------------------------------


async def test_pressed_twice_and_on_two_phones_is_one_entry(fair_with: OpenFair) -> None:
    """Whoever is known by name has one entry, whichever phone they use; two phones that turn out to be one person's
    count once.
    """
    fair = await fair_with(people=_names(2))
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
    fair = await fair_with(people=_names(2))
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
    people = _names(2)
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
    fair = await fair_with({"close_before": "10分钟"}, people=_names(2))
    await fair.until(FRIDAY - HOUR)
    visitor = await fair.visitor("wm1")
    fair.now = FRIDAY - timedelta(minutes=10)
    assert await fair.enter(visitor) == CLOSED


async def test_everybody_takes_part_without_a_word(fair_with: OpenFair) -> None:
    """`全员`: whoever is in the groups when the list closes and may take part is on it, in how many groups ever."""
    fair = await fair_with({"enter": "全员"}, people=(*_names(20), "wo1", "wmBlocked"), groups=2)
    await fair.come("wm0", "wm30", chat_id="wr1")
    async with fair.db.write() as tx:
        await blocks.put(tx, external_userid="wmBlocked", because="广告", by="lihua", now=fair.now)
    await fair.until(FRIDAY - HOUR)
    assert await fair.enter(await fair.visitor("wm1")) == NO_ENTRY
    await fair.leave("wm19")
    await fair.until(FRIDAY)
    assert set(await fair.entrants()) == {*_names(19), "wm30"}
    assert len(await fair.live()) == 3
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


# --- the draw ---------------------------------------------------------------------------------------------------------


async def test_winners_follow_from_the_seed_and_the_list(fair_with: OpenFair) -> None:
    """Three of 30 win; the published file proves it; the seed is not in it before."""
    fair = await fair_with(people=_names(30))
    await _entered(fair, _names(30))
    await fair.until(FRIDAY - timedelta(seconds=1))
    with pytest.raises(LookupError):
        await fair.proof()
    await fair.until(FRIDAY)
    row = await fair.draw()
    assert (row.state, row.entrants) == ("drawn", 30)
    proof = await fair.proof()
    assert all(each.ok for each in verify(proof.model_dump()))
    assert [each.ticket for each in await fair.winners()] == [each.ticket for each in proof.winners]
    assert len(proof.alternates) == 20
    changed = proof.model_dump()
    changed["winners"][0]["ticket"], changed["winners"][1]["ticket"] = (
        changed["winners"][1]["ticket"],
        changed["winners"][0]["ticket"],
    )
    assert "winners[0].ticket" in [each.place for each in verify(changed) if not each.ok]


async def test_who_left_between_the_list_and_the_draw_is_passed_over(fair_with: OpenFair) -> None:
    """Eligibility is looked at again at the draw: the next one on the list has the share, and the proof says why."""
    fair = await fair_with({"close_before": "2小时"}, people=_names(10))
    await _entered(fair, _names(10))
    await fair.until(FRIDAY - HOUR)
    frozen = (await fair.draw()).entrants_hash
    for who in _names(10)[:5]:
        await fair.leave(who)
    await fair.until(FRIDAY)
    winners = await fair.live()
    assert len(winners) == 3
    assert not set(winners) & set(_names(10)[:5])
    row = await fair.draw()
    assert row.entrants_hash == frozen
    proof = await fair.proof()
    assert all(each.ok for each in verify(proof.model_dump()))
    assert {each.because for each in proof.redraws} <= {"您不在活动的群里"}


async def test_fewer_people_than_shares(fair_with: OpenFair) -> None:
    """One entrant for three shares: one wins, two shares go back to the budget at once."""
    fair = await fair_with(people=_names(1))
    await _entered(fair, _names(1))
    await fair.until(FRIDAY)
    assert await fair.live() == ["wm0"]
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=500, paid=0)


async def test_nobody_came(fair_with: OpenFair) -> None:
    """Without entrants the draw closes, all money goes back, and the file proves that, too."""
    fair = await fair_with()
    await fair.until(FRIDAY + HOUR)
    assert (await fair.draw()).state == "closed"
    assert (await fair.month()).free == 500_000
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


async def test_once_a_month(fair_with: OpenFair) -> None:
    """Whoever has won wins nothing else in that month; in the next month they may again."""
    fair = await fair_with({"when": "每天 20:00", "enter": "全员", "prize": {**FIXED, "shares": 2}}, people=_names(4))
    for days in range(6):
        await fair.until(FRIDAY + days * DAY)
    by_month = dict[str, list[str]]()
    for row in await fair.all_draws():
        if row.state in ("drawn", "closed"):
            winners = await fair.winners(row.id)
            by_month.setdefault(row.month, []).extend(each.person for each in winners if each.state != "lapsed")
    assert set(by_month) == {"2026-11", "2026-12"}
    for persons in by_month.values():
        assert len(persons) == len(set(persons)) <= 4


# --- claiming ---------------------------------------------------------------------------------------------------------


async def test_a_prize_is_claimed_once_and_paid(fair_with: OpenFair) -> None:
    """Claimed twice, one payout; the ledger has paid exactly that; when all is done the rest is free again."""
    fair = await fair_with(people=_names(3))
    visitors = await _entered(fair, _names(3))
    await fair.until(FRIDAY)
    assert await fair.claim(visitors["wm0"]) == NEEDS_OPENID
    await fair.authorises(visitors["wm0"], "mp-0")
    assert [await fair.claim(visitors["wm0"]) for _ in range(3)] == ["", "", ""]
    async with fair.db.read() as tx:
        [payout] = await payout_rows.of_draw(tx, 1)
        assert (payout.amount, payout.gross, payout.tax, payout.openid) == (500, 625, 125, "mp-0")
    await fair.paid()
    assert await fair.month() == ledger.Month(budget=500_000, free=498_500, held=1_000, paid=500)
    await fair.until(FRIDAY + 5 * DAY)
    assert (await fair.draw()).state == "closed"
    assert {each.person: each.state for each in await fair.winners()} == {
        "wm0": "paid",
        "wm1": "lapsed",
        "wm2": "lapsed",
    }
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=0, paid=500)
    assert await fair.claim(visitors["wm1"]) == TOO_LATE
    assert await fair.claim(await fair.visitor(phone="other")) == NOT_WON


async def test_unclaimed_goes_to_the_next_alternate(fair_with: OpenFair) -> None:
    """After the deadline the following rank has the share, with a deadline of its own; the proof still holds."""
    fair = await fair_with({"prize": {**FIXED, "shares": 1}}, people=_names(3))
    visitors = await _entered(fair, _names(3))
    await fair.until(FRIDAY)
    [first] = await fair.live()
    await fair.until(FRIDAY + 3 * DAY + HOUR)
    [second] = await fair.live()
    assert second != first
    row = await fair.draw()
    assert [(each["gone"], each["to"], each["because"]) for each in row.redraws] == [(1, 2, "过期没领")]
    assert await fair.claim(visitors[first]) == TOO_LATE
    await fair.authorises(visitors[second], "mp-2")
    assert await fair.claim(visitors[second]) == ""
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))
    assert (await fair.month()).held == 500


async def test_who_cannot_be_paid_makes_room_for_the_next(fair_with: OpenFair) -> None:
    """A payout that failed for certain takes the next alternate, whether the money is still held or went back."""
    fair = await fair_with({"prize": {**FIXED, "shares": 1}}, people=_names(3))
    visitors = await _entered(fair, _names(3))
    await fair.until(FRIDAY)
    for turn in range(2):
        [who] = await fair.live()
        await fair.authorises(visitors[who], f"mp-{who}")
        assert await fair.claim(visitors[who]) == ""
        async with fair.db.write() as tx:
            payout = (await payout_rows.of_draw(tx, 1))[-1]
            payout.state, payout.due_at = ("failed", "refunded")[turn], None
            if turn:  # it had arrived, lay there for a day and came back
                await ledger.settle(tx, "draw:1", 500, key="s", why="", now=fair.now)
                await ledger.unsettle(tx, "draw:1", 500, key="u", why="", now=fair.now)
                await ledger.release(tx, "draw:1", 500, key="r", why="", now=fair.now)
            winner_id = payout.winner_id or 0
        await fair.unpayable(winner_id)
        await fair.unpayable(winner_id)
    states = sorted((each.rank, each.state) for each in await fair.winners())
    assert states == [(1, "dropped"), (2, "dropped"), (3, "won")]
    assert (await fair.month()).held == 500


async def test_a_stranger_shows_who_they_are_at_the_claim(fair_with: OpenFair) -> None:
    """A winner whom no roster knows claims once staff have added them; if they are no member, the next one wins."""
    fair = await fair_with({"prize": {**FIXED, "shares": 2}}, people=_names(2))
    await fair.until(FRIDAY - HOUR)
    strangers = [await fair.visitor(phone=f"phone-{number}") for number in range(2)]
    assert [await fair.enter(each) for each in strangers] == ["", ""]
    await fair.until(FRIDAY)
    assert [await fair.claim(each) for each in strangers] == [NEEDS_NAME, NEEDS_NAME]
    assert await fair.visitor("wm1", phone="phone-0") == strangers[0]
    await fair.authorises(strangers[0], "mp-0")
    assert await fair.claim(strangers[0]) == ""
    await fair.visitor("wmElsewhere", phone="phone-1")
    assert "不在活动的群里" in await fair.claim(strangers[1])
    assert await fair.live() == ["wm1"]
    assert (await fair.month()).held == 500


async def test_a_coupon_is_a_code_on_the_page(fair_with: OpenFair) -> None:
    """到店核销: the winner gets a code; no money is held for it."""
    coupon = {"type": "券", "what": "茶样", "value": "10元"}
    fair = await fair_with({"prize": coupon, "pay_by": "券"}, people=_names(1))
    visitors = await _entered(fair, _names(1))
    await fair.until(FRIDAY)
    assert await fair.claim(visitors["wm0"]) == ""
    async with fair.db.read() as tx:
        [payout] = await payout_rows.of_draw(tx, 1)
        assert payout.code
        assert payout.what == "茶样"
    assert await fair.month() == ledger.Month(0, 0, 0, 0)


# --- other ways -------------------------------------------------------------------------------------------------------


async def test_the_owner_sends_it_in_the_group(fair_with: OpenFair) -> None:
    """`群主`: one order for each group at the time of the draw, the money of all of them held; no list, no winners."""
    lucky = {"type": "拼手气", "total": "200元", "shares": 40}
    fair = await fair_with({"prize": lucky, "pay_by": "群主", "contact": ""}, groups=3)
    await fair.calendar()
    assert (await fair.month()).held == 60_000
    assert await fair.enter(await fair.visitor("wm1")) == NO_ENTRY
    await fair.until(FRIDAY + timedelta(minutes=1))
    async with fair.db.read() as tx:
        orders = await payout_rows.of_draw(tx, 1)
    assert [(each.way, each.chat_id, each.what, each.amount) for each in orders] == [
        ("owner", f"wr{number}", "200元 / 40 个拼手气红包", 20_000) for number in range(3)
    ]
    async with fair.db.write() as tx:
        for each in await payout_rows.of_draw(tx, 1):
            each.state, each.due_at = "received", None
            await ledger.settle(tx, "draw:1", each.amount, key=each.number, why="", now=fair.now)
    await fair.until(FRIDAY + 3 * HOUR)
    assert (await fair.draw()).state == "closed"
    assert (await fair.month()).paid == 60_000


async def test_a_grab_is_over_when_everything_is_taken(fair_with: OpenFair) -> None:
    """First come, first served, one each; then it is drawn at once, and proves what every share was worth."""
    lucky = {"type": "拼手气", "total": "20元", "shares": 3}
    fair = await fair_with({"prize": lucky, "enter": "抢"}, people=_names(5))
    await fair.until(FRIDAY - HOUR)
    visitors = [await fair.visitor(who) for who in _names(5)]
    assert await fair.enter(visitors[0]) == NOT_YET
    await fair.until(FRIDAY)
    answers = [await fair.enter(each) for each in (visitors[0], *visitors)]
    assert answers == ["", "", "", "", GONE, GONE]
    await fair.until(FRIDAY + timedelta(seconds=5))
    row = await fair.draw()
    assert (row.state, row.entrants) == ("drawn", 3)
    winners = await fair.winners()
    assert [each.person for each in winners] == ["wm0", "wm1", "wm2"]
    assert sum(each.amount for each in winners) == 2_000
    assert all(each.ok for each in verify((await fair.proof()).model_dump()))


async def test_a_grab_that_nobody_finishes_ends_in_time(fair_with: OpenFair) -> None:
    """After an hour what nobody took goes back."""
    fair = await fair_with({"prize": {**FIXED, "shares": 3}, "enter": "抢"}, people=_names(1))
    await fair.until(FRIDAY)
    assert await fair.enter(await fair.visitor("wm0")) == ""
    await fair.until(FRIDAY + 2 * HOUR)
    assert (await fair.draw()).state == "drawn"
    assert await fair.month() == ledger.Month(budget=500_000, free=499_500, held=500, paid=0)


# --- news -------------------------------------------------------------------------------------------------------------


async def test_groups_and_managers_are_told(fair_with: OpenFair) -> None:
    """Two sends to each owner's groups: it has begun, and who has won, with masked names."""
    fair = await fair_with(people=_names(3), groups=2)
    await _entered(fair, _names(3))
    await fair.until(FRIDAY)
    async with fair.db.read() as tx:
        sent = await send_rows.about(tx, "draw:1")
    assert [(each.via, each.targets) for each in sent] == [("task", ["wr0", "wr1"])] * 2
    assert sent[0].attachments[0]["url"] == "https://c.example.com/d/friday"
    assert "开始报名" in sent[0].text
    assert "恭喜 名*、名*、名*" in sent[1].text


async def test_announce_no_sends_nothing(fair_with: OpenFair) -> None:
    """`announce: 否` leaves groups alone."""
    fair = await fair_with({"announce": "否"}, people=_names(3))
    await fair.until(FRIDAY)
    async with fair.db.read() as tx:
        assert await send_rows.about(tx, "draw:1") == []


async def test_the_page_shows_the_draw_that_matters(fair_with: OpenFair) -> None:
    """The one that is open; before it opens, and after, the latest result for as long as it can be claimed."""
    fair = await fair_with({"when": "每周五 20:00", "announce_before": "6天"}, people=_names(3))
    await fair.until(FRIDAY - HOUR)

    async def shown() -> str:
        async with fair.db.read() as tx:
            row = await draw_rows.shown(tx, "friday", now=fair.now)
            return f"{row.key[7:17]} {row.state}" if row else ""

    assert await shown() == "2026-11-27 open"
    visitor = await fair.visitor("wm0")
    await fair.enter(visitor)
    await fair.until(FRIDAY + 2 * DAY)
    assert await shown() == "2026-11-27 drawn"
    await fair.until(FRIDAY + 6 * DAY + HOUR)
    assert await shown() == "2026-12-04 open"
