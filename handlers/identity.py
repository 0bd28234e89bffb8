"""Who visitors are: found, made, joined on certain evidence, and parted again where that turns out wrong.

Whatever has rows keyed by `visitor_id` is in ROWS, the one list of what a merge does to them. A merge and a split are
one transaction with all of it. What may be asked without changing anything is in store/identities.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from sqlmodel import SQLModel

from rules.events import PersonIdentified
from rules.facts import Member
from rules.identity import TIES, Link, Proof, came_through, clash, inferences_between, parts, weigh
from rules.lanes import NORMAL
from store import checkin_rewards, entrances, identities, inbox, openids, own_tags, roster, seat_merge, seats, waiting
from store.checkin_merge import MergedJourneys
from store.checkin_pictures import MergedPictures
from store.database import Tx
from store.draws import EntrantRow, WinnerRow
from store.identities import ProofRow, TieRow


class Rows(Protocol):
    """What a merge does to the rows of one table, and how a split undoes it. `name`: the table's."""

    @property
    def name(self) -> str: ...

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[Any]:
        """`gone` has become `kept`. Answers the keys (numbers or texts) of the rows that came over."""

    async def part(self, tx: Tx, keys: Sequence[Any], *, kept: int, gone: int, now: datetime) -> None:
        """The rows with these keys, as far as `kept` still has them, are `gone`'s again."""


@dataclass(frozen=True)
class Plain:
    """Rows that only change hands: nothing is lost if one person has the rows of two."""

    model: type[SQLModel]

    @property
    def name(self) -> str:
        return str(self.model.__tablename__)

    async def join(self, tx: Tx, *, kept: int, gone: int, now: datetime) -> Sequence[Any]:
        del now
        return await identities.rekey(tx, self.model, kept=kept, gone=gone)

    async def part(self, tx: Tx, keys: Sequence[Any], *, kept: int, gone: int, now: datetime) -> None:
        del now
        await identities.send_back(tx, self.model, keys, kept=kept, gone=gone)


ROWS: tuple[Rows, ...] = (
    seat_merge.Merged(),
    waiting.Merged(),
    entrances.MergedVisits(),
    Plain(EntrantRow),
    Plain(WinnerRow),
    own_tags.Merged(),
    MergedJourneys(),
    MergedPictures(),
    checkin_rewards.Merged(),
)
"""Every table keyed by `visitor_id`, besides the proofs themselves. `Plain(SeatRow)`, or an object of your own from
store/ where two rows of one person have to become one.
"""


@dataclass(frozen=True)
class Visitor:
    """Who it is. `came_to`: nothing new; a new visitor; two visitors became one; or they were kept `apart`, because the
    evidence is contradicted (then this is who it was before). `because` in Chinese.
    """

    visitor_id: int
    came_to: Literal["known", "new", "joined", "apart"]
    because: str = ""


async def visitor_of(tx: Tx, proofs: Sequence[Proof], *, now: datetime, rows: Sequence[Rows] = ROWS) -> Visitor:
    """The visitor with these ids, made where there is none. `proofs`: the first is what the person has just shown; each
    of the others is said, by its own evidence, to belong to the same person.
    """
    anchor, is_new = await identities.find_or_make(tx, proofs[0], now=now)
    found = Visitor(anchor.visitor_id, "new" if is_new else "known")
    for proof in proofs[1:]:
        tied = await _tie(tx, anchor, proof, rows, now=now)
        still_new = is_new and tied.visitor_id == found.visitor_id and tied.came_to == "joined"
        if not still_new and tied.came_to != "known":
            found = tied
    return found


async def bind(tx: Tx, visitor_id: int, proof: Proof, *, now: datetime, rows: Sequence[Rows] = ROWS) -> Visitor:
    """This id is said to be this visitor's. Raises LookupError where there is no such visitor (any more)."""
    known = await _proofs(tx, visitor_id)
    anchor = next((row for row in known if row.kind == "openid"), known[0])
    return await _tie(tx, anchor, proof, rows, now=now)


async def bind_by_state(
    tx: Tx, visitor_id: int, state: str, joiners: Collection[str], *, now: datetime, rows: Sequence[Rows] = ROWS
) -> Visitor | None:
    """People came through the join way that was made for this visitor's scan. `joiners`: the external_userids of all
    who ever did.

    One: that is the visitor. Two or more: nobody can tell, nobody is bound, and whoever was bound by this state before
    is not any more: None.
    """
    proof = came_through(state, joiners)
    if proof is not None:
        return await bind(tx, visitor_id, proof, now=now, rows=rows)
    for tie in await identities.ties_by(tx, state, "join_state"):
        because = f"有 {len(set(joiners))} 个人从同一个专用入群码进群，分不清是谁"
        await split(tx, tie.id, because=because, now=now, rows=rows)
    return None


async def split(tx: Tx, tie_id: int, *, because: str, now: datetime, rows: Sequence[Rows] = ROWS) -> None:
    """What tied two ids was wrong. Unless something else ties them, they are two people again, each with the ids and
    the rows that were theirs; what has come since stays with the older one. Done once.

    Raises LookupError where there is no such tie, or they were forgotten.
    """
    tie = await identities.tie(tx, tie_id)
    if tie is None:
        raise LookupError(f"there is no tie {tie_id}")
    row = await identities.proof_row(tx, tie.one)
    if row is None:
        raise LookupError(f"tie {tie_id} is about somebody who was forgotten")
    [row] = await _locked(tx, row)
    if await identities.undo(tx, tie, because, now=now):
        await _come_apart(tx, row.visitor_id, rows, now=now)


async def forget(tx: Tx, visitor_id: int, *, now: datetime) -> None:
    """Nothing is left of who this visitor is; the number is nobody's for ever. Raises LookupError: there is none."""
    known = await _proofs(tx, visitor_id)
    for row in known:
        if row.kind == "external_userid":
            await openids.forget(tx, row.value)
    await identities.forget(tx, known[0].visitor_id, now=now)


# --- who comes, and who is seen ---------------------------------------------------------------------------------------


async def arrived(tx: Tx, proofs: Sequence[Proof], *, now: datetime) -> Visitor:
    """Somebody has said who they are, as `visitor_of`; what is known of this openid by other ways counts, too."""
    found = await visitor_of(tx, proofs, now=now)
    who = await openids.whose(tx, proofs[0].value)
    if who is None:
        return found
    converted = Proof(kind="external_userid", value=who, evidence="converted")
    tied = await visitor_of(tx, [proofs[0], converted], now=now)
    return found if tied.came_to == "known" else tied


async def arrived_by_mp(tx: Tx, home: int, proofs: Sequence[Proof], *, now: datetime) -> Visitor | None:
    """The 公众号 has said who somebody is who has said so to WeCom before (the proof with this `home`).

    `proofs`: the 公众号's openid (same_login), and the unionid where it was told (mp_oauth). None: they were
    forgotten meanwhile.
    """
    anchor = await identities.proof_at(tx, home)
    if anchor is None:
        return None
    own, *unionids = proofs
    found = await visitor_of(tx, [anchor.proof(), own], now=now)
    for unionid in unionids:
        found = await visitor_of(tx, [own, unionid], now=now)
        who = await roster.who_are(tx, [unionid.value])
        if len(who) == 1:
            on_roster = Proof(kind="external_userid", value=who[0], evidence="roster")
            found = await visitor_of(tx, [unionid, on_roster], now=now)
    return found


async def members_seen(tx: Tx, members: Collection[Member], *, now: datetime) -> None:
    """People are on a roster. Who has a unionid that a visitor has is that visitor; who came through a join way of ours
    is asked about soon (handlers/openids.py).
    """
    if any(member.state for member in members):
        await openids.ask_soon(tx, now=now)
    by_unionid = {member.unionid: member.external_userid for member in members if member.unionid}
    if not by_unionid:
        return
    for unionid in sorted(await identities.visitors_with(tx, "unionid", by_unionid)):
        shown = Proof(kind="unionid", value=unionid, evidence="roster")
        on_roster = Proof(kind="external_userid", value=by_unionid[unionid], evidence="roster")
        await visitor_of(tx, [shown, on_roster], now=now)


async def openid_told(tx: Tx, external_userid: str, openid: str, *, corp_id: str, now: datetime) -> Visitor | None:
    """The platform has converted somebody's id. None where no visitor has either of the two: then nobody waits for it.

    An inference that says something else is undone by this.
    """
    has_openid = await identities.visitor_with(tx, "openid", openid, corp_id)
    if has_openid is None and await identities.visitor_with(tx, "external_userid", external_userid) is None:
        return None
    proofs = [
        Proof(kind="external_userid", value=external_userid, evidence="converted"),
        Proof(kind="openid", value=openid, appid=corp_id, evidence="converted"),
    ]
    return await visitor_of(tx, proofs, now=now)


# --- joining and parting ----------------------------------------------------------------------------------------------


async def _tie(tx: Tx, anchor: ProofRow, proof: Proof, rows: Sequence[Rows], *, now: datetime) -> Visitor:
    """Join the visitors of two ids, unless something speaks against it; an inference gives way to the platform."""
    other, _ = await identities.find_or_make(tx, proof, now=now)
    while True:
        anchor, other = await _locked(tx, anchor, other)
        mine, theirs = await _proofs(tx, anchor.visitor_id), await _proofs(tx, other.visitor_id)
        if anchor.visitor_id == other.visitor_id:
            await _confirm(tx, anchor, other, proof, mine, now=now)
            return Visitor(anchor.visitor_id, "known")
        doubtful = await _doubtful(tx, anchor, mine, other, theirs)
        weighed = weigh(_values(mine), _values(theirs), proof.evidence, inferred=bool(doubtful))
        if weighed.verdict == "apart":
            return Visitor(anchor.visitor_id, "apart", weighed.because)
        if weighed.verdict == "join":
            kept = await _join(tx, anchor, other, proof, weighed.because, rows, now=now)
            if TIES[proof.evidence].told:
                await _tell(tx, [*mine, *theirs], kept, now=now)
            return Visitor(kept, "joined", weighed.because)
        for number in doubtful:
            await split(tx, number, because=weighed.because, now=now, rows=rows)


async def _join(
    tx: Tx, anchor: ProofRow, other: ProofRow, by: Proof, because: str, rows: Sequence[Rows], *, now: datetime
) -> int:
    """The older visitor stays: what was handed out under its number goes on."""
    kept, gone = sorted((anchor.visitor_id, other.visitor_id))
    moved = {each.name: await each.join(tx, kept=kept, gone=gone, now=now) for each in rows}
    await identities.become(tx, kept=kept, gone=gone)
    await identities.note_tie(tx, anchor, other, by, because, kept=kept, gone=gone, moved=moved, now=now)
    return kept


async def _tell(tx: Tx, proofs: Iterable[ProofRow], visitor_id: int, *, now: datetime) -> None:
    """Of whoever has a seat more is certain now: handlers/late_strangers.py looks whether it is theirs."""
    who = [row.value for row in proofs if row.kind == "external_userid"]
    for external_userid, _ in sorted(await seats.taken_by(tx, who) if who else ()):
        await inbox.put(
            tx,
            source="timer",
            key=f"identified:{external_userid}:{visitor_id}:{now.isoformat()}",
            event=PersonIdentified(at=now, external_userid=external_userid),
            lane=NORMAL,
            ordering_key=f"person:{external_userid}",
            due_at=now,
            now=now,
        )


async def _confirm(
    tx: Tx, anchor: ProofRow, other: ProofRow, by: Proof, proofs: Sequence[ProofRow], *, now: datetime
) -> None:
    """Two ids of one visitor, told anew: written down where so far only inferences tie them, since those may go."""
    if not TIES[by.evidence].told or anchor.id == other.id:
        return
    links = await _links(tx, proofs)
    if inferences_between(links, anchor.id, other.id) is not None:
        await identities.note_tie(tx, anchor, other, by, TIES[by.evidence].says, now=now)


async def _doubtful(
    tx: Tx, anchor: ProofRow, mine: Sequence[ProofRow], other: ProofRow, theirs: Sequence[ProofRow]
) -> set[int]:
    """The inferences without which these two would not contradict each other."""
    against = clash(_values(mine), _values(theirs))
    if against is None:
        return set()
    my_id = next(row.id for row in mine if row.proof().key == against[0].key)
    their_id = next(row.id for row in theirs if row.proof().key == against[1].key)
    links = await _links(tx, [*mine, *theirs])
    to_mine, to_theirs = (inferences_between(links, *pair) for pair in ((anchor.id, my_id), (other.id, their_id)))
    return (to_mine or set()) | (to_theirs or set())


async def _come_apart(tx: Tx, visitor_id: int, rows: Sequence[Rows], *, now: datetime) -> None:
    """Whoever nothing ties to this visitor any more is a visitor again, with what was theirs."""
    proofs = {row.id: row for row in await _proofs(tx, visitor_id)}
    people = parts(proofs, await _links(tx, proofs.values()))
    merges = await identities.merges_of(tx, [row.home for row in proofs.values()])
    for person in people:
        homes = {proofs[number].home for number in person}
        if visitor_id in homes:
            continue
        again = min(homes)
        await identities.become_again(tx, again, person, homes)
        for each in rows:
            keys = _came_from(merges, each.name, homes)
            await each.part(tx, keys, kept=visitor_id, gone=again, now=now)


def _came_from(merges: Iterable[TieRow], table: str, homes: Collection[int]) -> list[Any]:
    """The rows that were written under one of these visitors: the first merge that moved a row says under which."""
    written_under: dict[Any, int] = {}
    for tie in merges:
        for key in tie.moved.get(table, ()):
            written_under.setdefault(key, tie.gone)
    return [key for key, visitor_id in written_under.items() if visitor_id in homes]


async def _links(tx: Tx, proofs: Iterable[ProofRow]) -> list[Link]:
    """What ties these ids."""
    ties = await identities.ties_about(tx, [row.id for row in proofs])
    return [tie.link() for tie in ties if tie.undone_at is None]


async def _locked(tx: Tx, *rows: ProofRow) -> list[ProofRow]:
    """These ids as they are now, and their visitors locked: another transaction may have come first."""
    while True:
        locked = {row.visitor_id for row in rows}
        await identities.lock(tx, locked)
        again = [found for row in rows if (found := await identities.proof_row(tx, row.id)) is not None]
        if len(again) < len(rows):
            raise LookupError("somebody was forgotten at this moment")
        if {row.visitor_id for row in again} <= locked:
            return again


async def _proofs(tx: Tx, visitor_id: int) -> list[ProofRow]:
    known_as = await identities.visitor_now(tx, visitor_id)
    found = await identities.proofs_of(tx, known_as) if known_as is not None else []
    if not found:
        raise LookupError(f"there is no visitor {visitor_id}")
    return found


def _values(rows: Iterable[ProofRow]) -> list[Proof]:
    return [row.proof() for row in rows]
