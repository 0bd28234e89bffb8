"""A shop's calendar over weeks: owners who forget, a bot that is away, a platform that loses answers. Seeded.

At the end every group of every fire that the calendar had is looked for: in the report, and in the world.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx2
import pytest

from bot.step import settle
from handlers import by_hand
from handlers.calendar import post_group
from rules.book import Book
from rules.clock import BEIJING
from rules.events import SendSaid
from rules.post_plan import plan
from scheduler import posts as posts_sweep
from simulator.groups import Group
from store import queue, roster, sends
from store.inbox import Inbox
from store.outbox import Outbox
from store.post_fates import PostFate, fates
from tests.life.conftest import Life, StartLife
from tests.life.shop import HOURS, MINUTES

DAYS = timedelta(days=1)
# 06:00 in Beijing; days in `make test`; days in `make soak`
NATIONAL_DAY = (datetime(2026, 9, 28, 22, 0, tzinfo=UTC), 4, 13 * 7)  # a Tuesday; off from Thursday on
SPRING_FESTIVAL = (datetime(2026, 2, 12, 22, 0, tzinfo=UTC), 3, 4 * 7)  # a Friday; Saturday is worked, Sunday is off

CALENDAR: dict[str, Any] = {
    "managers": ["李华"],
    "groups": {"members": "会员*", "newcomers": "新人*"},
    "shops": {"静安店": {"groups": "*", "off_duty": "22:30-08:00"}},
    "posting": {"quiet_hours": "22:30-08:00"},
    "posts": [
        {"name": "早报", "to": "members", "when": "每天 08:30", "text": "【早报】{{日期}}", "late_at_most": "3小时"},
        {
            "name": "午间",
            "to": "members",
            "when": "每个工作日 12:00",
            "text": "【午间】{{日期}}",
            "priority": "low",
            "if_no_sends": ["merge", "drop"],
        },
        {
            "name": "周三分享",
            "to": "all",
            "when": "每周三 20:00",
            "text": "【分享】{{群名}} {{日期}}",
            "priority": "high",
            "ask_before": "10分钟",
        },
        {"name": "周六", "to": "all", "when": "每周六 10:00", "text": "【周六】{{日期}}", "holidays": "workday_after"},
        {"name": "手动", "to": "newcomers", "when": "每周五 18:00", "text": "【手动】{{日期}}", "via": "by_hand"},
        {"name": "例会", "to": "staff", "staff": ["李华"], "when": "每周一 09:00", "text": "【例会】{{日期}}"},
    ],
}


@dataclass
class Quarter:
    """A shop that lives by dice."""

    life: Life
    dice: Random
    groups: list[Group]
    begins: datetime
    away: list[tuple[datetime, datetime]] = field(default_factory=list)

    async def next_moment(self) -> datetime | None:
        """The next thing about posts, in the world or in the bot; the nightly reading of groups comes along."""
        async with self.life.bot.store.read() as tx:
            moments = [
                await posts_sweep.next_due(tx),
                await queue.next_due(tx, Inbox),
                await queue.next_due(tx, Outbox),
            ]
        return min((at for at in (*moments, self.life.world.next_due()) if at is not None), default=None)

    async def until(self, moment: datetime) -> None:
        """Let time pass with the bot there."""
        await self.life.settle()
        while (at := await self.next_moment()) is not None and at <= moment:
            self.life.clock.set(max(at, self.life.clock.now()))
            with contextlib.suppress(httpx2.TransportError):
                await self.life.settle()
        self.life.clock.set(moment)
        await self.life.settle()

    async def without_the_bot(self, moment: datetime) -> None:
        with self.life.unheard():
            while (due := self.life.world.next_due()) is not None and due <= moment:
                self.life.clock.set(max(due, self.life.clock.now()))
                await self.life.world.run_due()
        self.away.append((self.life.clock.now(), moment))
        self.life.clock.set(moment)

    async def press_by_hand(self) -> None:
        """Half of the owners send what they are to send by hand, and say so."""
        store, now = self.life.bot.store, self.life.clock.now()
        for userid in [each for each in self.life.world.staff if each.startswith("owner")][::2]:
            async with store.read() as tx:
                theirs = await sends.open_of(tx, userid)
            for row in theirs:
                event = SendSaid(at=now, userid=userid, send_id=row.id, chat_ids=tuple(row.targets))
                async with store.write() as tx:
                    await by_hand.handle(event, None, tx, self.life.bot.worker.rules.book, now)

    async def day(self, number: int) -> None:
        """One day: away now and then, with a bad network now and then, owners who do things of their own."""
        begins, faults = self.begins + number * DAYS, self.life.world.faults
        if self.dice.random() < 0.3:
            faults.cut_after_effect, faults.lagging_reads = 0.2, 0.5
            faults.error_5xx = faults.platform_busy = faults.dispatching = 0.05
        if self.dice.random() < 0.15:
            self.life.world.limits.of["externalcontact/add_msg_template"] = 3  # 45009 for the others of a minute
        if self.dice.random() < 0.2:
            owned = [each for each in self.groups if each.owner == "owner1"]
            self.life.world.group_messages.staff_sends("owner1", [each.chat_id for each in owned], f"own {number}")
        for hour in sorted(self.dice.sample(range(2, 16), k=self.dice.choice((0, 0, 1, 2)))):
            await self.until(max(begins + hour * HOURS, self.life.clock.now()))
            span = self.dice.choice((5 * MINUTES, 20 * MINUTES, 5 * HOURS))
            await self.without_the_bot(self.life.clock.now() + span)
        await self.until(max(begins + 13 * HOURS, self.life.clock.now()))
        await self.press_by_hand()
        faults.stop()
        self.life.world.limits.of.pop("externalcontact/add_msg_template", None)
        await self.until(max(begins + DAYS, self.life.clock.now()))


def people(life: Life, dice: Random, owners: int, groups: int) -> list[Group]:
    """Some confirm at once, some late, some when they are reminded, some never."""
    life.world.add_staff("lihua", "李华")
    made = []
    for number in range(1, owners + 1):
        staff = life.world.add_staff(f"owner{number}", f"群主{number}")
        match number % 6:
            case 1 | 5:
                staff.confirms(after=3 * MINUTES)
            case 2:
                staff.confirms(after=timedelta(0), spread=100 * MINUTES)
            case 3:
                staff.confirms(after=2 * MINUTES, rings=2)
            case 4:
                staff.never_confirms()
            case 0:
                staff.confirms(after=2 * MINUTES, rings=dice.choice((2, 3)))
        for each in range(groups // owners):
            kind = "新人" if each == 0 else "会员"
            made.append(life.world.create_group(f"{kind}{number}-{each}群", f"owner{number}"))
    return made


OpenQuarter = Callable[[datetime, int, int], contextlib.AbstractAsyncContextManager[Quarter]]


@pytest.fixture
def open_quarter(start_life: StartLife, seed: int) -> OpenQuarter:
    """`async with open_quarter(begins, owners, groups) as quarter`: a shop that the bot knows."""

    @contextlib.asynccontextmanager
    async def opened(begins: datetime, owners: int, groups: int) -> AsyncIterator[Quarter]:
        dice = Random(seed)
        async with start_life(Book.model_validate(CALENDAR), at=begins, seed=seed) as life:
            made = people(life, dice, owners, groups)
            await life.bot.read_roster("start")
            await life.run(timedelta(seconds=30))
            yield Quarter(life, dice, made, begins)

    return opened


@pytest.mark.parametrize(
    ("begins", "few", "many"), [NATIONAL_DAY, SPRING_FESTIVAL], ids=["national-day", "spring-festival"]
)
async def test_no_post_is_doubled_and_none_is_silently_missing(
    open_quarter: OpenQuarter,
    size: Callable[[int, int], int],
    begins: datetime,
    few: int,
    many: int,
) -> None:
    """Whatever owners, downtime and the platform do: each fire has one fate in each of its groups, told in the report
    and true in the world; the groups' caps and the limit of reminders are kept."""
    days = size(few, many)
    async with open_quarter(begins, size(4, 12), size(8, 60)) as quarter:
        for number in range(days):
            if days > 7 and number == days // 2:
                await quarter.without_the_bot(quarter.life.clock.now() + 3 * DAYS)
            elif quarter.life.clock.now() <= quarter.begins + number * DAYS:
                await quarter.day(number)
        ends = quarter.life.clock.now()
        await quarter.until(ends + 30 * HOURS)
        await settle(quarter.life.bot.worker)
        async with quarter.life.bot.store.read() as tx:
            told, everything = await fates(tx, begins, ends), await fates(tx, begins, ends + 9 * DAYS)
            known = [post_group(each) for each in await roster.groups(tx)]
        expected = plan(Book.model_validate(CALENDAR), known, begins, ends - timedelta(microseconds=1)).fires
        _every_one_is_accounted_for(told, {each.key: set(each.chat_ids) for each in expected})
        _as_in_the_world(quarter, everything)
        _limits_are_kept(quarter)
        _not_everything_went_wrong(told)


def _every_one_is_accounted_for(told: list[PostFate], expected: dict[str, set[str]]) -> None:
    by_key = {each.post.key: each for each in told}
    assert by_key.keys() == expected.keys()
    for key, chat_ids in expected.items():
        fate = by_key[key]
        assert fate.post.state in ("done", "skipped"), (key, fate.post.state)
        assert fate.post.why or fate.post.state == "done", key
        if fate.post.state == "done" and chat_ids:
            assert set(fate.groups) == chat_ids, key
            assert "waiting" not in {each.fate for each in fate.groups.values()}, key


def _as_in_the_world(quarter: Quarter, told: list[PostFate]) -> None:
    """What is told to have arrived has arrived, once, and nothing else has."""
    lines: Counter[tuple[str, str]] = Counter()
    for task in quarter.life.world.group_messages.tasks.values():
        for chat_id in task.arrived:
            lines.update((chat_id, line) for line in task.text.split("\n\n") if line.startswith("【"))
    assert [each for each, times in lines.items() if times > 1] == []
    arrived = {(each.chat_id, _line(fate, each.chat_id, quarter)) for fate in told for each in _arrived(fate, told)}
    assert arrived == set(lines)


def _arrived(fate: PostFate, told: list[PostFate]) -> list[Any]:
    """The groups that got it by a task, those among them where it was said together with another post."""
    return [each for each in fate.groups.values() if _final(fate, each.chat_id, told) == "arrived"]


def _final(fate: PostFate, chat_id: str, told: list[PostFate]) -> str:
    each = fate.groups[chat_id]
    if each.fate != "merged":
        return each.fate
    host = next(other for other in told if other.post.key == each.into_key)
    return _final(host, chat_id, told) if chat_id in host.groups else host.post.state


def _line(fate: PostFate, chat_id: str, quarter: Quarter) -> str:
    """What this post says in this group."""
    day = fate.post.say_at.astimezone(BEIJING)
    date = f"{day.month}月{day.day}日"
    name = next(each.name for each in quarter.groups if each.chat_id == chat_id)
    words = {"早报": "【早报】", "午间": "【午间】", "周三分享": f"【分享】{name} ", "周六": "【周六】"}
    return f"{words[fate.post.name]}{date}"


def _limits_are_kept(quarter: Quarter) -> None:
    calls = quarter.life.world.calls
    assert calls["externalcontact/remind_groupmsg_send", 45009] == 0
    for task in quarter.life.world.group_messages.tasks.values():
        for at in task.reminded:
            assert sum(at <= each < at + DAYS for each in task.reminded) <= 3
    for chat_id, got in quarter.life.world.group_messages.got.items():
        months = Counter((at + 8 * HOURS).strftime("%Y-%m") for at in got)
        assert max(months.values()) <= 31, chat_id


def _not_everything_went_wrong(told: list[PostFate]) -> None:
    """A test that would pass with nothing ever sent tests nothing."""
    counted = Counter(each.fate for fate in told for each in fate.groups.values())
    states = Counter(each.post.state for each in told)
    print(dict(counted), dict(states))  # noqa: T201 (shown on failure)
    assert counted["arrived"] > sum(counted.values()) / 4
    assert counted["unconfirmed"] > 0
