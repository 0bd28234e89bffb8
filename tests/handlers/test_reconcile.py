"""The list of groups, and looking groups over: what agrees is marked as read, what differs is read by itself."""

from datetime import datetime, timedelta

import pytest

from handlers import corp, reconcile
from handlers.reconcile import Answer
from rules.book import Book
from rules.events import GroupDismissed, GroupsReadDue, RosterReadDue
from store import inbox, queue, roster
from store import reconcile as groups
from store.database import Database
from store.inbox import Inbox
from store.reconcile import Standing
from tests.handlers.town import NOON, READ, Town, chat, joined
from wecom.errors import GroupGone, GroupHidden, PlatformError
from wecom.lookups import GroupChat

LATER = NOON + timedelta(hours=1)
BOOK = Book()
GONE, HIDDEN = GroupGone(90501, "get"), GroupHidden(60011, "get")


async def look_over(db: Database, **answers: Answer) -> None:
    event = GroupsReadDue(at=LATER, chat_ids=tuple(answers))
    async with db.write() as tx:
        await reconcile.handle(event, reconcile.Seen(LATER, answers), tx, BOOK, LATER)


async def listed(db: Database, *chat_ids: str, whole: bool = False) -> None:
    async with db.write() as tx:
        await corp.handle(RosterReadDue(at=LATER, whole=whole), corp.Seen(chat_ids), tx, BOOK, LATER)


async def stand(db: Database, chat_id: str = "wr1") -> tuple[Standing, datetime | None]:
    """How a group stands, and when it is to be read by itself."""
    async with db.read() as tx:
        row = await roster.group(tx, chat_id)
        return (await groups.standings(tx))[chat_id], row.read_due_at if row else None


# --- looking over -----------------------------------------------------------------------------------------------------


async def test_what_agrees_is_marked_as_read(town: Town) -> None:
    """The same version, name, owner and admins: nobody came or went, and nothing more is asked of the platform."""
    await look_over(town.db, wr1=chat("v1", "wmA", "wmB"))
    group, due = await stand(town.db)
    assert (group.read_at, due) == (LATER, None)


@pytest.mark.parametrize(
    "answer",
    [
        chat("v2", "wmA", "wmB"),
        chat("", "wmA", "wmB"),
        chat("v1", "wmA", "wmB", name="新名字"),
        chat("v1", "wmA", "wmB").model_copy(update={"owner": "zhaoliu"}),
        chat("v1", "wmA", "wmB").model_copy(update={"admins": ("zhaoliu",)}),
        GONE,
        HIDDEN,
    ],
    ids=["somebody came or went", "no version", "renamed", "another owner", "another admin", "gone", "hidden"],
)
async def test_what_differs_is_read_by_itself(town: Town, answer: Answer) -> None:
    """Where something was missed, the group's own handler decides what follows: here nothing is changed."""
    await look_over(town.db, wr1=answer)
    group, due = await stand(town.db)
    assert (group.read_at, group.version, group.name, due) == (NOON, "v1", "会员一群", LATER)


async def test_a_group_in_doubt_is_read_by_itself(town: Town) -> None:
    """Its version says where it was when we were last sure, not what we have."""
    await town.hear(READ, chat("v3", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(READ, chat("v9", "wmA", "wmB"))
    await look_over(town.db, wr1=chat("v3", "wmA", "wmB", "woX", joined_at=NOON))
    group, due = await stand(town.db)
    assert group.in_doubt
    assert group.read_at != LATER
    assert due is not None


async def test_a_group_that_waits_for_a_version_is_read_by_itself(town: Town) -> None:
    """A callback named somebody whose details no read has shown yet."""
    await town.hear(joined("v1", "v2", "woX"), chat("v1", "wmA", "wmB"))
    await look_over(town.db, wr1=chat("v2", "wmA", "wmB", "woX"))
    assert (await stand(town.db))[0].read_at == NOON


async def test_what_is_known_to_be_gone_or_hidden_agrees(town: Town) -> None:
    """Nothing follows from being told again."""
    await town.hear(READ, None, hidden=True)
    await look_over(town.db, wr1=HIDDEN)
    assert (await stand(town.db))[1] is None
    await town.hear(GroupDismissed(at=NOON, chat_id="wr1"))
    await look_over(town.db, wr1=GONE)
    assert (await stand(town.db))[1] is None


class Reads:
    """A gateway for reads of groups alone: `fails` after so many."""

    def __init__(self, fails_after: int) -> None:
        self.left = fails_after

    async def post(self, path: str, body: dict[str, str], *, reads: bool) -> dict[str, object]:
        if self.left <= 0:
            raise PlatformError(-1, path)
        self.left -= 1
        return {
            "group_chat": {"chat_id": body["chat_id"], "owner": "wangwu", "member_list": [], "member_version": "v1"}
        }


async def looked_up(db: Database, fails_after: int) -> dict[str, Answer]:
    ids = [f"wr{number:02d}" for number in range(12)]
    async with db.write() as tx:
        await groups.add_groups(tx, ids, now=NOON)
        await groups.confirm(tx, ids[:2], read_at=LATER)
    event = GroupsReadDue(at=LATER, chat_ids=tuple(ids))
    return (await reconcile.look_up(event, Reads(fails_after), db, LATER)).answers  # type: ignore[arg-type]


async def test_what_was_read_since_is_not_read_again(sqlite_db: Database) -> None:
    """A round that waited in the queue reads what is still stale, once."""
    answers = await looked_up(sqlite_db, 100)
    assert sorted(answers) == [f"wr{number:02d}" for number in range(2, 12)]
    assert all(isinstance(answer, GroupChat) for answer in answers.values())


async def test_a_failure_on_the_way_keeps_what_was_read(sqlite_db: Database) -> None:
    """The others are still stale: the next round takes them up. Only where nothing was read is it an error."""
    assert len(await looked_up(sqlite_db, 7)) == 7


async def test_a_platform_that_answers_nothing_is_an_error(sqlite_db: Database) -> None:
    """Then the worker tries the whole of it again a little later."""
    with pytest.raises(PlatformError):
        await looked_up(sqlite_db, 0)


# --- the list ---------------------------------------------------------------------------------------------------------


async def test_new_groups_are_read_one_after_another(sqlite_db: Database) -> None:
    """A thousand groups on the first day are spread over a minute, and wait for nobody's callback."""
    await listed(sqlite_db, *(f"wr{number:04d}" for number in range(1000)))
    async with sqlite_db.read() as tx:
        first, last = (await roster.group(tx, "wr0000"), await roster.group(tx, "wr0999"))
    assert first is not None
    assert last is not None
    assert (first.read_due_at, last.read_due_at) == (LATER, LATER + 999 * timedelta(milliseconds=50))


async def test_a_group_that_is_not_listed_any_more_is_read(town: Town) -> None:
    """Its own read says whether it is gone, or its owner out of sight."""
    await listed(town.db)
    assert (await stand(town.db))[1] == LATER


@pytest.mark.parametrize("how", ["hidden", "missing"])
async def test_a_group_that_is_listed_again_is_read(town: Town, how: str) -> None:
    """Out of sight or thought to be dismissed: while it is not listed nobody asks, and once it is it may be back."""
    await town.hear(READ, None, **{how: True})
    await listed(town.db, whole=True)
    assert (await stand(town.db))[1] is None
    await listed(town.db, "wr1")
    assert (await stand(town.db))[1] == LATER


async def test_a_group_as_it_was_is_left_to_the_rounds(town: Town) -> None:
    """The hourly list reads nothing of what it says nothing new about."""
    await listed(town.db, "wr1")
    async with town.db.read() as tx:
        assert await queue.next_due(tx, Inbox) is None
    assert (await stand(town.db))[1] is None


async def test_the_whole_is_looked_over_a_few_at_a_time(sqlite_db: Database) -> None:
    """Known groups, hidden ones too, fifty every five seconds; the same occasion twice is one."""
    ids = [f"wr{number:03d}" for number in range(120)]
    async with sqlite_db.write() as tx:
        await groups.add_groups(tx, ids, now=NOON)
        await groups.confirm(tx, ids, read_at=NOON)
        hidden = await roster.group(tx, "wr000")
        assert hidden is not None
        hidden.out_of_sight_at = NOON
    for _ in range(2):
        await listed(sqlite_db, *ids[1:], whole=True)
    batches = []
    async with sqlite_db.write() as tx:
        for second in (0, 5, 10, 15):
            at = LATER + timedelta(seconds=second)
            row = await queue.claim(tx, Inbox, now=at, lease=timedelta(minutes=1), token="t")
            if row is not None:
                event = inbox.event_of(row)
                assert isinstance(event, GroupsReadDue)
                batches.append((row.due_at - LATER, len(event.chat_ids)))
                await queue.finish(tx, Inbox, row.id, "t", "done", now=at)
    assert batches == [(timedelta(seconds=5 * n), size) for n, size in enumerate((50, 50, 20))]
