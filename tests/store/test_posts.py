"""Posts and sends on both engines: each exists once, is raised once, counted, and accounted for."""

from datetime import UTC, date, datetime, timedelta

import pytest

from store import own_sends, post_fates, posts, sends
from store.database import Database
from store.posts import CalendarRow, PostGroupRow, PostRow
from store.sends import SendRow

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def fire(name: str = "share", at: datetime = NOW) -> PostRow:
    return PostRow(key=f"post:{name}:{at.isoformat()}", name=name, day=date(2026, 11, 25), fire_at=at, say_at=at)


def send(key: str, *targets: str, about: str = "post:1", via: str = "task", at: datetime = NOW) -> SendRow:
    return SendRow(
        key=key, about=about, via=via, sender="wangwu", targets=list(targets), text="x", say_at=at, until=at + HOUR
    )


async def test_a_fire_and_a_send_exist_once(db: Database) -> None:
    """The second of one key is the first."""
    async with db.write() as tx:
        tx.add(fire())
        assert await sends.add(tx, send("a", "wr1", "wr2")) is not None
    async with db.write() as tx:
        assert await sends.add(tx, send("a", "wr3")) is None
        assert list(await posts.of_keys(tx, [fire().key, "post:other"])) == [fire().key]
        [row] = await sends.about(tx, "post:1")
        assert {target: each.got for target, each in (await sends.results(tx, row.id)).items()} == {
            "wr1": "waiting",
            "wr2": "waiting",
        }


async def test_no_send_goes_to_more_groups_than_the_platform_takes(db: Database) -> None:
    """2,000 of them (page 92135)."""
    async with db.write() as tx:
        with pytest.raises(ValueError, match="2000"):
            await sends.add(tx, send("a", *(f"wr{number}" for number in range(2001))))


async def test_what_is_due_is_raised_and_what_is_over_is_not(db: Database) -> None:
    """In the order of time; an end clears the rest."""
    async with db.write() as tx:
        row, made = fire(), send("a", "wr1")
        row.due_at, made.due_at = NOW, NOW + HOUR
        tx.add(row)
        await sends.add(tx, made)
    async with db.write() as tx:
        assert (await posts.next_due(tx), await sends.next_due(tx)) == (NOW, NOW + HOUR)
        assert [each.name for each in await posts.due(tx, now=NOW)] == ["share"]
        assert await sends.due(tx, now=NOW) == []
        await sends.look_again(tx, now=NOW)
    async with db.write() as tx:
        [made] = await sends.due(tx, now=NOW)
        [row] = await posts.due(tx, now=NOW)
        sends.end(made, "expired", now=NOW)
        posts.end(row, "skipped", "晚了", now=NOW)
    async with db.read() as tx:
        assert (await posts.next_due(tx), await sends.next_due(tx)) == (None, None)
        assert await posts.planned_after(tx, NOW - HOUR) == []


async def test_the_calendar_is_gone_over_for_each_config(db: Database) -> None:
    """Under another config nothing is known of it; after the clock went back it is due at once."""
    async with db.write() as tx:
        assert await posts.written_until(tx) is None
        tx.add(CalendarRow(id=1, until=NOW + DAY, looked_at=NOW, due_at=NOW + HOUR, config_id=1))
    async with db.write() as tx:
        assert (await posts.next_calendar(tx, 1), await posts.next_calendar(tx, 2)) == (NOW + HOUR, None)
        await posts.look_again(tx, now=NOW - DAY)
    async with db.read() as tx:
        assert (await posts.next_calendar(tx, 1), await posts.written_until(tx)) == (NOW - DAY, NOW + DAY)


async def test_pauses_are_set_and_lifted(db: Database) -> None:
    """Each once; "" is everything."""
    async with db.write() as tx:
        assert await posts.pause(tx, ["wr1", ""], now=NOW) == 2
        assert await posts.pause(tx, ["wr1"], now=NOW) == 0
        assert await posts.paused(tx) == {"wr1", ""}
        assert await posts.resume(tx, ["", "wr2"]) == 1
        assert await posts.paused(tx) == {"wr1"}


async def test_what_a_group_has_had_is_counted(db: Database) -> None:
    """Ours that arrived or still may, of the period; and what staff sent themselves, once per message."""
    async with db.write() as tx:
        for number, got in enumerate(("arrived", "waiting", "expired", "capped")):
            row = await sends.add(tx, send(f"{number}", "wr1"))
            assert row is not None
            (await sends.results(tx, row.id))["wr1"].got = got
        await sends.add(tx, send("by hand", "wr1", via="hand"))
        await sends.add(tx, send("next month", "wr1", at=NOW + 30 * DAY))
        for _ in range(2):
            await own_sends.note(tx, "msg1", {"wr1": NOW, "wr2": NOW})
        await own_sends.note(tx, "msg0", {"wr1": NOW - 70 * DAY})
    async with db.write() as tx:
        assert await sends.counted(tx, NOW - DAY, NOW + DAY) == {"wr1": 2}
        assert await own_sends.since(tx, NOW - DAY, ["wr1", "wr3"]) == {"wr1": 1}
        await own_sends.forget(tx, before=NOW - 62 * DAY)
        assert await own_sends.since(tx, NOW - 90 * DAY, ["wr1"]) == {"wr1": 1}


async def test_every_group_has_one_fate(db: Database) -> None:
    """What was capped and then sent by hand is by_hand; who was left out has the reason; the best thing counts."""
    async with db.write() as tx:
        row = fire()
        tx.add(row)
        await tx.flush()
        first = await sends.add(tx, send("a", "wr1", "wr2", "wr3", about=row.about))
        second = await sends.add(tx, send("b", "wr2", about=row.about, via="hand"))
        assert first is not None
        assert second is not None
        results = await sends.results(tx, first.id)
        results["wr1"].got, results["wr2"].got, results["wr3"].got = "arrived", "capped", "expired"
        (await sends.results(tx, second.id))["wr2"].got = "arrived"
        for _ in range(2):
            await posts.leave_out(tx, row.key, "wr4", "merged", "并在一起", into_key="post:other", now=NOW)
    async with db.read() as tx:
        [found] = await post_fates.fates(tx, NOW, NOW + HOUR)
        assert {each.chat_id: each.fate for each in found.groups.values()} == {
            "wr1": "arrived",
            "wr2": "by_hand",
            "wr3": "unconfirmed",
            "wr4": "merged",
        }
        assert found.groups["wr4"].into_key == "post:other"
        assert [each.chat_id for each in await posts.merged_into(tx, "post:other")] == ["wr4"]
        assert await sends.taken(tx, ["nobody's"]) == set()


async def test_what_ended_two_years_ago_is_forgotten_whole_and_nothing_else(db: Database) -> None:
    """With the results of its groups and the groups it left out; what has no end yet stays, however old."""
    old, young = NOW - posts.KEPT - DAY, NOW - posts.KEPT + DAY
    async with db.write() as tx:
        for name, ended in (("old", old), ("young", young), ("open", None)):
            row = fire(name)
            row.ended_at = ended
            tx.add_all([row, PostGroupRow(post_key=row.key, chat_id="wr1", way="dropped", at=NOW)])
            made = await sends.add(tx, send(name, "wr1", about=name))
            assert made is not None
            made.ended_at = ended
    async with db.write() as tx:
        assert [await posts.prune(tx, now=NOW, at_most=5), await posts.prune(tx, now=NOW)] == [1, 0]
        assert [await sends.prune(tx, now=NOW, at_most=5), await sends.prune(tx, now=NOW)] == [1, 0]
    async with db.read() as tx:
        kept = {fire("young").key, fire("open").key}
        assert set(await posts.of_keys(tx, [fire(name).key for name in ("old", "young", "open")])) == kept
        assert {each.post_key for each in await posts.left_out(tx, [*kept, fire("old").key])} == kept
        assert not await sends.about(tx, "old")
        [left] = await sends.about(tx, "young")
        assert list(await sends.results(tx, left.id)) == ["wr1"]
        assert {each.send_id for each in await sends.results_of(tx, [1, 2, 3])} == {2, 3}
