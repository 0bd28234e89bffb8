"""A month at the doors of a shop, lived by dice: who scans what, and what owners and staff do to groups meanwhile.

What each person was shown is held against the truth at that very moment, which nobody but the simulator knows.
"""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from simulator import Customer, Faults, ImpossibleError
from simulator.codes import JoinWay, code_in
from simulator.groups import Group
from simulator.joins import SCAN_LIMIT
from simulator.webview import Seen
from tests.life.conftest import Life
from tests.life.doors import DAYS, HOURS, MINUTES, SECONDS, Doors

OPEN, CLOSED = 9, 22  # hours in Beijing
OWNERS = ("wangwu", "zhaoliu", "sunqi")
PAGES = {
    "正在准备": "preparing",
    "您已经在群里了": "inside",
    "正在为您排队": "waiting",
    "群暂时都满了": "full",
    "请进群": "code",
    "您的专属群准备好了": "code",
    "微信暂时没有回应": "try again",
}


def month_faults() -> Faults:
    """What goes wrong all the time, a little."""
    return Faults(lost=0.03, doubled=0.05, late=0.05, platform_busy=0.02, cut_after_effect=0.01, code_answer_lost=0.05)


@dataclass(frozen=True)
class Dead:
    """A code that let nobody in when it was shown. `why`: confirms, dismissed, full, deleted."""

    why: str
    chat_id: str
    person: str
    at: datetime
    since: timedelta | None


@dataclass
class Month:
    """`shown`: what pages showed, by kind; `ended`: what became of those who pressed a code."""

    life: Life
    dice: Random
    a_day: int
    shown: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    dead: list[Dead] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    people: list[Customer] = field(default_factory=list)
    _doors: Doors | None = None
    _seen_by: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _dismissed: dict[str, datetime] = field(default_factory=dict)
    _cards: int = 0
    _born: int = 0

    @property
    def doors(self) -> Doors:
        assert self._doors is not None
        return self._doors

    async def begin(self, *, vip: int, spare: int, members: int) -> None:
        """The groups there are on the first day."""
        self._doors = Doors(self.life)
        for userid, name in (("zhaoliu", "赵六"), ("sunqi", "孙七")):
            self.life.world.add_staff(userid, name)
        for kind, number in (("VIP·", vip), ("备用·", spare), ("会员", members)):
            for _ in range(number):
                self._create(kind)
        await self.life.bot.read_roster("start")
        await self.life.run(10 * MINUTES)

    async def live(self, days: int) -> None:
        """Day after day: scans while the shop is open, and whatever else people do."""
        for _ in range(days):
            morning = self.life.clock.now()
            moments = sorted(self.dice.uniform(0, (CLOSED - OPEN) * 3600) for _ in range(self.a_day))
            for moment in moments:
                await self._pass(morning + moment * SECONDS - self.life.clock.now())
                await self._one_scan()
                if self.dice.random() < 0.25:
                    self._something_else()
                self._staff_answer()
            await self._pass(morning + (CLOSED - OPEN) * HOURS - self.life.clock.now())
            await self.life.stride(morning + 1 * DAYS - self.life.clock.now(), stops=3)

    async def _pass(self, span: timedelta) -> None:
        """Moment by moment while something is going on, and the rest of a long while in one stride."""
        if span > 10 * MINUTES:
            await self.life.run(5 * MINUTES)
            await self.life.stride(span - 5 * MINUTES, stops=1)
        else:
            await self.life.run(max(span, timedelta(0)))

    # --- customers ----------------------------------------------------------------------------------------------------

    async def _one_scan(self) -> None:
        world = self.life.world
        if self.people and self.dice.random() < 0.3:
            person = self.dice.choice(self.people)
        else:
            person = world.add_customer(f"客户{len(self.people)}")
            self.people.append(person)
        path = self.dice.choice(("/e/vip-tea", "/e/vip-tea?from=shop-12", "/e/vip-tea", "/e/members-door"))
        kind = "try again"
        for _ in range(5):
            seen = await self.doors.scans(person, path)
            kind = next((kind for words, kind in PAGES.items() if words in seen.text), "nothing")
            self.shown[kind] += 1
            if kind != "try again":
                break
            await self.life.run(10 * SECONDS)
        if kind in ("nothing", "try again") or seen.status != 200:
            self.wrong.append(f"{person.name} saw {seen.status} {seen.text[:60]}")
        if kind == "inside" and not self._is_inside(person):
            self.wrong.append(f"{person.name} is told to be inside, and is not")
        if kind == "code":
            self._look_at_code(person, seen)
            if (when := self.dice.choice((0.0, 0.0, 0.0, 0.1, 5.0, 20.0, None))) is not None:
                await self.life.run(0.01 * HOURS if when == 0.0 else 1 * MINUTES)
                world.at(self.life.clock.now() + when * HOURS, lambda: self._press(person, seen.codes[0]))

    def _is_inside(self, person: Customer) -> bool:
        return any(person.id in each.members for each in self.life.world.groups.values())

    def _look_at_code(self, person: Customer, seen: Seen) -> None:
        """Is it alive now? Was it ever shown to somebody else?"""
        code = code_in(seen.codes[0])
        way, now = self.life.world.codes.find(code), self.life.clock.now()
        if not isinstance(way, JoinWay):
            self.dead.append(Dead("deleted", "", person.id, now, None))
            return
        groups = [self.life.world.groups[each] for each in way.chat_ids]
        group = groups[0]
        if not group.name.startswith("会员"):
            self._seen_by[code].add(person.id)
            if len(self._seen_by[code]) > 1:
                self.wrong.append(f"the code of {group.name} was shown to {len(self._seen_by[code])} people")
            # Who copied a code may be inside and stay there a while: the seat stays whose it is.
            customers = {each.id for each in self.people} - {person.id}
            if any(each.state and each.id in customers for each in group.members.values()):
                self.wrong.append(f"{person.name} is sent into {group.name}, which another customer has")
        why = "dismissed" if group.dismissed else "confirms" if group.confirms else ""
        why = why or ("full" if len(group.members) >= SCAN_LIMIT else "")
        if why:
            gone = self._dismissed.get(group.chat_id)
            self.dead.append(Dead(why, group.chat_id, person.id, now, now - gone if gone else None))

    def _press(self, person: Customer, code: str) -> None:
        try:
            scanned = self.life.world.scan(person, code)
        except ImpossibleError as no:
            self.ended[f"not in: {no}"] += 1
            return
        self.ended["asked the owner" if scanned.asked else "in"] += 1
        group = scanned.group
        if group is not None and not scanned.asked and not group.name.startswith("会员"):
            self._door_is_shut(group)

    def _door_is_shut(self, group: Group) -> None:
        """The owner does what the bot asks for: 群聊邀请确认 on, some hours later, or never."""
        if self.dice.random() < 0.6:
            self.life.world.at(
                self.life.clock.now() + self.dice.uniform(0.5, 12) * HOURS, lambda: setattr(group, "confirms", True)
            )
            self.deeds["door shut"] += 1

    # --- staff --------------------------------------------------------------------------------------------------------

    def _create(self, kind: str, *, internal: bool = False) -> Group:
        self._born += 1
        owner = self.dice.choice([each for each in OWNERS if not self.life.world.staff[each].left])
        return self.life.world.create_group(f"{kind}{self._born:03}", owner, internal=internal)

    def _staff_answer(self) -> None:
        """Whoever gets a card about the stock makes groups, hours later; once in a while of the wrong sort."""
        world = self.life.world
        asked = [each for each in world.sent if each.kind == "card" and "创建一个客户群" in each.text]
        for _ in asked[self._cards :]:
            self.deeds["stock card"] += 1
            after = self.dice.choice((0.3, 2.0, 9.0, 26.0)) * HOURS
            world.at(world.clock.now() + after, lambda: self._make_groups(self.dice.randint(6, 20)))
        self._cards = len(asked)

    def _make_groups(self, number: int) -> None:
        for _ in range(number):
            self._create("VIP·", internal=self.dice.random() < 0.1)
        self.deeds["groups made"] += number

    def _something_else(self) -> None:
        kinds = (
            (self._dismiss, 3),
            (self._staff_make_groups_unasked, 4),
            (self._an_owner_leaves, 1),
            (self._confirm_by_mistake, 2),
            (self._somebody_leaves, 4),
            (self._a_member_invites, 3),
            (self._a_copied_code, 3),
        )
        deeds, weights = zip(*kinds, strict=True)
        deed = self.dice.choices(deeds, weights)[0]
        with suppress(ImpossibleError, IndexError):
            deed()
            self.deeds[deed.__name__.strip("_").replace("_", " ")] += 1

    def _alive(self, prefix: str = "") -> list[Group]:
        found = self.life.world.groups.values()
        return [each for each in found if not each.dismissed and not each.internal and each.name.startswith(prefix)]

    def _dismiss(self) -> None:
        group = self.dice.choice(self._alive(self.dice.choice(("VIP", "备用"))))
        self._dismissed[group.chat_id] = self.life.clock.now()
        self.life.world.dismiss(group)

    def _staff_make_groups_unasked(self) -> None:
        self._make_groups(self.dice.randint(2, 8))

    def _an_owner_leaves(self) -> None:
        there = [each for each in OWNERS if not self.life.world.staff[each].left]
        if len(there) < 2:
            raise ImpossibleError("somebody has to stay")
        self.life.world.staff[self.dice.choice(there)].left = True

    def _confirm_by_mistake(self) -> None:
        self.dice.choice(self._alive("VIP")).confirms = True

    def _somebody_leaves(self) -> None:
        group = self.dice.choice([each for each in self._alive() if len(each.members) > 1])
        person = self.dice.choice([each.id for each in group.members.values() if each.type == 2])
        self.life.world.leave(group, person)

    def _a_member_invites(self) -> None:
        group = self.dice.choice([each for each in self._alive() if len(each.members) > 1])
        person = self.dice.choice([each.id for each in group.members.values() if each.type == 2])
        self.life.world.join(group, self.life.world.add_customer("朋友"), invitor=person)

    def _a_copied_code(self) -> None:
        way = self.dice.choice(list(self.life.world.codes.join_ways.values()))
        self.life.world.scan(self.life.world.add_customer("陌生人"), way.code)
