"""What groups and staff are told of draws, within the sends that a group may get."""

from datetime import date, timedelta

from sqlmodel import select

from handlers import posts, send_over, sends
from handlers.draw_view import winners_of
from rules.book import Book
from rules.events import PostDue, SendDue, SendOver
from rules.post_outlook import look_ahead
from rules.posts import PostGroup
from store import matters as matter_rows
from store import outbox
from store import sends as send_rows
from store.outbox import Outbox
from store.posts import PostRow
from store.sends import SendRow
from tests.handlers.fair import DAY, FRIDAY, HOUR, Fair, OpenFair, book_with, entered, names, settings

NIGHT = "post:night:2026-11-27T21:00+08:00"


def _book() -> Book:
    """One send a day for each group, and a post of high priority at nine that wants Friday's."""
    post = {"name": "night", "to": "members", "when": "每天 21:00", "text": "晚安", "priority": "high"}
    said = book_with(settings()).model_dump(mode="json")
    return Book.model_validate(said | {"posts": [post], "posting": {"sends": "每天1条"}})


async def _sent(fair: Fair) -> list[SendRow]:
    async with fair.db.read() as tx:
        return await send_rows.about(tx, "draw:1")


async def _drawn_beside_a_post(fair: Fair) -> tuple[int, SendRow]:
    """There are winners at eight. The id of the post at nine, and what is told of them."""
    fair.book = _book()
    async with fair.db.write() as tx:
        row = PostRow(key=NIGHT, name="night", day=date(2026, 11, 27), fire_at=FRIDAY + HOUR, say_at=FRIDAY + HOUR)
        tx.add(row)
        await tx.flush()
        post_id = row.id
    await entered(fair, names(3))
    await fair.until(FRIDAY)
    return post_id, next(each for each in await _sent(fair) if ":drawn:" in each.key)


async def test_groups_and_managers_are_told(fair_with: OpenFair) -> None:
    """Two sends to each owner's groups: it has begun, and who has won, with masked names."""
    fair = await fair_with(people=names(3), groups=2)
    await entered(fair, names(3))
    await fair.until(FRIDAY)
    async with fair.db.read() as tx:
        sent = await send_rows.about(tx, "draw:1")
    assert [(each.via, each.targets) for each in sent] == [("task", ["wr0", "wr1"])] * 2
    assert sent[0].attachments[0]["url"] == "https://c.example.com/d/friday"
    assert "开始报名" in sent[0].text
    assert "恭喜 名*、名*、名*" in sent[1].text


async def test_announce_no_sends_nothing(fair_with: OpenFair) -> None:
    """`announce: 否` leaves groups alone."""
    fair = await fair_with({"announce": "否"}, people=names(3))
    await fair.until(FRIDAY)
    async with fair.db.read() as tx:
        assert await send_rows.about(tx, "draw:1") == []


async def test_what_a_group_may_not_get_any_more_is_said_along_with_a_post(fair_with: OpenFair) -> None:
    """One send a day, and a post wants today's: the result stands in the same send, once."""
    fair = await fair_with(people=names(3))
    post_id, told = await _drawn_beside_a_post(fair)
    assert (told.via, told.rides_on, told.state, told.due_at) == ("hand", NIGHT, "new", FRIDAY + 1.5 * HOUR)
    async with fair.db.write() as tx:
        await posts.handle(PostDue(at=FRIDAY + HOUR, post_id=post_id), None, tx, fair.book, FRIDAY + HOUR)
    async with fair.db.read() as tx:
        [out] = await send_rows.about(tx, f"post:{post_id}")
    assert out.via == "task"
    assert out.text.startswith("晚安\n\n【周五抽奖】开奖了，恭喜 名*、名*、名*！")
    assert [each["url"] for each in out.attachments] == ["https://c.example.com/d/friday"]
    told = next(each for each in await _sent(fair) if each.id == told.id)
    assert (told.state, told.why, told.due_at) == ("cancelled", "并到「night」里一起发", None)


async def test_where_the_post_does_not_come_it_is_sent_by_hand(fair_with: OpenFair) -> None:
    """The post was left out after all: half an hour later the owner is asked to send the result."""
    fair = await fair_with(people=names(3))
    _, told = await _drawn_beside_a_post(fair)
    at = FRIDAY + 1.5 * HOUR
    async with fair.db.write() as tx:
        await sends.handle(SendDue(at=at, send_id=told.id), sends.Seen(), tx, fair.book, at)
    told = next(each for each in await _sent(fair) if each.id == told.id)
    assert told.state == "made"
    async with fair.db.read() as tx:
        rows = (await tx.exec(select(Outbox).where(Outbox.kind == "send_notice", Outbox.about == "draw:1"))).all()
    assert any("发" in row.payload and "wangwu" in row.payload for row in rows)


async def test_a_draws_news_are_counted_beside_the_posts(fair_with: OpenFair) -> None:
    """The outlook of posts knows of both sends of a draw that is to come: with one a day something has to give way."""
    fair = await fair_with()
    group = PostGroup(chat_id="wr0", name="会员0群", kind="members", owner="wangwu")
    found = look_ahead(_book(), [group], FRIDAY - 4 * DAY, FRIDAY + 2 * HOUR).verdicts
    assert [(each.slot.post, each.way) for each in found if each.slot.at > FRIDAY - 25 * HOUR] == [
        ("night", "task"),
        ("night", "task"),
        ("抽奖 friday", "merge"),
        ("抽奖 friday", "merge"),
    ]
    assert fair.now < FRIDAY


async def test_what_the_platform_would_not_have_is_sent_by_hand(fair_with: OpenFair) -> None:
    """A send about a draw failed: its end is heard, the owner gets it by hand, managers hear why, and only once."""
    fair = await fair_with(people=names(3))
    await entered(fair, names(3))
    [opened] = await _sent(fair)
    async with fair.db.write() as tx:
        row = await send_rows.send(tx, opened.id)
        assert row is not None
        send_rows.settle((await send_rows.results(tx, row.id)).values(), "failed", now=fair.now)
        send_rows.end(row, "failed", why="素材过期", now=fair.now)
    over = SendOver(at=fair.now, send_id=opened.id, about="draw:1")
    for _ in range(2):
        async with fair.db.write() as tx:
            await send_over.handle(over, None, tx, fair.book, fair.now)
    assert [(each.via, each.targets) for each in await _sent(fair)] == [("task", ["wr0"]), ("hand", ["wr0"])]
    async with fair.db.read() as tx:
        [matter] = await matter_rows.open_for(tx, owned=[], is_manager=True, userid="lihua")
    assert matter.title == "抽奖的消息没有发出去"


async def test_staff_get_a_card_that_opens_the_winners(fair_with: OpenFair) -> None:
    """The manager and the owner, each once, with the number of winners; the list has full names and how far each is."""
    fair = await fair_with(people=names(3))
    await entered(fair, names(3))
    await fair.until(FRIDAY)
    async with fair.db.read() as tx:
        rows = (await tx.exec(select(Outbox).where(Outbox.kind == "send_notice"))).all()
        cards = [outbox.deed_of(row) for row in rows]
        row = await fair.draw()
        found = await winners_of(tx, row)
    told = {each.to: (each.link.page, each.link.post_id, each.lines[1].value) for each in cards}  # type: ignore[union-attr]  # notices
    assert told == {("lihua",): ("winners", 1, "3 人"), ("wangwu",): ("winners", 1, "3 人")}
    assert {each.name for each in found.lines} == {"名wm0", "名wm1", "名wm2"}
    assert {each.state for each in found.lines} == {"还没领"}
    await fair.until(FRIDAY + 3 * DAY + timedelta(minutes=5))
    async with fair.db.read() as tx:
        found = await winners_of(tx, await fair.draw())
    assert (len(found.lines), {each.state for each in found.passed_on}) == (0, {"过期没领"})
