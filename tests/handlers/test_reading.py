"""What a read shows is believed as far as it can be: reads lag, and not all servers agree at once (page 96338)."""

from datetime import datetime, timedelta

import pytest
from loguru import logger

from handlers.reading import MOST_READS, SETTLE
from rules.events import GroupChanged, GroupCreated, GroupDismissed, MembersJoined, MembersLeft
from rules.facts import Member
from store import roster
from store.database import Database
from tests.handlers.town import LONG_AGO, NOON, READ, SOON, Town, chat, joined, left
from wecom.lookups import GroupChat

SECOND = timedelta(seconds=1)


def since(read: GroupChat, **joined_at: datetime) -> GroupChat:
    """The same read, with these people in it since then."""
    others = [member for member in read.members if member.external_userid not in joined_at]
    known = [Member(external_userid=who, name=f"名{who}", joined_at=at) for who, at in joined_at.items()]
    return read.model_copy(update={"members": (*others, *known)})


# --- versions ---------------------------------------------------------------------------------------------------------


async def test_an_older_state_nobody_told_of_does_not_push_the_true_one_out(town: Town) -> None:
    """Servers disagree: after the news, one more read tells a state between. The true one is not taken for old then."""
    await town.hear(READ, chat("v3", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(READ, chat("v2", "wmA", "wmB"))
    assert (await town.group()).in_doubt
    await town.hear(READ, chat("v3", "wmA", "wmB", "woX", joined_at=NOON))
    group = await town.group()
    assert (group.version, group.in_doubt, group.read_due_at) == ("v3", False, None)
    assert await town.people() == {"wmA", "wmB", "woX"}


async def test_in_doubt_no_callback_is_applied_by_itself(town: Town) -> None:
    """The roster is then not exactly that of its version: what follows that version need not follow what we have."""
    await town.hear(READ, chat("v3", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(READ, chat("v9", "wmA", "wmB"))
    await town.hear(left("v3", "v4", "wmA"))
    assert await town.people() == {"wmA", "wmB", "woX"}
    assert (await town.group()).awaited_version == "v4"


async def test_a_version_that_comes_back_is_believed_in_the_end(town: Town) -> None:
    """If versions are made of who is inside, an old one may be true again: in the end the platform is right."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    reads = 0
    await town.hear(READ, chat("v1", "wmA", "wmB"))
    while (due := (await town.group()).read_due_at) is not None:
        town.now = due
        await town.hear(READ, chat("v1", "wmA", "wmB"))
        reads += 1
    assert await town.people() == {"wmA", "wmB"}
    assert (await town.group()).version == "v1"
    assert reads == MOST_READS


async def test_a_callback_without_versions_is_no_next_one(sqlite_db: Database) -> None:
    """Of a group never read there is no version to follow: a leave is not applied to nothing and called a roster."""
    town = Town(sqlite_db)
    async with sqlite_db.write() as tx:
        await roster.known_or_new(tx, "wr1", now=NOON)
    bare = MembersLeft(at=NOON, chat_id="wr1", members=("wmA",), count=1, last_version=None, version="v2", quit_scene=0)
    await town.hear(bare)
    group = await town.group()
    assert (group.version, group.read_due_at) == (None, NOON + SECOND)


@pytest.mark.parametrize("event", [left("v1", "v2", "wmA"), joined("v1", "v2", "woX")], ids=["left", "joined"])
async def test_a_list_that_names_too_few_is_not_applied_by_itself(
    town: Town, event: MembersLeft | MembersJoined
) -> None:
    """MemChangeCnt says 2 and MemChangeList names one: the group is read."""
    await town.hear(event.model_copy(update={"count": 2}))
    group = await town.group()
    assert (group.version, group.awaited_version) == ("v1", "v2")
    assert group.read_due_at is not None


async def test_a_late_callback_is_not_waited_for(town: Town) -> None:
    """Its version is long past: a read made now shows it, and is not repeated for minutes."""
    await town.wait(SETTLE)
    await town.hear(joined("v7", "v8", "woX"), chat("v9", "wmA", "wmB"))
    assert (await town.group()).read_due_at is None


# --- people -----------------------------------------------------------------------------------------------------------


async def test_a_leave_of_an_earlier_stay_does_not_end_this_one(town: Town) -> None:
    """They left, came back, and the read that comes with the late callback is from between: they are still there."""
    back = since(chat("v3", "wmB"), wmA=NOON + SOON)
    await town.wait(SOON)
    await town.hear(READ, back)
    await town.hear(left("v5", "v6", "wmA", at=NOON), chat("v2", "wmB"))
    assert await town.people() == {"wmA", "wmB"}


async def test_an_older_stay_does_not_replace_the_newer_one(town: Town) -> None:
    """Who came back a moment ago is not set back to their first stay by a read from before."""
    await town.hear(READ, since(chat("v3", "wmB"), wmA=town.now))
    await town.hear(READ, chat("v2", "wmA", "wmB"))
    async with town.db.read() as tx:
        member = await roster.member(tx, "wr1", "wmA")
    assert member is not None
    assert member.joined_at == town.now
    assert (await town.group()).in_doubt


async def test_who_came_back_before_we_heard_of_their_leave_is_there_at_once(town: Town) -> None:
    """The time of a leave is the callback's, not the hour at which it arrived."""
    await town.wait(timedelta(minutes=1))
    await town.hear(left("v1", "v2", "wmA", at=NOON))
    await town.hear(READ, since(chat("v3", "wmB"), wmA=NOON + 3 * SECOND))
    assert await town.people() == {"wmA", "wmB"}
    assert not (await town.group()).in_doubt


async def test_a_leave_that_names_nobody_is_believed_of_the_version_it_announces(town: Town) -> None:
    """Without MemChangeList the read says who left: it shows the very version that the callback dates after their join,
    at once or after lagging behind, so it is no older state and is not waited for.
    """
    rival_is_in = since(chat("v2", "wmA", "wmB"), woX=NOON)
    await town.hear(joined("v1", "v2"), rival_is_in)
    await town.wait(SOON)
    await town.hear(left("v2", "v3", at=town.now), rival_is_in)
    assert await town.people() == {"wmA", "wmB", "woX"}
    await town.wait(SECOND)
    await town.hear(READ, chat("v3", "wmA", "wmB"))
    group = await town.group()
    assert (group.version, group.in_doubt, group.read_due_at) == ("v3", False, None)
    assert await town.people() == {"wmA", "wmB"}
    assert await town.cases() == [("woX", "gone")]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (left("v5", "v6"), "v6"),
        (left("v2", "v3", at=NOON + SOON), "v9"),
        (left("v5", "v6", "wmC", at=NOON + SOON), "v6"),
        (joined("v5", "v6", "wmC", at=NOON + SOON), "v6"),
    ],
    ids=["same second, not next", "another version than announced", "somebody else left", "somebody joined"],
)
async def test_only_the_leave_that_names_nobody_proves_who_is_gone(
    town: Town, told: MembersLeft | MembersJoined, shown: str
) -> None:
    """Else they may only not be shown yet; or a callback will say who left, and whether somebody removed them."""
    await town.hear(joined("v1", "v2"), since(chat("v2", "wmA", "wmB"), woX=NOON))
    await town.wait(SOON)
    await town.hear(told, chat(shown, "wmA", "wmB"))
    assert (await town.group()).in_doubt
    assert await town.people() == {"wmA", "wmB", "woX"}
    assert await town.cases() == [("woX", None)]


async def test_who_left_in_the_second_they_came_is_gone(town: Town) -> None:
    """Dates in whole seconds cannot tell, but the version shown is the very next one after ours, which had them."""
    await town.hear(joined("v1", "v2"), since(chat("v2", "wmA", "wmB"), woX=NOON))
    await town.hear(left("v2", "v3"), chat("v3", "wmA", "wmB"))
    assert await town.people() == {"wmA", "wmB"}
    assert not (await town.group()).in_doubt


async def test_a_colleague_who_leaves_is_no_admin_any_more(sqlite_db: Database) -> None:
    """A leave that is applied without a read takes our own people off the group too."""
    town = Town(sqlite_db)
    read = chat("v1", "wmA").model_copy(update={"staff": ("wangwu", "zhaoliu"), "admins": ("zhaoliu",)})
    await town.hear(READ, read)
    await town.hear(left("v1", "v2", "zhaoliu"))
    group = await town.group()
    assert (group.staff, group.admins, group.version) == (["wangwu"], [], "v2")


async def test_a_new_name_is_kept_and_nobody_is_judged_for_it(town: Town) -> None:
    """People rename themselves; that is no news to any rule."""
    renamed = chat("v1", "wmA", "wmB").model_copy(
        update={
            "members": (Member(external_userid="wmA", name="新名字", joined_at=LONG_AGO), chat("", "wmB").members[0])
        }
    )
    assert await town.hear(READ, renamed) == []
    async with town.db.read() as tx:
        member = await roster.member(tx, "wr1", "wmA")
    assert member is not None
    assert member.name == "新名字"


async def test_a_unionid_that_comes_later_is_news(town: Town) -> None:
    """Only people on WeChat have one: rules are asked anew, and what was asked for want of it is taken back."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    assert await town.cases() == [("woX", None)]
    known = Member(external_userid="woX", name="名woX", joined_at=NOON, unionid="o1")
    read = chat("v2", "wmA", "wmB", joined_at=NOON)
    await town.hear(READ, read.model_copy(update={"members": (*read.members, known)}))
    assert await town.cases() == [("woX", "withdrawn")]


# --- groups -----------------------------------------------------------------------------------------------------------


async def test_a_group_too_new_to_be_read_is_not_dismissed(sqlite_db: Database) -> None:
    """The event comes before the read API knows: it is asked again, and only later believed that there is no group."""
    town = Town(sqlite_db)
    await town.hear(GroupCreated(at=NOON, chat_id="wr1"), None, missing=True)
    group = await town.group()
    assert (group.dismissed_at, group.read_due_at) == (None, NOON + SECOND)
    town.now = NOON + SETTLE
    await town.hear(READ, None, missing=True)
    assert (await town.group()).dismissed_at is not None


async def test_a_new_group_that_one_server_does_not_know_is_not_dismissed(sqlite_db: Database) -> None:
    """It was read a moment ago, and was made a moment before that."""
    town = Town(sqlite_db)
    await town.hear(READ, chat("v1", "wmA").model_copy(update={"created_at": NOON}))
    await town.wait(SOON)
    await town.hear(READ, None, missing=True)
    assert (await town.group()).dismissed_at is None
    assert await town.people() == {"wmA"}


async def test_an_older_read_does_not_revive_a_dismissed_group(town: Town) -> None:
    """Only what is still shown minutes later is there: then the group, and who is in it, are back."""
    await town.hear(GroupDismissed(at=NOON, chat_id="wr1"))
    await town.hear(GroupChanged(at=NOON, chat_id="wr1", detail="change_name"), chat("v9", "wmA", "woX"))
    assert (await town.group()).dismissed_at is not None
    assert await town.people() == set()
    await town.wait(SETTLE)
    await town.hear(READ, chat("v9", "wmA"))
    assert (await town.group()).dismissed_at is None
    assert await town.people() == {"wmA"}


async def test_a_group_out_of_sight_is_kept_as_it_was(town: Town) -> None:
    """Its owner left the visible range: roster and cases stay, it is said once, and a read that works ends it."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    warnings: list[str] = []
    listening = logger.add(lambda message: warnings.append(str(message)), level="WARNING")
    await town.wait(SETTLE)
    hidden_at = town.now
    for _ in range(3):
        await town.hear(READ, None, hidden=True)
        await town.wait(SETTLE)
    logger.remove(listening)
    group = await town.group()
    assert (group.out_of_sight_at, group.dismissed_at, group.read_due_at) == (hidden_at, None, None)
    assert [line for line in warnings if "out of sight" in line] == warnings[:1]
    assert await town.people() == {"wmA", "wmB", "woX"}
    assert await town.cases() == [("woX", None)]
    await town.hear(READ, chat("v5", "wmA", "wmB"))
    assert (await town.group()).out_of_sight_at is None
    assert await town.cases() == [("woX", "gone")]
