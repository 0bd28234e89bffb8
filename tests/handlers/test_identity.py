"""Who visitors are, on a database: found, joined on certain evidence only, and parted again with all that is theirs."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import col, select

from handlers import identity
from handlers.identity import Visitor
from rules.facts import Member
from rules.identity import Evidence, Proof
from store import identities, openids, roster
from store.database import Clash, Database, Tx
from store.identities import ProofRow, TieRow, VisitorRow
from store.roster import GroupRow

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CORP, SHOP = "wwcorp", "wxshop"


def opens(value: str, evidence: Evidence = "oauth", appid: str = CORP) -> Proof:
    return Proof(kind="openid", value=value, appid=appid, evidence=evidence)


def external(value: str, evidence: Evidence = "oauth", source: str = "") -> Proof:
    return Proof(kind="external_userid", value=value, evidence=evidence, source=source)


def union(value: str, evidence: Evidence = "mp_oauth") -> Proof:
    return Proof(kind="unionid", value=value, evidence=evidence)


async def comes(tx: Tx, *proofs: Proof) -> Visitor:
    return await identity.visitor_of(tx, proofs, now=NOW)


@pytest.fixture
def ledger() -> "Ledger":
    return Ledger()


async def ties_of(tx: Tx, visitor_id: int) -> list[TieRow]:
    return await identities.ties_about(tx, [row.id for row in await identities.proofs_of(tx, visitor_id)])


async def all_of(tx: Tx, visitor_id: int) -> set[str]:
    return {row.value for row in await identities.proofs_of(tx, visitor_id)}


async def test_the_same_openid_is_the_same_visitor(db: Database) -> None:
    """Whoever comes back is who they were; another openid, or the same of another app, is somebody else."""
    async with db.write() as tx:
        first = await comes(tx, opens("oA"))
        again = await comes(tx, opens("oA"))
        other = await comes(tx, opens("oB"))
        elsewhere = await comes(tx, opens("oA", appid=SHOP))
    assert (first.came_to, again.came_to) == ("new", "known")
    assert first.visitor_id == again.visitor_id
    assert len({first.visitor_id, other.visitor_id, elsewhere.visitor_id}) == 3


async def test_what_oauth_tells_together_is_one_visitor(db: Database) -> None:
    """OAuth names openid and external_userid in one answer: both lead to one visitor, and stay so."""
    async with db.write() as tx:
        visitor = await comes(tx, opens("oA"), external("wmA"))
        assert visitor.came_to == "new"
        assert await identities.external_of(tx, visitor.visitor_id) == "wmA"
        assert await identities.visitor_with(tx, "external_userid", "wmA") == visitor.visitor_id
        assert await identities.visitor_with(tx, "openid", "oA", CORP) == visitor.visitor_id
        assert await identities.visitor_with(tx, "openid", "oA", SHOP) is None


async def test_somebody_added_later_becomes_known_to_the_roster(db: Database) -> None:
    """Step (e): once staff have added them, the next login tells the external_userid, and nothing of theirs is lost."""
    async with db.write() as tx:
        before = await comes(tx, opens("oA"))
        assert await identities.external_of(tx, before.visitor_id) is None
        after = await comes(tx, opens("oA"), external("wmA"))
        assert after.visitor_id == before.visitor_id
        assert await identities.external_of(tx, before.visitor_id) == "wmA"


async def test_one_joiner_of_a_state_is_bound(db: Database) -> None:
    """Step (b): the only person who came through the join way of this scan is the visitor who was shown it."""
    async with db.write() as tx:
        visitor = (await comes(tx, opens("oA"))).visitor_id
        bound = await identity.bind_by_state(tx, visitor, "seat-1", ["wmA"], now=NOW)
        assert bound is not None
        assert await identities.external_of(tx, visitor) == "wmA"


@pytest.mark.parametrize("first_alone", [False, True])
async def test_two_joiners_of_a_state_bind_nobody(db: Database, first_alone: bool) -> None:
    """Nobody can tell which of them was meant, also where the second comes when the first was bound already."""
    async with db.write() as tx:
        visitor = (await comes(tx, opens("oA"))).visitor_id
        if first_alone:
            await identity.bind_by_state(tx, visitor, "seat-1", ["wmA"], now=NOW)
        assert await identity.bind_by_state(tx, visitor, "seat-1", ["wmA", "wmB"], now=NOW) is None
        assert await all_of(tx, visitor) == {"oA"}


async def test_what_the_platform_confirms_outlives_a_second_joiner(db: Database) -> None:
    """An inference that the platform has confirmed since is not taken back because somebody else used the code, too."""
    async with db.write() as tx:
        visitor = (await comes(tx, opens("oA"))).visitor_id
        await identity.bind_by_state(tx, visitor, "seat-1", ["wmA"], now=NOW)
        await identity.openid_told(tx, "wmA", "oA", corp_id=CORP, now=NOW)
        assert await identity.bind_by_state(tx, visitor, "seat-1", ["wmA", "wmB"], now=NOW) is None
        assert await identities.external_of(tx, visitor) == "wmA"


async def test_a_stranger_with_a_copied_code_is_found_out(db: Database) -> None:
    """Where the joiner's openid can be computed and is not the holder's, the binding by state is undone."""
    async with db.write() as tx:
        holder = (await comes(tx, opens("oA"))).visitor_id
        await identity.bind_by_state(tx, holder, "seat-1", ["wmB"], now=NOW)
        told = await identity.openid_told(tx, "wmB", "oB", corp_id=CORP, now=NOW)
        assert told is not None
        assert await all_of(tx, holder) == {"oA"}
        assert told.visitor_id != holder
        assert await all_of(tx, told.visitor_id) == {"oB", "wmB"}
        [wrong] = [tie for tie in await ties_of(tx, holder) if tie.undone_at]
        assert "作废" in wrong.undone_because


async def test_the_same_person_by_two_ways_is_merged_once(db: Database) -> None:
    """Their seat's state and their openid computed later both say so: one visitor, merged once, both numbers good."""
    async with db.write() as tx:
        by_page = (await comes(tx, opens("oA"))).visitor_id
        by_roster = (await comes(tx, external("wmA", "roster"), union("uA", "roster"))).visitor_id
        await identity.bind_by_state(tx, by_page, "seat-1", ["wmA"], now=NOW)
        for _ in range(2):
            await identity.openid_told(tx, "wmA", "oA", corp_id=CORP, now=NOW)
            await comes(tx, opens("oA"), external("wmA"))
        assert await identities.visitor_now(tx, by_roster) == by_page
        assert await all_of(tx, by_page) == {"oA", "wmA", "uA"}
        ties = await ties_of(tx, by_page)
        assert [tie.evidence for tie in ties] == ["roster", "join_state", "converted"]
        assert [tie.gone for tie in ties if by_roster in (tie.kept, tie.gone)][1:] == [by_roster]


async def test_a_contradicted_inference_is_not_made(db: Database) -> None:
    """Somebody whose openid is known cannot be bound to another visitor by a state."""
    async with db.write() as tx:
        await comes(tx, opens("oB"), external("wmB"))
        holder = (await comes(tx, opens("oA"))).visitor_id
        bound = await identity.bind_by_state(tx, holder, "seat-1", ["wmB"], now=NOW)
        assert bound is not None
        assert (bound.came_to, bound.visitor_id) == ("apart", holder)
        assert await all_of(tx, holder) == {"oA"}


async def test_two_answers_of_the_platform_that_contradict_join_nobody(db: Database) -> None:
    """Never two openids of one app on one visitor, even where the platform itself seems to say so."""
    async with db.write() as tx:
        one = (await comes(tx, opens("oA"), external("wmA"))).visitor_id
        other = await comes(tx, opens("oB"), external("wmA"))
        assert other.came_to == "apart"
        assert await all_of(tx, one) == {"oA", "wmA"}
        assert await all_of(tx, other.visitor_id) == {"oB"}


async def test_a_merge_that_was_wrong_is_split_with_all_rows_back(db: Database, ledger: "Ledger") -> None:
    """Rows of other tables go with a merge and come back with a split; what came since stays where it was written."""
    async with db.write() as tx:
        one = (await comes(tx, opens("oA"))).visitor_id
        two = (await comes(tx, external("wmA", "roster"))).visitor_id
        ledger.of = {"seat of one": one, "seat of two": two}
        await identity.bind_by_state(tx, one, "seat-1", ["wmA"], now=NOW, rows=[ledger])
        assert set(ledger.of.values()) == {one}
        ledger.of["written since"] = one
        [tie] = await identities.ties_by(tx, "seat-1", "join_state")
        for _ in range(2):  # pressing twice does no harm
            await identity.split(tx, tie.id, because="两位顾客用了同一个码", now=NOW, rows=[ledger])
        assert ledger.of == {"seat of one": one, "seat of two": two, "written since": one}
        assert (await all_of(tx, one), await all_of(tx, two)) == ({"oA"}, {"wmA"})
        assert await identities.visitor_now(tx, two) == two
        assert (tie.undone_at, tie.undone_because) == (NOW, "两位顾客用了同一个码")


@pytest.mark.parametrize("inner_first", [True, False])
async def test_merges_within_merges_are_split_in_any_order(db: Database, ledger: "Ledger", inner_first: bool) -> None:
    """Whoever was merged twice over comes back with what was theirs, whichever merge is undone first."""
    async with db.write() as tx:
        a = (await comes(tx, opens("oA"))).visitor_id
        b = (await comes(tx, opens("oB", appid=SHOP))).visitor_id
        c = (await comes(tx, external("wmC", "roster"))).visitor_id
        ledger.of = {"a": a, "b": b, "c": c}
        for proofs in (
            [opens("oB", appid=SHOP), external("wmC", "roster")],
            [opens("oA"), opens("oB", "same_login", SHOP)],
        ):
            await identity.visitor_of(tx, proofs, now=NOW, rows=[ledger])
        assert set(ledger.of.values()) == {a}
        inner, outer = [tie.id for tie in await ties_of(tx, a)]
        for number in (inner, outer) if inner_first else (outer, inner):
            await identity.split(tx, number, because="错了", now=NOW, rows=[ledger])
        assert ledger.of == {"a": a, "b": b, "c": c}
        assert [await all_of(tx, each) for each in (a, b, c)] == [{"oA"}, {"oB"}, {"wmC"}]


async def test_a_computed_openid_says_who_opens_the_page(db: Database) -> None:
    """Step (c): what was asked about the roster beforehand names whoever has that openid; two of one are none."""
    async with db.write() as tx:
        await openids.note(tx, "wmA", openid="oA", errcode=0, now=NOW)
        visitor = await identity.arrived(tx, [opens("oA")], now=NOW)
        assert await identities.external_of(tx, visitor.visitor_id) == "wmA"
        await openids.note(tx, "wmX", openid="oX", errcode=0, now=NOW)
        await openids.note(tx, "wmY", openid="oX", errcode=0, now=NOW)
        unclear = await identity.arrived(tx, [opens("oX")], now=NOW)
        assert await identities.external_of(tx, unclear.visitor_id) is None


@pytest.mark.parametrize("on_roster_first", [True, False])
async def test_a_unionid_leads_to_the_roster(db: Database, on_roster_first: bool) -> None:
    """Step (d): the 公众号's unionid is matched with the rosters, whichever of the two is known first."""
    member = Member(external_userid="wmA", unionid="uA", joined_at=NOW)
    async with db.write() as tx:
        tx.add(GroupRow(chat_id="wr1", watched_since=NOW))
        await tx.flush()
        if on_roster_first:
            await roster.write_members(tx, "wr1", [member], announced=(), now=NOW)
        visitor = await comes(tx, opens("oA"))
        [proof] = await identities.proofs_of(tx, visitor.visitor_id)
        await identity.arrived_by_mp(tx, proof.home, [opens("mA", "same_login", SHOP), union("uA")], now=NOW)
        await identity.members_seen(tx, [member], now=NOW)
        assert await all_of(tx, visitor.visitor_id) == {"oA", "mA", "uA", "wmA"}


async def test_who_is_forgotten_is_somebody_new(db: Database) -> None:
    """No id, no tie and no computed openid is left of a visitor, and their number leads nowhere; others keep theirs."""
    async with db.write() as tx:
        await openids.note(tx, "wmA", openid="oA", errcode=0, now=NOW)
        other = (await comes(tx, opens("oB"), external("wmB"))).visitor_id
        visitor = (await identity.arrived(tx, [opens("oA")], now=NOW)).visitor_id
        await identity.forget(tx, visitor, now=NOW)
        assert await identities.visitor_now(tx, visitor) is None
        assert await openids.whose(tx, "oA") is None
        assert len((await tx.exec(select(TieRow))).all()) == 1
        assert await all_of(tx, other) == {"oB", "wmB"}
        again = await identity.arrived(tx, [opens("oA")], now=NOW)
        assert (again.came_to, await identities.external_of(tx, again.visitor_id)) == ("new", None)
        assert again.visitor_id > visitor
        with pytest.raises(LookupError):
            await identity.forget(tx, visitor, now=NOW)


async def test_everything_can_be_asked_after_a_merge(db: Database) -> None:
    """Merges say in Chinese what made two people one, by which id, and both old numbers lead to them."""
    async with db.write() as tx:
        one = (await comes(tx, opens("oA"))).visitor_id
        two = (await comes(tx, external("wmA", "roster"))).visitor_id
        await identity.bind(tx, one, external("wmA", "join_state", "seat-1"), now=NOW)
        assert await identities.visitor_now(tx, two) == one
        [tie] = await ties_of(tx, one)
        assert (tie.kept, tie.gone, tie.source) == (one, two, "seat-1")
        assert "入群码" in tie.because
        with pytest.raises(LookupError):
            await identity.bind(tx, 12345, external("wmB", "join_state"), now=NOW)


# --- property ---------------------------------------------------------------------------------------------------------


class Town:
    """People with all their ids, and what the platform would truly say of them."""

    def __init__(self, chance: random.Random, people: int) -> None:
        self.chance = chance
        self.people = range(people)

    def told(self) -> list[Proof]:
        """A true answer of the platform about somebody."""
        who = self.chance.choice(self.people)
        ways: list[Callable[[int], list[Proof]]] = [
            lambda n: [opens(f"o{n}")],
            lambda n: [opens(f"o{n}"), external(f"wm{n}")],
            lambda n: [external(f"wm{n}", "converted"), opens(f"o{n}", "converted")],
            lambda n: [opens(f"m{n}", "mp_oauth", SHOP), union(f"u{n}")],
            lambda n: [union(f"u{n}", "roster"), external(f"wm{n}", "roster")],
        ]
        return self.chance.choice(ways)(who)

    def inferred(self) -> list[Proof]:
        """An inference, wrong as often as not: somebody else used the code, or their phone."""
        one, other = self.chance.choice(self.people), self.chance.choice(self.people)
        if self.chance.random() < 0.5:
            return [opens(f"o{one}"), external(f"wm{other}", "join_state", f"seat-{one}")]
        return [opens(f"o{one}"), opens(f"m{other}", "same_login", SHOP)]


@pytest.mark.parametrize("run", range(4))
async def test_people_are_joined_on_certain_evidence_only(
    sqlite_db: Database, ledger: "Ledger", seed: int, size: Any, run: int
) -> None:
    """After any mix of true answers, wrong inferences and splits nobody has two ids of one sort; without the inferences
    every visitor is of one person, and every row is with whom it was written under.
    """
    chance = random.Random(f"{seed}:{run}")
    town = Town(chance, people=6)
    async with sqlite_db.write() as tx:
        for step in range(size(60, 600)):
            proofs = town.told() if chance.random() < 0.6 else town.inferred()
            visitor = await identity.visitor_of(tx, proofs, now=NOW, rows=[ledger])
            ledger.write(f"row {step}", visitor.visitor_id)
            await _is_in_order(tx, ledger)
            ties = await _in_force(tx)
            if ties and chance.random() < 0.1:
                await identity.split(tx, chance.choice(ties).id, because="看错了", now=NOW, rows=[ledger])
                await _is_in_order(tx, ledger)
        for tie in await _in_force(tx):
            if tie.evidence in ("join_state", "same_login"):
                await identity.split(tx, tie.id, because="推断", now=NOW, rows=[ledger])
        await _is_in_order(tx, ledger)
        for visitor_id in {row.visitor_id for row in (await tx.exec(select(ProofRow))).all()}:
            people = {value.strip("omwu") for value in await all_of(tx, visitor_id)}
            assert len(people) == 1, f"visitor {visitor_id} is of several people (seed {seed})"


async def test_processes_that_join_the_same_people_do_not_disagree(postgres_db: Database, seed: int, size: Any) -> None:
    """Eight at once, on one database: whatever order they come in, everybody is in order afterwards."""
    town = Town(random.Random(seed), people=4)
    work = [town.told() if n % 3 else town.inferred() for n in range(size(160, 1600))]

    async def worker(mine: list[list[Proof]]) -> None:
        for proofs in mine:
            for _ in range(20):
                try:
                    async with postgres_db.write() as tx:
                        await comes(tx, *proofs)
                    break
                except Clash:
                    continue
            else:
                raise AssertionError("twenty clashes in a row")

    await asyncio.gather(*(worker(work[n::8]) for n in range(8)))
    async with postgres_db.read() as tx:
        await _is_in_order(tx, Ledger())


async def _is_in_order(tx: Tx, ledger: "Ledger") -> None:
    """No two ids of one sort; ids only with visitors that are there; rows with whoever wrote them is now."""
    rows = (await tx.exec(select(ProofRow.visitor_id, ProofRow.kind, ProofRow.appid))).all()
    assert len(rows) == len(set(rows))
    for visitor_id, home in (await tx.exec(select(ProofRow.visitor_id, ProofRow.home))).all():
        assert visitor_id <= home  # people keep their oldest number
    now_known_as = {row.id: row.merged_into or row.id for row in (await tx.exec(_VISITORS)).all()}
    assert {visitor_id for visitor_id, _, _ in rows} == set(now_known_as.values())
    for key, visitor_id in ledger.of.items():
        assert visitor_id == now_known_as[ledger.written_under[key]]


_VISITORS = select(VisitorRow).execution_options(populate_existing=True)


async def _in_force(tx: Tx) -> Sequence[TieRow]:
    return (await tx.exec(select(TieRow).where(col(TieRow.undone_at).is_(None)))).all()


# --- a table of somebody else's ---------------------------------------------------------------------------------------


class Ledger:
    """Rows keyed by visitor: what is in the list of handlers/identity.py, without a table. `of`: key → visitor."""

    name = "ledger"

    def __init__(self) -> None:
        self.of: dict[str, int] = {}
        self.written_under: dict[str, int] = {}

    def write(self, key: str, visitor_id: int) -> None:
        self.of[key] = self.written_under[key] = visitor_id

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[Any]:
        moved = [key for key, visitor in self.of.items() if visitor == gone]
        self.of |= dict.fromkeys(moved, kept)
        return moved

    async def part(self, tx: Tx, keys: Sequence[Any], *, kept: int, gone: int, now: datetime) -> None:
        self.of |= {key: gone for key in keys if self.of[key] == kept}
