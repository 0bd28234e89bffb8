"""Statements that write a row whether it is there or not, and rows that statements have inserted."""

from datetime import UTC, datetime, timedelta

from rules.facts import Member
from rules.removal import Reason
from store import cards, people, removal, roster
from store.database import Database, Tx
from store.people import ASK_AGAIN
from store.removal import CaseRow
from store.roster import MemberRow

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


async def known_checks(tx: Tx) -> int:
    return (await people.known(tx, ["wo1"]))["wo1"].checks


async def a_case(tx: Tx, who: str) -> CaseRow:
    return await removal.open_case(
        tx,
        chat_id="wr1",
        external_userid=who,
        reasons=[Reason(rule="other_company", step="remove", evidence="strong", because="")],
        listed=False,
        now=NOON,
    )


async def shows(tx: Tx, member: Member, *, now: datetime) -> MemberRow:
    """A read shows one member of the group."""
    return (await roster.write_members(tx, "wr1", [member], announced=(), now=now))[member.external_userid]


async def test_answers_that_tell_nothing_are_counted_until_one_tells_something(db: Database) -> None:
    """Two answers of "not a contact" count as two; a record starts the count anew and keeps the company."""
    async with db.write() as tx:
        await people.note_no_contact(tx, "wo1", now=NOON)
        await people.note_no_contact(tx, "wo1", now=LATER)
        assert await known_checks(tx) == 2
        await people.note_contact(
            tx, "wo1", account="wecom", name="张三", company="对手", company_full_name="", followers=[], now=LATER
        )
        assert await known_checks(tx) == 0
    async with db.read() as tx:
        person = await people.person(tx, "wo1")
    assert person is not None
    assert (person.account, person.company, person.checked_at) == ("wecom", "对手", LATER)


async def test_asking_again_is_set_once(db: Database) -> None:
    """Whoever is to be asked about again already is not put off, and an answer ends the waiting."""
    async with db.write() as tx:
        await people.ask_again(tx, "wo1", 0, now=NOON)
        await people.ask_again(tx, "wo1", 0, now=LATER)
        assert await people.next_check(tx) == NOON + ASK_AGAIN[0]
        await people.note_no_contact(tx, "wo1", now=LATER)
        assert await people.next_check(tx) is None


async def test_who_is_shown_again_came_again(db: Database) -> None:
    """A read keeps when somebody was first seen, unless they had left; that a callback announced them is not lost."""
    shown = Member(external_userid="wo1", name="张三", joined_at=NOON)
    async with db.write() as tx:
        await roster.known_or_new(tx, "wr1", now=NOON)
        await roster.note_presence(tx, "wr1", ["wo1"], now=NOON)
        first = await shows(tx, shown, now=NOON)
        again = await shows(tx, shown, now=LATER)
        assert (first.announced, first.detailed, again.announced, again.seen_at) == (True, True, True, NOON)
        await roster.mark_left(tx, "wr1", ["wo1"], quit_scene=1, at=NOON)
        back = await shows(tx, shown, now=LATER)
        assert (back.left_at, back.quit_scene, back.seen_at) == (None, None, LATER)


async def test_a_callback_about_somebody_inside_changes_nothing(db: Database) -> None:
    """Whoever is inside stays as a read has shown them; whoever had left is back, without details."""
    shown = Member(external_userid="wo1", name="张三", joined_at=NOON)
    async with db.write() as tx:
        await roster.known_or_new(tx, "wr1", now=NOON)
        await shows(tx, shown, now=NOON)
        await roster.note_presence(tx, "wr1", ["wo1"], now=LATER)
        assert (await roster.inside(tx, "wr1"))["wo1"].detailed
        await roster.mark_left(tx, "wr1", ["wo1"], quit_scene=1, at=NOON)
        await roster.note_presence(tx, "wr1", ["wo1"], now=LATER)
        back = (await roster.inside(tx, "wr1"))["wo1"]
    assert (back.detailed, back.joined_at, back.seen_at) == (False, None, LATER)


async def test_a_new_case_and_its_card_are_kept_in_step(db: Database) -> None:
    """What is changed of a case and a card after they were inserted is written with the transaction."""
    async with db.write() as tx:
        await roster.known_or_new(tx, "wr1", now=NOON)
        case = await a_case(tx, "wo1")
        card = await cards.new(tx, "ask", [case], send_at=NOON)
        case.step, case.step_due_at = "remind", LATER
        card.state, card.task_id, card.recipients = "sent", "task", ["wangwu"]
    async with db.write() as tx:
        kept, sent = await removal.case(tx, case.number), await cards.card_of_task(tx, "task")
    assert kept is not None
    assert sent is not None
    assert (kept.step, kept.step_due_at, kept.outcome) == ("remind", LATER, None)
    assert (sent.state, sent.recipients, sent.codes) == ("sent", ["wangwu"], [])


async def test_a_card_sent_a_moment_ago_takes_nobody_else(db: Database) -> None:
    """In the transaction in which a card was sent, the next case is put on another one."""
    async with db.write() as tx:
        await roster.known_or_new(tx, "wr1", now=NOON)
        first = await cards.plan(tx, await a_case(tx, "wo1"), "ask", first_at=NOON, gap=timedelta(0))
        first.state = "sent"
        second = await cards.plan(tx, await a_case(tx, "wo2"), "ask", first_at=NOON, gap=timedelta(0))
        third = await cards.plan(tx, await a_case(tx, "wo3"), "ask", first_at=NOON, gap=timedelta(0))
    assert first.number != second.number == third.number


async def test_messages_are_forgotten_after_a_day(db: Database) -> None:
    """Counting messages looks back a day at most: what is older goes with the daily forgetting."""
    async with db.write() as tx:
        await cards.note_mailing(tx, ["wangwu"], now=NOON)
        assert await cards.prune_mailings(tx, now=NOON + timedelta(days=1)) == 0
        assert await cards.most_mailed_around(tx, ["wangwu"], at=NOON) == 1
        assert await cards.prune_mailings(tx, now=NOON + timedelta(days=1, seconds=1)) == 1
