"""A community that lives by dice: people come and go, groups change hands, things go wrong. The seed decides all of it.

`truth` is kept from the world's own story: who was in which group from when to when.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from simulator import Customer, Faults, ImpossibleError, Staff, World
from simulator.groups import Group
from simulator.habits import HabitName
from tests.life.conftest import Life

SECOND = timedelta(seconds=1)
SETTLING = timedelta(minutes=2)  # what a read may at most lag behind for the bot to keep its promises

HABITS: tuple[tuple[HabitName, ...], ...] = (
    ("removes_and_presses",),
    ("removes_without_pressing",),
    ("presses_without_removing", "removes_and_presses"),
    ("says_later", "removes_and_presses"),
    ("says_mistake",),
    ("ignores",),
)
WAITS = (0.0, 0.3, 0.9, 1.5, 2.5, 4.0, 8.0, 30.0, 150.0)  # seconds, from the same moment to a quiet while
IN_A_HURRY = WAITS[:6]

FAULTS = {  # how often each strikes at most, where it is on
    "lost": 0.6,
    "doubled": 0.5,
    "reordered": 0.6,
    "late": 0.5,
    "answer_lost": 0.3,
    "platform_busy": 0.15,
    "error_5xx": 0.15,
    "error_5xx_after_effect": 0.15,
    "cut": 0.15,
    "cut_after_effect": 0.15,
    "slow": 0.1,
    "lagging_reads": 1.0,
    "flickering_reads": 0.7,
}


def some_faults(dice: Random) -> Faults:
    """A few kinds of faults, often: where all of them are rare, no two of them ever meet."""
    chosen = {*dice.sample(sorted(FAULTS), k=dice.randint(1, 5))}
    if dice.random() < 0.5:
        chosen |= {"lost", "lagging_reads", "flickering_reads"}
    rates = {kind: FAULTS[kind] * dice.uniform(0.4, 1.0) for kind in sorted(chosen)}
    by = {"reorder_by": dice.choice((1, 3, 30)) * SECOND, "late_by": dice.choice((10, 60, 250)) * SECOND}
    return Faults(**rates, **by)  # type: ignore[arg-type]  # rates and spans, told apart by their names


@dataclass
class Stay:
    """Somebody's time in a group; `left` is None while it lasts."""

    came: datetime
    left: datetime | None = None


@dataclass
class Community:
    """One shop's staff, customers, rivals and groups, and the dice that move them."""

    life: Life
    dice: Random
    staff: list[Staff] = field(default_factory=list)
    people: list[Customer] = field(default_factory=list)
    waits: tuple[float, ...] = WAITS
    truth: dict[tuple[str, str], list[Stay]] = field(default_factory=lambda: defaultdict(list))
    _told: int = 0
    _born: int = 0

    @property
    def world(self) -> World:
        return self.life.world

    def begin(self) -> None:
        """The day the bot arrives: staff, people, and a few groups that some of them are in."""
        self.waits = self.dice.choice((WAITS, IN_A_HURRY))
        self.world.read_lag = self.dice.choice((1, 5, 30, 90)) * SECOND
        self.world.add_staff("lihua", "李华")
        for userid, name in (("wangwu", "王五"), ("zhaoliu", "赵六"), ("sunqi", "孙七")):
            who = self.world.add_staff(userid, name)
            after, spread = self.dice.choice((3, 40, 300)) * SECOND, self.dice.choice((0, 30)) * SECOND
            who.does(*self.dice.choice(HABITS), after=after, spread=spread)
            self.staff.append(who)
        for name in ("林小满",):
            self.people.append(self.world.add_customer(name))
        for name in ("钱八", "冯九", "卫十", "蒋一", "沈二", "韩三"):
            rival = self.world.add_rival(name, "对手公司")
            if self.dice.random() < 0.4:
                rival.comes_back(self.dice.choice((1, 30, 300)) * SECOND, times=2)
            self.people.append(rival)
        for _ in range(self.dice.choice((1, 1, 2, 3))):
            self.found_a_group()

    async def live(self, deeds: int) -> None:
        """So many things happen, some at once and some after a while."""
        kinds, weights = zip(*self._kinds(), strict=True)
        for _ in range(deeds):
            with suppress(ImpossibleError):
                self.dice.choices(kinds, weights)[0]()
            await self.life.run(self.dice.choice(self.waits) * SECOND)

    def _kinds(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self.somebody_joins, 30),
            (self.several_join, 8),
            (self.somebody_leaves, 14),
            (self.somebody_is_removed, 6),
            (self.somebody_goes_and_comes_back, 10),
            (self.a_colleague_comes_or_goes, 4),
            (self.a_group_is_renamed, 12),
            (self.a_group_changes_hands, 5),
            (self.admins_change, 4),
            (self.an_owner_is_hidden_or_shown, 3),
            (self.a_group_is_dismissed, 2),
            (self.found_a_group, 3),
            (self.the_token_ends, 1),
        ]

    # --- deeds: what is not possible just now (ImpossibleError) does not happen --------------------------------------

    def found_a_group(self) -> None:
        self._born += 1
        owner, *others = self.dice.sample(self.staff, k=len(self.staff))
        first = self.dice.sample(self.people, k=self.dice.randint(0, 3))
        group = self.world.create_group(
            f"{self.dice.choice(('会员', '静安'))}{self._born}群",
            owner.userid,
            [each.userid for each in others[: self.dice.randint(0, 2)]],
            members=first,
        )
        for each in first:
            self.truth[group.chat_id, each.id].append(Stay(group.created_at))

    def somebody_joins(self) -> None:
        invitor = self.dice.choice((None, None, self.dice.choice(self.staff)))
        self.world.join(self._group(), self.dice.choice(self.people), invitor=invitor)

    def several_join(self) -> None:
        group = self._group()
        outside = [each for each in self.people if each.id not in group.members]
        if len(outside) > 1:
            self.world.join_together(group, self.dice.sample(outside, k=2))

    def somebody_leaves(self) -> None:
        group = self._group()
        self.world.leave(group, self._inside(group))

    def somebody_is_removed(self) -> None:
        group = self._group()
        self.world.remove(group, self._inside(group), by=self.dice.choice(group.removers))

    def somebody_goes_and_comes_back(self) -> None:
        group = self._group()
        who = self._inside(group)
        self.world.leave(group, who)
        after = self.dice.choice((0, 1, 4, 30)) * SECOND

        def come_back() -> None:
            with suppress(ImpossibleError):
                self.world.join(group, who)

        self.world.at(self.life.clock.now() + after, come_back)

    def a_colleague_comes_or_goes(self) -> None:
        group, who = self._group(), self.dice.choice(self.staff)
        if who.userid not in group.members:
            self.world.join(group, who, invitor=group.owner)
        elif who.userid != group.owner:
            self.world.leave(group, who)

    def a_group_is_renamed(self) -> None:
        self._born += 1
        self.world.rename(self._group(), f"新名{self._born}群")

    def a_group_changes_hands(self) -> None:
        self.world.change_owner(self._group(), self.dice.choice(self.staff).userid, by_api=self.dice.random() < 0.5)

    def admins_change(self) -> None:
        group = self._group()
        inside = [each.userid for each in self.staff if each.userid in group.members and each.userid != group.owner]
        self.world.set_admins(group, self.dice.sample(inside, k=self.dice.randint(0, len(inside))))

    def an_owner_is_hidden_or_shown(self) -> None:
        who = self.dice.choice(self.staff)
        who.visible = not who.visible

    def a_group_is_dismissed(self) -> None:
        if len(self._groups()) > 1:
            self.world.dismiss(self._group())

    def the_token_ends(self) -> None:
        self.world.invalidate_token()

    def _groups(self) -> list[Group]:
        return [each for each in self.world.groups.values() if not each.dismissed]

    def _group(self) -> Group:
        return self.dice.choice(self._groups())

    def _inside(self, group: Group) -> Customer:
        inside = [each for each in self.people if each.id in group.members]
        if not inside:
            raise ImpossibleError("nobody is there")
        return self.dice.choice(inside)

    # --- the truth ----------------------------------------------------------------------------------------------------

    def stays(self) -> dict[tuple[str, str], list[Stay]]:
        """(chat_id, external_userid) → that person's stays in that group, oldest first."""
        for told in self.world.on_story[self._told :]:
            chat_id, person = told.data.get("chat_id"), told.data.get("person")
            if chat_id and person and "进入群" in told.text_zh:
                self.truth[chat_id, person].append(Stay(told.at))
            elif chat_id and person and re.search("退出了群|移出了群", told.text_zh):
                self._end(self.truth[chat_id, person], told.at)
            elif chat_id and "解散了群" in told.text_zh:
                for (where, _), stays in self.truth.items():
                    if where == chat_id:
                        self._end(stays, told.at)
        self._told = len(self.world.on_story)
        return self.truth

    def _end(self, stays: list[Stay], at: datetime) -> None:
        if stays and stays[-1].left is None:
            stays[-1].left = at
