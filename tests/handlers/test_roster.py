"""Group events and reads → the roster. A read may lag, a callback may be late, doubled or lost."""

from datetime import timedelta

import pytest

from handlers.roster import SETTLE
from rules.events import GroupChanged, GroupDismissed, MembersJoined
from rules.facts import Member
from store import cards, removal, todo
from store.database import Database
from tests.handlers.town import NOON, READ, SOON, Town, chat, joined, left


async def test_who_joined_is_judged_once(town: Town) -> None:
    """A join with its read puts the person on the roster and asks the rules; the same callback again does nothing."""
    decisions = await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    assert [each.subject for each in decisions if each.verdict == "hit"] == ["woX"]
    await town.wait(SOON)
    assert await town.hear(joined("v1", "v2", "woX")) == []
    assert await town.people() == {"wmA", "wmB", "woX"}


async def test_who_was_inside_before_us_gets_no_card(sqlite_db: Database) -> None:
    """People of other companies who were there on our first day are on the owner's list; no card is planned."""
    town = Town(sqlite_db)
    decisions = await town.hear(READ, chat("v1", "woOld"))
    assert [each.verdict for each in decisions if each.rule == "other_company"] == ["hit"]
    assert await town.cases() == [("woOld", None)]
    async with sqlite_db.read() as tx:
        assert await cards.next_due(tx) is None
        assert [row.userid for row in await todo.due(tx, now=NOON + timedelta(minutes=10))] == ["wangwu"]


async def test_a_join_whose_read_lags_is_judged_when_a_read_shows_it(town: Town) -> None:
    """A read that answers the state before the join is not taken for news, and is made again within seconds."""
    assert await town.hear(joined("v1", "v2", "woX"), chat("v1", "wmA", "wmB")) == []
    assert "woX" in await town.people()
    due = (await town.group()).read_due_at
    assert due is not None
    assert due - town.now <= timedelta(seconds=2)
    await town.wait(SOON)
    decisions = await town.hear(READ, chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    assert [each.subject for each in decisions if each.verdict == "hit"] == ["woX"]
    assert (await town.group()).read_due_at is None


async def test_a_leave_that_follows_is_applied_without_a_read(town: Town) -> None:
    """Where LastMemVer is the version we have, the callback's own list is enough."""
    await town.hear(left("v1", "v2", "wmA"))
    assert await town.people() == {"wmB"}
    assert (await town.group()).version == "v2"


async def test_an_older_read_does_not_bring_back_who_left(town: Town) -> None:
    """After a leave, a read that still answers the version before is recognised."""
    await town.hear(left("v1", "v2", "wmA"))
    await town.hear(READ, chat("v1", "wmA", "wmB"))
    assert await town.people() == {"wmB"}


async def test_an_unknown_older_read_does_not_bring_back_who_just_left(town: Town) -> None:
    """Even under a version that we never saw, somebody who left a moment ago is not taken for back."""
    await town.hear(left("v1", "v3", "wmA"), None)
    await town.hear(READ, chat("v2", "wmA", "wmB"))
    assert await town.people() == {"wmB"}


async def test_a_late_leave_does_not_remove_who_came_back(town: Town) -> None:
    """Left, came back, and the two callbacks arrive in the wrong order: the person is there."""
    back = chat("v3", "wmB").model_copy(
        update={"members": (*chat("v3", "wmB").members, Member(external_userid="wmA", joined_at=NOON + SOON))}
    )
    await town.hear(joined("v2", "v3", "wmA"), back)
    await town.wait(SOON)
    await town.hear(left("v1", "v2", "wmA", scene=0))
    assert await town.people() == {"wmA", "wmB"}


async def test_somebody_who_came_a_moment_ago_is_not_gone_on_one_reads_word(town: Town) -> None:
    """A read under an unknown version that lacks a newcomer may be old: it is made again, and believed later."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(READ, chat("v9", "wmA", "wmB"))
    assert "woX" in await town.people()
    assert (await town.group()).read_due_at is not None
    await town.wait(SETTLE + SOON)
    await town.hear(READ, chat("v9", "wmA", "wmB"))
    assert await town.people() == {"wmA", "wmB"}


@pytest.mark.parametrize(("scene", "outcome"), [(1, "removed"), (0, "left"), (7, "gone")])
async def test_a_leave_closes_the_case(town: Town, scene: int, outcome: str) -> None:
    """How somebody left (QuitScene) is how their case ended; an unknown number claims nothing."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    assert await town.cases() == [("woX", None)]
    await town.hear(left("v2", "v3", "woX", scene=scene))
    assert await town.cases() == [("woX", outcome)]


async def test_a_leave_out_of_step_needs_the_read_too(town: Town) -> None:
    """Where a callback between was lost, the event and a fresh read together are the evidence."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(left("v5", "v6", "woX"), chat("v6", "wmA", "wmB"))
    assert await town.cases() == [("woX", "removed")]


async def test_a_lost_callback_is_found_by_the_next_read(town: Town) -> None:
    """Who came and went without a callback is on the roster, judged and closed, after one read."""
    decisions = await town.hear(READ, chat("v7", "wmA", "woX", joined_at=NOON))
    assert [each.subject for each in decisions if each.verdict == "hit"] == ["woX"]
    assert await town.people() == {"wmA", "woX"}


async def test_who_comes_back_is_judged_anew(town: Town) -> None:
    """A second stay is a second case."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(left("v2", "v3", "woX"))
    await town.wait(timedelta(minutes=5))
    again = chat("v4", "wmA", "wmB").model_copy(
        update={"members": (*chat("v4", "wmA", "wmB").members, Member(external_userid="woX", joined_at=town.now))}
    )
    await town.hear(joined("v3", "v4", "woX", at=town.now), again)
    assert await town.cases() == [("woX", "removed"), ("woX", None)]


async def test_reads_of_one_group_are_a_second_apart(town: Town) -> None:
    """A join right after a read is noted at once and read a second later, together with others of that second."""
    town.now = NOON + timedelta(milliseconds=300)
    await town.hear(joined("v1", "v2", "wmC"))
    await town.hear(joined("v2", "v3", "wmD"))
    assert await town.people() == {"wmA", "wmB", "wmC", "wmD"}
    assert (await town.group()).read_due_at == NOON + timedelta(seconds=1)


async def test_a_dismissed_group_closes_its_cases(town: Town) -> None:
    """With the group, every question about who is in it is gone."""
    await town.hear(joined("v1", "v2", "woX"), chat("v2", "wmA", "wmB", "woX", joined_at=NOON))
    await town.hear(GroupDismissed(at=NOON, chat_id="wr1"))
    assert await town.cases() == [("woX", "dismissed")]
    assert await town.people() == set()


async def test_a_group_that_the_platform_does_not_know_is_dismissed(town: Town) -> None:
    """A callback lost, a group gone: the read says so."""
    await town.hear(READ, None, missing=True)
    assert (await town.group()).dismissed_at is not None


async def test_a_rename_never_moves_a_group(town: Town) -> None:
    """A group stays of the kind it had at first sight: rules must not change because somebody edits a name."""
    await town.hear(GroupChanged(at=NOON, chat_id="wr1", detail="change_name"), chat("v1", "wmA", "wmB", name="闲聊"))
    group = await town.group()
    assert (group.name, group.kind) == ("闲聊", "members")


async def test_our_own_staff_are_no_members(town: Town) -> None:
    """A colleague who joins is in the callback's list, and on no roster of external people."""
    await town.hear(joined("v1", "v2", "zhaoliu"), chat("v2", "wmA", "wmB"))
    assert await town.people() == {"wmA", "wmB"}


async def test_whom_a_callback_announces_is_new_whatever_their_join_time(sqlite_db: Database) -> None:
    """Our first sight of a group may be a join: who is named in it has come now, the others were there before us."""
    town = Town(sqlite_db)
    decisions = await town.hear(joined("v1", "v2", "woNew"), chat("v2", "woOld", "woNew"))
    assert [each.verdict for each in decisions if each.rule == "other_company"] == ["hit", "hit"]
    async with sqlite_db.read() as tx:
        assert {case.external_userid: case.listed for case in await removal.open_cases(tx)} == {
            "woNew": False,
            "woOld": True,
        }


async def test_a_platform_without_versions_is_read_each_time(sqlite_db: Database) -> None:
    """Older tenants give no member_version: nothing is skipped for want of it, and nothing is read for ever."""
    town = Town(sqlite_db)
    await town.hear(READ, chat("", "wmA"))
    await town.wait(SETTLE + SOON)
    bare = MembersJoined(
        at=town.now, chat_id="wr1", members=None, count=None, last_version=None, version=None, join_scene=None
    )
    decisions = await town.hear(bare, chat("", "wmA", "woX", joined_at=town.now))
    assert [each.subject for each in decisions if each.verdict == "hit"] == ["woX"]
    assert (await town.group()).read_due_at is None
