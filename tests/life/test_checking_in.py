"""A check-in in a shop: who begins by joining, who says 打卡 in the group, whom staff do it for, and who comes back."""

from datetime import date, timedelta
from typing import Any

from handlers.checkins import NOT_YOURS
from rules.book import Book
from rules.checkin_days import date_of
from rules.clock import BEIJING
from rules.events import CheckedIn
from rules.lanes import NORMAL
from simulator import Customer
from store import checkins, identities, inbox, trace
from store.checkins import DayRow, JourneyRow
from tests.life.rulebook import listen, say
from tests.life.shop import HOURS, MINUTES, SECONDS, Shop


def shop_book(**more: Any) -> Book:
    """A check-in of three days in every group."""
    days = [{"theme": "认识绿茶"}, {"theme": "写一句", "evidence": "文字"}, {"theme": "毕业"}]
    checkin = {"name": "tea-3", "to": "all", "days": days, "exclude_tags": [], **more}
    return Book.model_validate({"managers": ["李华"], "checkins": [checkin]})


async def journey_of(shop: Shop, person: Customer) -> tuple[JourneyRow, list[DayRow]] | None:
    """Somebody's journey and its days."""
    async with shop.life.bot.store.read() as tx:
        who = await identities.visitor_with(tx, "external_userid", person.id)
        row = await checkins.of_visitor(tx, "tea-3", who) if who else None
        return (row, await checkins.days_of(tx, row.id)) if row else None


async def test_who_begins_by_joining(open_shop: Any) -> None:
    """Newcomers begin on the day they join, a rival does not; whoever leaves, comes back, and joins a second group goes
    on with the same journey.
    """
    async with open_shop(shop_book()) as shop:
        newcomer, rival = shop.world.add_customer("林小满"), shop.rival()
        await shop.enters(newcomer, rival)
        found = await journey_of(shop, newcomer)
        assert found is not None
        row, _ = found
        assert (row.state, row.started_on, row.chat_id) == ("going", date_of(shop.life.clock.now()), shop.group.chat_id)
        assert await journey_of(shop, rival) is None
        second = shop.world.create_group("老客户群", owner="wangwu")
        shop.world.leave(shop.group, newcomer)
        await shop.life.stride(30 * HOURS, 1)
        await shop.enters(newcomer)
        await shop.enters(newcomer, group=second)
        again = await journey_of(shop, newcomer)
        assert again is not None
        assert (again[0].id, again[0].started_on) == (row.id, row.started_on)
        async with shop.life.bot.store.read() as tx:
            assert len(await checkins.all_of_visitor(tx, row.visitor_id)) == 1


async def test_somebody_with_a_tag_is_left_out(open_shop: Any) -> None:
    """Whoever staff have tagged as B is let be."""
    async with open_shop(shop_book(exclude_tags="B")) as shop:
        plain, vip = shop.world.add_customer("林小满"), shop.world.add_customer("周舟")
        shop.world.make_contact("wangwu", vip)
        _, [tag] = shop.world.tags.add(None, "分层", ["B"])
        shop.world.tags.mark("wangwu", vip.id, [tag.id], [])
        await shop.enters(plain, vip)
        assert await journey_of(shop, plain) is not None
        assert await journey_of(shop, vip) is None


async def test_said_in_the_group(open_shop: Any) -> None:
    """打卡 as such checks in, once; in the middle of a sentence it is just a word; where the day asks for a sentence,
    that stands after it.
    """
    async with open_shop(shop_book()) as shop:
        listen(shop)
        person, other = shop.world.add_customer("林小满"), shop.world.add_customer("周舟")
        await shop.enters(person, other)
        await say(shop, other, "打卡在哪里打？", "今天还没打卡")
        await say(shop, person, " 打卡！", "打卡")
        found, nothing = await journey_of(shop, person), await journey_of(shop, other)
        assert found is not None
        assert nothing is not None
        assert [(day.kind, day.chat_id) for day in found[1]] == [("tap", shop.group.chat_id)]
        assert nothing[1] == []
        await shop.life.stride(24 * HOURS, 2)
        await say(shop, person, "打卡")  # a sentence is asked for
        await say(shop, person, "打卡：清香，有点甜")
        found = await journey_of(shop, person)
        assert found is not None
        assert [day.evidence for day in found[1]] == ["", "清香，有点甜"]


async def test_staff_do_it_for_somebody(open_shop: Any) -> None:
    """A member of staff who shares a group does it for a customer, and the trace says who; nobody else can."""
    async with open_shop(shop_book()) as shop:
        person = shop.world.add_customer("林小满")
        shop.world.add_staff("sunqi", "孙七")
        await shop.enters(person)
        found = await journey_of(shop, person)
        assert found is not None
        on = date_of(shop.life.clock.now())
        for userid in ("sunqi", "zhaoliu"):
            await _for_somebody(shop, userid, found[0].visitor_id, on)
        found = await journey_of(shop, person)
        assert found is not None
        assert [day.by for day in found[1]] == ["zhaoliu"]
        async with shop.life.bot.store.read() as tx:
            told = [trace.decisions(row)[0] for row in await trace.about(tx, person.id, newest=2)]
        assert [(each.verdict, each.because) for each in told] == [
            ("hit", "打了卡（zhaoliu 代办）"),
            ("miss", NOT_YOURS),
        ]


async def _for_somebody(shop: Shop, userid: str, visitor_id: int, on: date) -> None:
    """As bot/pages/checkin.py raises it."""
    now = shop.life.clock.now()
    event = CheckedIn(at=now, checkin="tea-3", visitor_id=visitor_id, on=on, by=userid)
    async with shop.life.bot.store.write() as tx:
        await inbox.put(
            tx, source="page", key=f"for {userid}", event=event, lane=NORMAL, ordering_key=None, due_at=now, now=now
        )
    await shop.life.run(5 * SECONDS)


async def test_the_archive_is_late(open_shop: Any) -> None:
    """What counts is when it was said: a minute before midnight is the day before, however late it is brought."""
    async with open_shop(shop_book(grace="0分钟")) as shop:
        listen(shop)
        person = shop.world.add_customer("林小满")
        await shop.enters(person)
        now = shop.life.clock.now().astimezone(BEIJING)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        await shop.life.stride(midnight - now - MINUTES, 1)
        shop.world.says(person, shop.group, "打卡")
        shop.life.clock.advance(2 * MINUTES)
        await shop.life.run(MINUTES)
        found = await journey_of(shop, person)
        assert found is not None
        assert [day.on for day in found[1]] == [found[0].started_on]
        assert date_of(shop.life.clock.now()) > found[0].started_on
