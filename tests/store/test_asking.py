"""What lists are made of, and how many messages somebody has had: on both engines."""

from datetime import UTC, datetime, timedelta

from rules.removal import Reason
from store import cards, people, removal, roster, todo, transfers
from store.database import Database, Tx
from store.roster import MemberRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def open_case(tx: Tx, chat_id: str, who: str, *, listed: bool = False) -> removal.CaseRow:
    await roster.known_or_new(tx, chat_id, now=NOON)
    return await removal.open_case(
        tx,
        chat_id=chat_id,
        external_userid=who,
        reasons=[Reason(rule="other_company", step="remove", evidence="strong", because="…")],
        listed=listed,
        now=NOON,
    )


async def test_a_list_knows_everything_about_who_is_open(db: Database) -> None:
    """Case, member, person and when they were last asked about, each where it is known; nothing that is closed."""
    async with db.write() as tx:
        asked = await open_case(tx, "wr1", "wo1")
        await open_case(tx, "wr2", "wo2", listed=True)
        closed = await open_case(tx, "wr1", "wo3")
        await open_case(tx, "wr3", "wo4")
        await removal.close(tx, closed.number, outcome="removed", by=None, now=NOON)
        tx.add(MemberRow(chat_id="wr1", external_userid="wo1", name="张三", seen_at=NOON))
        (await people.known_or_new(tx, "wo1")).company = "对手公司"
        for state, at in (("closed", NOON), ("sent", NOON + MINUTE), ("dropped", NOON + 2 * MINUTE)):
            card = await cards.new(tx, "ask", [asked], send_at=at)
            card.state = state
        (await cards.new(tx, "escalation", [asked], send_at=NOON + 3 * MINUTE)).state = "sent"
    async with db.read() as tx:
        first, second = await todo.open_rows(tx, ["wr1", "wr2"])
    assert (first.case.external_userid, first.asked_at) == ("wo1", NOON + MINUTE)
    assert first.member
    assert first.person
    assert (first.member.name, first.person.company) == ("张三", "对手公司")
    assert (second.case.external_userid, second.member, second.person, second.asked_at) == ("wo2", None, None, None)


async def test_messages_are_counted_around_a_moment(db: Database) -> None:
    """What was sent within the minute before and what waits for the minute after; exactly a minute away is neither."""
    async with db.write() as tx:
        for seconds, times in ((-60, 7), (-59, 1), (0, 2), (59, 1), (60, 7)):
            for _ in range(times):
                await cards.note_mailing(tx, ["wangwu"], now=NOON + timedelta(seconds=seconds))
        await cards.note_mailing(tx, ["zhaoliu"], now=NOON)
        assert await cards.most_mailed_around(tx, ["wangwu", "zhaoliu"], at=NOON) == 4
        assert await cards.most_mailed_around(tx, ["zhaoliu"], at=NOON) == 1
        assert await cards.most_mailed_around(tx, ["nobody"], at=NOON) == 0


async def test_who_has_had_many_messages_lately(db: Database) -> None:
    """Each is counted by themselves, with what waits for them; what is older is not counted."""
    async with db.write() as tx:
        for seconds, to in ((-600, ["wangwu"]), (-599, ["wangwu", "zhaoliu"]), (0, ["wangwu"]), (50, ["wangwu"])):
            await cards.note_mailing(tx, to, now=NOON + timedelta(seconds=seconds))
        since = NOON - 10 * MINUTE
        everybody = ["wangwu", "zhaoliu", "nobody"]
        assert await cards.often_mailed(tx, everybody, times=3, since=since) == {"wangwu"}
        assert await cards.often_mailed(tx, everybody, times=1, since=since) == {"wangwu", "zhaoliu"}
        assert await cards.often_mailed(tx, everybody, times=4, since=since) == set()


async def test_transfers_are_counted_as_the_platform_does(db: Database) -> None:
    """Two in 90 days for a group; the third is allowed again when the first is 90 days old."""
    async with db.write() as tx:
        for days in (0, 10):
            assert await transfers.allowed(tx, "wr1", "wangwu", now=NOON + timedelta(days=days))
            at = NOON + timedelta(days=days)
            await transfers.note(tx, "wr1", old_owner="wangwu", new_owner="zhaoliu", asked_by="lihua", now=at)
        assert not await transfers.allowed(tx, "wr1", "wangwu", now=NOON + timedelta(days=89))
        assert await transfers.allowed(tx, "wr1", "wangwu", now=NOON + timedelta(days=90))
        assert await transfers.allowed(tx, "wr2", "wangwu", now=NOON + timedelta(days=11))
