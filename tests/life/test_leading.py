"""Leading people through a check-in, from joining to the member group, with the people who help them along."""

from datetime import UTC, datetime
from typing import Any

from handlers import journeys, matters
from rules.clock import BEIJING
from rules.events import OptedOut
from tests.life.course import course
from tests.life.shop import MINUTES


async def test_a_newcomer_goes_all_the_way(open_course: Any) -> None:
    """Seven days, each checked in: graduated once, tagged, invited once by the colleague who has added them."""
    async with open_course(course()) as it:
        it.world.staff["wangwu"].confirms(2 * MINUTES)
        who = it.newcomer("小陈", added_by="wangwu")
        await it.life.run(1 * MINUTES)
        assert (await it.journey(who)).state == "going"
        for day in range(7):
            await it.checks_in(who, answer="绿茶" if day == 0 else "")
            await it.life.run((7 if day < 6 else 20) * MINUTES)
            await it.until("10:00")
        row = await it.journey(who)
        assert (row.state, row.because, row.next_at) == ("graduated", "连续打了 7 天，毕业了", None)
        assert await it.tags(who) == ["喜好/绿茶", "七日打卡毕业"]
        assert sorted(it.world.tags.names_of(who.id)) == ["七日打卡毕业", "绿茶"]
        invitations = [text for text in it.told(who) if "恭喜" in text]
        assert len(invitations) == 1
        graduation = await it.graduation(who)
        assert graduation is not None
        assert (graduation.entrance, graduation.way) == ("green-door", "send")


async def test_the_group_gets_the_theme_of_the_day(open_course: Any) -> None:
    """Each morning one 企业群发 with a card that leads to the page on the campaign address."""
    async with open_course(course(lead={})) as it:
        it.world.staff["wangwu"].confirms(2 * MINUTES)
        await it.until("09:01", "09:31", "09:01", "09:31")
        sent = [task for task in it.world.group_messages.tasks.values() if it.rooms[0].chat_id in task.arrived]
        assert len(sent) == 2
        assert all(task.attachments[0]["link"]["url"] == "http://127.0.0.1/c/newcomer-7" for task in sent)
        assert "打卡" in sent[0].text


async def test_whoever_forgets_is_reminded_spaced_and_in_waking_hours(open_course: Any) -> None:
    """At most three reminders, every other evening, in the name of who has added them; nobody writes to strangers."""
    async with open_course(course(make_up_cards=0)) as it:
        it.world.staff["wangwu"].confirms(2 * MINUTES)
        friend, stranger = it.newcomer("小陈", added_by="wangwu"), it.newcomer("小林")
        await it.life.run(1 * MINUTES)
        for _ in range(9):
            await it.until("19:01", "10:00")
        reminders = [each.at.astimezone(BEIJING) for each in await it.nudges(friend) if each.nudge == "remind"]
        assert [(each.day, each.hour) for each in reminders] == [(23, 19), (25, 19), (27, 19)]
        assert len(it.told(friend)) == 3
        assert [each for each in await it.nudges(stranger) if each.nudge == "remind"] == []
        row = await it.journey(friend)
        assert (row.state, row.because) == ("dropped", "一天也没有打卡")


async def test_who_wants_no_reminders_gets_none(open_course: Any) -> None:
    """Opted out of reminders: none comes, however long they stay away."""
    async with open_course(course()) as it:
        friend = it.newcomer("小陈", added_by="wangwu")
        await it.life.run(1 * MINUTES)
        row = await it.journey(friend)
        async with it.life.bot.store.write() as tx:
            wish = OptedOut(at=row.began_at, checkin=row.checkin, visitor_id=row.visitor_id, wish="no_reminders")
            await journeys.handle(wish, journeys.Seen(), tx, it.life.bot.worker.rules.book, row.began_at)
        await it.until("19:01", "19:01")
        assert [each for each in await it.nudges(friend) if each.nudge == "remind"] == []


async def test_who_is_about_to_drop_out_is_handed_to_staff(open_course: Any) -> None:
    """On day 2 whoever did nothing on day 1 stands in the list of who has added them, with what to say; whoever then
    checks in stands there no more.
    """
    async with open_course(course()) as it:
        friend, stranger = it.newcomer("小陈", added_by="zhaoliu"), it.newcomer("小林")
        await it.life.run(1 * MINUTES)
        await it.until("19:00", "10:00")
        for who, userid in ((friend, "zhaoliu"), (stranger, "wangwu")):
            [nudge] = [each for each in await it.nudges(who) if each.nudge == "hand_over"]
            assert (nudge.userid, nudge.day, nudge.at.astimezone(BEIJING).hour) == (userid, 2, 10)
        assert await open_titles(it, "zhaoliu") == ["「七天新茶友打卡」：1 位快掉队了"]
        await it.checks_in(friend)
        await it.life.run(10 * MINUTES)
        assert await open_titles(it, "zhaoliu") == []
        assert await open_titles(it, "wangwu") == ["「七天新茶友打卡」：1 位快掉队了"]
        await it.until("19:01", "19:01")
        assert await open_titles(it, "wangwu") == []  # its day is over


async def test_the_owner_hears_who_may_make_room(open_course: Any) -> None:
    """Once journeys are over, the owner's list names who may be asked out of the newcomers' group."""
    async with open_course(course(days_=2, make_up_cards=0)) as it:
        done, lost = it.newcomer("小陈"), it.newcomer("小林")
        for _ in range(2):
            await it.life.run(10 * MINUTES)
            await it.checks_in(done)
            await it.until("10:00")
        await it.until("03:00", "10:00")
        assert (await it.journey(done)).state == "graduated"
        assert (await it.journey(lost)).state == "dropped"
        assert "「新人打卡1群」有 2 位可以请出群了" in await open_titles(it, "wangwu")
        graduation = await it.graduation(done)
        assert graduation is not None
        assert graduation.way == "page"


async def test_night_owls_are_invited_in_the_morning(open_course: Any) -> None:
    """Who graduates at night is invited when people are awake."""
    at = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 22:30 in Beijing
    async with open_course(course(days_=1), at=at) as it:
        it.world.staff["wangwu"].confirms(2 * MINUTES)
        who = it.newcomer("小陈", added_by="wangwu")
        await it.life.run(1 * MINUTES)
        await it.checks_in(who)
        await it.life.run(10 * MINUTES)
        assert (await it.journey(who)).state == "graduated"
        assert it.told(who) == []
        await it.until("09:01")
        await it.life.run(20 * MINUTES)
        [task] = [each for each in it.world.group_messages.tasks.values() if who.id in each.arrived]
        assert 9 <= task.confirmed["wangwu"].astimezone(BEIJING).hour < 21


async def open_titles(it: Any, userid: str) -> list[str]:
    """What stands in somebody's 今日待办."""
    async with it.life.bot.store.read() as tx:
        return [each.title for each in await matters.open_for(tx, it.life.bot.worker.rules.book, userid)]
