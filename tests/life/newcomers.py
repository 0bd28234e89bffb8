"""Newcomers by dice: they join, are added by staff or not, check in or forget, graduate, and go on to a member group.

Every day has the same stops; between them time passes at a stride. People press in batches: many in one transaction.
"""

from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from sqlmodel import col, select

from handlers import entrance as doors
from handlers import identity
from rules.checkin_days import date_of
from rules.clock import BEIJING
from rules.events import EntranceScanned
from rules.identity import Proof
from simulator import Customer, ImpossibleError
from simulator.codes import code_in
from simulator.groups import Group
from store.checkins import JourneyRow
from store.leading import GraduationRow
from tests.life.course import DAY, NAME, Course

ROOM = 150
"""People in a newcomers' group before the next one is made."""

AT_ONCE = 100
SENDING = timedelta(minutes=16)
"""How long it takes from a graduation until staff have pressed: lived through moment by moment, not at a stride."""

STAFF = ("wangwu", "zhaoliu")


@dataclass
class Newcomer:
    """Somebody's character. `keen`: how likely they check in on a day; `visitor`: as the bot knows them."""

    customer: Customer
    keen: float
    answer: str
    came: date
    visitor: int = 0
    moved_on: bool = False


@dataclass
class Newcomers:
    """`a_day`: how many come each day while anybody comes."""

    it: Course
    dice: Random
    people: list[Newcomer] = field(default_factory=list)
    member_groups: list[Group] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    _room: Group | None = None

    async def live(self, days: int, *, total: int, arriving: int) -> None:
        """So many days; on the first `arriving` of them people come, `total` in all."""
        for day in range(days):
            coming = total * (day + 1) // arriving - total * day // arriving if day < arriving else 0
            await self._arrive(coming)
            await self.it.until("10:01", "12:00")
            await self._check_in(0.9)
            await self._go_on()
            await self.it.life.run(SENDING)
            await self.it.until("19:01")
            await self._check_in(0.7)  # of those who forgot, some hear of it
            await self.it.life.run(SENDING)
            await self.it.until("02:05", "09:00")

    # --- people -------------------------------------------------------------------------------------------------------

    async def _arrive(self, number: int) -> None:
        world = self.it.world
        for _ in range(number):
            if self._room is None or len(self._room.members) >= ROOM:
                self._room = world.create_group(f"新人打卡{len(world.groups)}群", owner=self.dice.choice(STAFF))
            keen = self.dice.choice((1.0, 1.0, 0.9, 0.3, 0.0))
            who = world.add_customer(f"客{len(self.people)}")
            self.people.append(Newcomer(who, keen, self.dice.choice(("绿茶", "红茶")), date_of(world.clock.now())))
            if self.dice.random() < 0.5:  # added first, as the seed's order has it
                world.make_contact(self.dice.choice(STAFF), who)
            world.join(self._room, who)
            if self.dice.random() < 0.2:  # or days later
                late, staff = self.dice.uniform(1, 9) * DAY, self.dice.choice(STAFF)
                world.at(world.clock.now() + late, partial(self._is_added, who, staff))
        await self.it.life.run(timedelta(minutes=2))

    def _is_added(self, who: Customer, staff: str) -> None:
        if staff not in who.follows:
            self.it.world.make_contact(staff, who)

    async def _check_in(self, share: float) -> None:
        """Whoever feels like it presses, some of them twice."""
        now = self.it.life.clock.now()
        willing = [each for each in self.people if not each.moved_on and self.dice.random() < each.keen * share]
        for first in range(0, len(willing), AT_ONCE):
            some = willing[first : first + AT_ONCE]
            await self._meet(some, now)
            twice = [each for each in some if self.dice.random() < 0.1]
            for answer in ("绿茶", "红茶", ""):  # the first day has a question
                ids = [
                    each.visitor
                    for each in (*some, *twice)
                    if answer == (each.answer if each.came == date_of(now) else "")
                ]
                self.told.update(await self.it.checks_in(*ids, answer=answer))
        await self.it.life.run(timedelta(minutes=6))

    async def _meet(self, people: list[Newcomer], now: datetime) -> None:
        """They open the page, which knows who they are."""
        async with self.it.life.bot.store.write() as tx:
            for each in people:
                if not each.visitor:
                    proof = Proof(kind="external_userid", value=each.customer.id, evidence="oauth")
                    each.visitor = (await identity.visitor_of(tx, [proof], now=now)).visitor_id

    # --- graduates ----------------------------------------------------------------------------------------------------

    async def _go_on(self) -> None:
        """Whoever was invited opens the entrance, most of them, some twice, and scans the code that it shows."""
        life, book = self.it.life, self.it.life.bot.worker.rules.book
        async with life.bot.store.read() as tx:
            query = select(JourneyRow.visitor_id, GraduationRow.entrance).join(
                GraduationRow, col(GraduationRow.journey_id) == col(JourneyRow.id)
            )
            invited = dict((await tx.exec(query)).all())
        for each in self.people:
            entrance = invited.get(each.visitor)
            if not entrance or each.moved_on or self.dice.random() < 0.3:
                continue
            event = EntranceScanned(at=life.clock.now(), entrance=entrance, visitor_id=each.visitor)
            for _ in range(self.dice.choice((1, 1, 2))):
                async with life.bot.store.write() as tx:
                    await doors.handle(event, doors.Seen(), tx, book, life.clock.now())
                    door = await doors.door_for(tx, book, entrance, each.visitor, life.clock.now())
                if door.show == "code" and door.qr_code:
                    with suppress(ImpossibleError):
                        each.moved_on |= self.it.world.scan(each.customer, code_in(door.qr_code)).group is not None
        await life.run(timedelta(minutes=2))

    # --- what came of it ----------------------------------------------------------------------------------------------

    def member_groups_of(self) -> dict[str, list[str]]:
        """Person → the member groups that they are in, by the platform's own truth."""
        found = defaultdict[str, list[str]](list)
        for group in self.it.world.groups.values():
            if "会员" in group.name:
                for who in group.members:
                    found[who].append(group.name)
        return found

    def sent_to(self, words: str) -> dict[str, list[datetime]]:
        """Person → when they got 1:1 words that contain this, in Beijing."""
        found = defaultdict[str, list[datetime]](list)
        for task in self.it.world.group_messages.tasks.values():
            if task.chat_type == "single" and words in task.text:
                for sender, who in task.results:
                    if who in task.arrived:
                        found[who].append(task.confirmed[sender].astimezone(BEIJING))
        return found


__all__ = ["NAME", "Newcomer", "Newcomers"]
