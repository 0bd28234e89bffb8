"""A seven-day check-in for whole-life tests: a newcomers' group, a members' group, an entrance between them."""

from datetime import UTC, timedelta
from typing import Any

from handlers import checkins as handler
from handlers import identity
from handlers.journeys import Seen
from rules.book import Book
from rules.clock import BEIJING
from rules.events import CheckedIn
from rules.identity import Proof
from simulator import Customer
from store import checkins, identities, leading, own_tags
from store.checkin_rewards import CheckinRewardRow
from store.checkin_rewards import of_visitor as rewards_of
from store.checkins import JourneyRow
from store.leading import GraduationRow, NudgeRow
from tests.life.conftest import Life

NAME = "newcomer-7"
DAY = timedelta(days=1)

QUESTION = {"text": "您平时喝什么茶？", "options": {"绿茶": "喜好/绿茶", "红茶": "喜好/红茶"}}


def days(number: int = 7) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = [{"theme": f"主题{each + 1}"} for each in range(number)]
    plain[0] |= {"question": QUESTION}
    return plain


def course(*, days_: int = 7, more: dict[str, Any] | None = None, **checkin: Any) -> Book:
    """The settings. `checkin`: fields of it; `more`: other parts of the book."""
    return Book.model_validate(
        {
            "managers": ["李华"],
            "groups": {"newcomers": "新人打卡*", "green": "绿茶会员*", "members": "会员*"},
            "shops": {"静安店": {"groups": "*", "staff": ["王五"]}},
            "entrances": [
                {"name": "green-door", "groups": "green"},
                {"name": "members-door", "groups": "members"},
            ],
            "checkins": [
                {
                    "name": NAME,
                    "title": "七天新茶友打卡",
                    "to": "newcomers",
                    "days": days(days_),
                    "graduate_to": {"喜好/绿茶": "green-door", "else": "members-door"},
                    "graduate_tag": "七日打卡毕业",
                    "organiser": "静安茶业有限公司",
                    "lead": {"post": False},
                    **checkin,
                }
            ],
            **(more or {}),
        }
    )


class Course:
    """The bot, its groups, and somebody at the page of the check-in."""

    def __init__(self, life: Life, *, rooms: int = 1) -> None:
        self.life, self.world = life, life.world
        for userid, name in (("lihua", "李华"), ("wangwu", "王五"), ("zhaoliu", "赵六")):
            self.world.add_staff(userid, name)
        self.rooms = [self.world.create_group(f"新人打卡{each + 1}群", owner="wangwu") for each in range(rooms)]
        self.green = self.world.create_group("绿茶会员1群", owner="wangwu")
        self.members = self.world.create_group("会员1群", owner="wangwu")

    def newcomer(self, name: str, *, added_by: str | None = None, room: int = 0) -> Customer:
        """Somebody joins the newcomers' group; `added_by`: a colleague has added them before."""
        who = self.world.add_customer(name)
        if added_by:
            self.world.make_contact(added_by, who)
        self.world.join(self.rooms[room], who)
        return who

    async def until(self, *clocks: str) -> None:
        """Time passes until it is so late in Beijing, one after the other: `19:02`; what was due is done then."""
        for clock in clocks:
            local = self.life.clock.now().astimezone(BEIJING)
            hour, minute = map(int, clock.split(":"))
            at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
            self.life.clock.set((at if at > local else at + DAY).astimezone(UTC))
            await self.life.run(timedelta(minutes=6))

    async def visitor(self, who: Customer) -> int:
        async with self.life.bot.store.write() as tx:
            proof = Proof(kind="external_userid", value=who.id, evidence="roster")
            return (await identity.visitor_of(tx, [proof], now=self.life.clock.now())).visitor_id

    async def checks_in(self, *people: Customer | int, answer: str = "") -> list[str]:
        """They press the button on the page. What they are told."""
        ids = [each if isinstance(each, int) else await self.visitor(each) for each in people]
        now, said = self.life.clock.now(), []
        book = self.life.bot.worker.rules.book
        async with self.life.bot.store.write() as tx:
            for visitor_id in ids:
                event = CheckedIn(at=now, checkin=NAME, visitor_id=visitor_id, answer=answer)
                said += [each.because for each in await handler.handle(event, Seen(), tx, book, now)]
        return said

    async def journey(self, who: Customer | int) -> JourneyRow:
        visitor_id = who if isinstance(who, int) else await self.visitor(who)
        async with self.life.bot.store.read() as tx:
            found = await checkins.of_visitor(tx, NAME, visitor_id)
        assert found is not None
        return found

    async def rewards(self, who: Customer | int) -> list[CheckinRewardRow]:
        visitor_id = who if isinstance(who, int) else await self.visitor(who)
        async with self.life.bot.store.read() as tx:
            return await rewards_of(tx, visitor_id)

    async def nudges(self, who: Customer) -> list[NudgeRow]:
        row = await self.journey(who)
        async with self.life.bot.store.read() as tx:
            return (await leading.nudges_of_all(tx, [row.id])).get(row.id, [])

    async def graduation(self, who: Customer) -> GraduationRow | None:
        row = await self.journey(who)
        async with self.life.bot.store.read() as tx:
            return await leading.graduation(tx, row.id)

    async def tags(self, who: Customer) -> list[str]:
        visitor_id = await self.visitor(who)
        async with self.life.bot.store.read() as tx:
            return (await own_tags.of_visitors(tx, [visitor_id])).get(visitor_id, [])

    async def known(self, who: int) -> str | None:
        async with self.life.bot.store.read() as tx:
            return await identities.external_of(tx, who)

    def told(self, who: Customer) -> list[str]:
        """What this person got 1:1 by 群发助手."""
        tasks = self.world.group_messages.tasks.values()
        return [task.text for task in tasks if who.id in task.arrived]
