"""An owner gets at most the stated number of messages a day, whatever the config and whatever happens."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from rules.book import Book
from rules.clock import BEIJING
from simulator import Archive, Customer, Faults, ImpossibleError, VirtualClock, World
from simulator.habits import HabitName
from tests.life.conftest import INGEST_SECRET, Life, living

OWNERS = ("wangwu", "zhaoliu", "sunqi")
# A press may be answered, which is not counted; so these never press, or only what needs no answer.
SILENT: tuple[HabitName, ...] = ("ignores", "removes_without_pressing", "says_later", "says_mistake")
STEPS = ("提醒", "移出", "拉黑", "仅观察")
RULES: tuple[dict[str, Any], ...] = (
    {"rule": "other_company"},
    {"rule": "blocklist"},
    {"rule": "one_group_each"},
    {"rule": "group_hopper", "groups_joined": 2},
    {"rule": "quick_leaver", "groups_left": 1},
    {"rule": "invite_guard", "tell_after": 1, "cool_down": "0秒"},
    {"rule": "nickname", "words": "代购"},
    {"rule": "group_integrity", "needs": "李华", "most_staff": 1},
    {"rule": "keywords", "words": "加微", "cool_down": "0秒"},
    {"rule": "flood", "messages": 1, "cool_down": "0秒"},
    {"rule": "advert_and_leave"},
)


def a_book(dice: Random) -> Book:
    """Some of the rules, in their order, with random steps and limits; and few messages a day."""
    rules = []
    for rule in RULES:
        if dice.random() < 0.6:
            steps = ("提醒", "仅观察") if rule["rule"] == "group_integrity" else STEPS
            more = {"most_a_day": dice.choice((1, 3, 50))} if dice.random() < 0.5 else {}
            rules.append({**rule, **more, "then": [dice.choice(steps) for _ in range(dice.randint(1, 3))]})
    removal = {
        "most_cards_a_day": dice.choice((1, 2, 3, 5, 8)),
        "wait_for_others": dice.choice(("0秒", "3秒")),
        "next_card_after": dice.choice(("0秒", "1分钟")),
        "remind_after": dice.choice(("1分钟", "10分钟")),
        "escalate_after": "20分钟",
        "todo_at": f"{dice.randrange(24):02}:30",
        "without_cards": dice.choice(([], ["赵六"])),
    }
    shop: dict[str, Any] = {"groups": "*", "deputies": ["孙七"]}
    if dice.random() < 0.3:
        shop["off_duty"] = "22:00-09:00"
    return Book.model_validate({"managers": ["李华"], "rules": rules, "removal": removal, "shops": {"店": shop}})


class Street:
    """A few groups, many people, and dice."""

    def __init__(self, life: Life, dice: Random) -> None:
        self.life, self.world, self.dice = life, life.world, dice
        self.world.add_staff("lihua", "李华")
        for userid, name in zip(OWNERS, ("王五", "赵六", "孙七"), strict=True):
            self.world.add_staff(userid, name).does(dice.choice(SILENT), after=timedelta(seconds=40))
        for n in range(6):
            owner = dice.choice(OWNERS)
            admins = [each for each in OWNERS if each != owner and dice.random() < 0.3]
            self.world.create_group(f"会员{n}群", owner, admins)
        self.people: list[Customer] = []
        for n in range(40):
            name = dice.choice(("代购", "顾客")) + str(n)
            rival = dice.random() < 0.5
            self.people.append(self.world.add_rival(name, "对手公司") if rival else self.world.add_customer(name))

    def something_happens(self) -> None:
        group, who = self.dice.choice(list(self.world.groups.values())), self.dice.choice(self.people)
        deeds: tuple[tuple[Callable[[], object], int], ...] = (
            (lambda: self.world.join(group, who, invitor=self.dice.choice((None, group.owner))), 12),
            (lambda: self.world.says(who, group, self.dice.choice(("加微领券", "早上好"))), 8),
            (lambda: self.world.leave(group, who), 3),
            (lambda: self.world.remove(group, who, by=group.owner), 2),
            (lambda: self.world.change_owner(group, self.dice.choice([*group.removers])), 1),
            (lambda: self.world.rename(group, f"会员{self.dice.randrange(99)}群"), 1),
        )
        with suppress(ImpossibleError):
            self.dice.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]()


@pytest.mark.parametrize("run", range(2))
async def test_nobody_gets_more_than_stated(sqlite_url: str, seed: int, run: int) -> None:
    """In a random shop with random rules no owner gets more messages on a Beijing day than `most_cards_a_day`, the
    lists included; and the last one that they may get is the list.
    """
    await live(sqlite_url, seed + run, deeds=60)


@pytest.mark.soak
@pytest.mark.parametrize("run", range(40))
async def test_nobody_ever_does(sqlite_url: str, seed: int, run: int) -> None:
    """The same in many shops, and for longer."""
    await live(sqlite_url, seed + 1000 + run, deeds=300)


async def live(database_url: str, seed: int, deeds: int) -> None:
    dice = Random(seed)
    book, most_faults = a_book(dice), dice.choice((Faults(), Faults(lost=0.2, doubled=0.2)))
    clock = VirtualClock(datetime(2026, 11, 23, dice.randrange(24), 0, tzinfo=UTC))
    world = World(clock=clock, seed=seed, faults=most_faults)
    async with living(world, clock, book, database_url) as life:
        street = Street(life, dice)
        Archive(world, INGEST_SECRET).deliver_to("http://bot/ingest/messages", life.browser)
        await life.bot.read_roster("start")
        for _ in range(deeds):
            street.something_happens()
            await life.run(timedelta(seconds=dice.choice((0, 1, 20, 90))))
        clock.advance(timedelta(hours=dice.choice((1, 12))))
        await life.run(timedelta(minutes=2))
        for _ in range(deeds // 2):
            street.something_happens()
            await life.run(timedelta(seconds=dice.choice((0, 20))))
        await life.run(timedelta(minutes=30))
    days = Counter((each.userid, each.at.astimezone(BEIJING).date()) for each in world.sent)
    most = book.removal.most_cards_a_day
    too_many = {day: count for day, count in days.items() if day[0] in OWNERS and count > most}
    assert not too_many, f"seed {seed}: at most {most}"
    for day in (day for day, count in days.items() if day[0] in OWNERS and count == most):
        theirs = [each for each in world.sent if (each.userid, each.at.astimezone(BEIJING).date()) == day]
        assert "今日待办" in theirs[-1].text, f"seed {seed}: {day}"
