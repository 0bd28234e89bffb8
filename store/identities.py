"""Visitors: people as our pages and ledgers know them, the ids that prove who they are, and what made two of them one.

To find, make, join or split visitors go through handlers/identity.py: it also takes along the rows of other tables
that are keyed by `visitor_id`. Here is what it is made of, and what may be asked freely.

A visitor is made with one proof, and keeps its number: `home`. Ties make several visitors one, known by the oldest
number. Nothing is lost by that: undo a tie, and each of the two has what the ties that are left leave it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, delete, func, or_, update
from sqlalchemy import select as columns
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, SQLModel, UniqueConstraint, col, select

from rules.identity import TIES, Evidence, Kind, Link, Proof
from store.built import once
from store.columns import BigId, Json, UtcTime, table_of
from store.database import Tx, one

Moved = Mapping[str, Sequence[Any]]
"""Table → the primary keys (numbers or texts) of the rows that a merge took along."""


class VisitorRow(SQLModel, table=True):
    """One person. `merged_into`: whom this one turned out to be, by their number of now; all their rows are there.

    `forgotten_at`: a number that is nobody's any more, and that nobody gets again.
    """

    __tablename__ = "visitors"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    made_at: datetime = Field(sa_type=UtcTime)
    merged_into: int | None = Field(default=None, index=True, sa_type=BigId)
    forgotten_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ProofRow(SQLModel, table=True):
    """One id of one visitor. `home`: the visitor that was made with it. `evidence`, `source`: how it was learnt of."""

    __tablename__ = "visitor_proofs"
    __table_args__ = (UniqueConstraint("kind", "appid", "value"),)

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    visitor_id: int = Field(index=True, sa_type=BigId)
    home: int = Field(unique=True, sa_type=BigId)
    kind: str
    appid: str = ""
    value: str
    evidence: str
    source: str = ""
    at: datetime = Field(sa_type=UtcTime)

    def proof(self) -> Proof:
        return Proof.model_validate(
            {name: getattr(self, name) for name in ("kind", "value", "appid", "evidence", "source")}
        )


class TieRow(SQLModel, table=True):
    """Two ids (`one`, `other`: rows of visitor_proofs) are one person's. `because` in Chinese.

    Where this made two visitors one, `gone` became `kept`, and `moved` says which rows came over; else both are 0.
    `undone_at`: it was taken back, `undone_because` says why.
    """

    __tablename__ = "visitor_ties"

    id: int = Field(default=None, primary_key=True, sa_type=BigId)
    one: int = Field(index=True, sa_type=BigId)
    other: int = Field(index=True, sa_type=BigId)
    evidence: str
    source: str = Field(default="", index=True)
    because: str
    at: datetime = Field(sa_type=UtcTime)
    kept: int = Field(default=0, sa_type=BigId)
    gone: int = Field(default=0, index=True, sa_type=BigId)
    moved: dict[str, list[Any]] = Field(default_factory=dict, sa_type=Json)
    undone_at: datetime | None = Field(default=None, sa_type=UtcTime)
    undone_because: str = ""

    def link(self) -> Link:
        return Link(self.id, self.one, self.other, TIES[_EVIDENCE.validate_python(self.evidence)].told)


_EVIDENCE: TypeAdapter[Evidence] = TypeAdapter(Evidence)
_PROOFS = table_of(ProofRow)


# --- what may be asked ------------------------------------------------------------------------------------------------


async def visitor_with(tx: Tx, kind: Kind, value: str, appid: str = "") -> int | None:
    """Whose id this is."""
    this = (_PROOFS.c.kind == kind, _PROOFS.c.appid == appid, _PROOFS.c.value == value)
    found: int | None = await one(tx, columns(_PROOFS.c.visitor_id).where(*this))
    return found


async def visitors_with(tx: Tx, kind: Kind, values: Collection[str], appid: str = "") -> dict[str, int]:
    """Whose ids these are: value → visitor; without those that nobody has."""
    query = select(ProofRow.value, ProofRow.visitor_id).where(
        ProofRow.kind == kind, ProofRow.appid == appid, col(ProofRow.value).in_(values)
    )
    return dict((await tx.exec(query)).all())


async def external_of(tx: Tx, visitor_id: int) -> str | None:
    """What the roster calls a visitor, where that is known."""
    return await _value(tx, visitor_id, "external_userid", "")


async def externals_of(tx: Tx, visitor_ids: Collection[int]) -> dict[int, str]:
    """What the roster calls these visitors; without those of whom that is not known."""
    found, wanted = dict[int, str](), list(visitor_ids)
    for first in range(0, len(wanted), 500):
        query = columns(_PROOFS.c.visitor_id, _PROOFS.c.value).where(
            _PROOFS.c.kind == "external_userid", _PROOFS.c.visitor_id.in_(wanted[first : first + 500])
        )
        found |= {row[0]: row[1] for row in await (await tx.connection()).execute(query)}
    return found


def subject_of(visitor_id: int) -> str:
    """What the trace calls a visitor."""
    return f"visitor:{visitor_id}"


async def openid_of(tx: Tx, visitor_id: int, appid: str) -> str | None:
    """What this app (the corp, or a 公众号) calls a visitor, where that is known."""
    return await _value(tx, visitor_id, "openid", appid)


async def _value(tx: Tx, visitor_id: int, kind: Kind, appid: str) -> str | None:
    which = {"visitor": visitor_id, "kind": kind, "appid": appid}
    found: str | None = (await (await tx.connection()).execute(_CALLED, which)).scalar_one_or_none()
    return found


_CALLED = once(
    columns(_PROOFS.c.value).where(
        _PROOFS.c.visitor_id == bindparam("visitor"),
        _PROOFS.c.kind == bindparam("kind"),
        _PROOFS.c.appid == bindparam("appid"),
    )
)


async def visitor_now(tx: Tx, visitor_id: int) -> int | None:
    """Who a visitor is by now, whatever they were merged into since; None where they were forgotten."""
    this = (VisitorRow.id == visitor_id, col(VisitorRow.forgotten_at).is_(None))
    row = (await tx.exec(select(VisitorRow.id, VisitorRow.merged_into).where(*this))).first()
    return (row[1] or row[0]) if row is not None else None


async def proofs_of(tx: Tx, visitor_id: int) -> list[ProofRow]:
    """All ids of a visitor, the oldest first."""
    query = select(ProofRow).where(ProofRow.visitor_id == visitor_id).order_by(col(ProofRow.id))
    return list((await tx.exec(query.execution_options(populate_existing=True))).all())


async def proof_row(tx: Tx, proof_id: int) -> ProofRow | None:
    return await tx.get(ProofRow, proof_id, populate_existing=True)


async def proof_at(tx: Tx, home: int) -> ProofRow | None:
    """The proof that this visitor was made with, whosever it is now; None where they were forgotten."""
    query = select(ProofRow).where(ProofRow.home == home)
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def ties_about(tx: Tx, proofs: Collection[int]) -> list[TieRow]:
    """Every tie that these ids (rows of visitor_proofs) have a part in, those that were undone too, oldest first."""
    query = select(TieRow).where(or_(col(TieRow.one).in_(proofs), col(TieRow.other).in_(proofs)))
    return list((await tx.exec(query.order_by(col(TieRow.id)))).all())


async def merges_of(tx: Tx, visitors: Collection[int]) -> list[TieRow]:
    """Every tie that had one of these visitors become another one, those that were undone too, oldest first."""
    query = select(TieRow).where(col(TieRow.gone).in_(visitors)).order_by(col(TieRow.id))
    return list((await tx.exec(query)).all())


async def ties_by(tx: Tx, source: str, evidence: Evidence) -> list[TieRow]:
    """The ties in force that rest on this source (a join way's state), the newest first."""
    query = select(TieRow).where(TieRow.source == source, TieRow.evidence == evidence, col(TieRow.undone_at).is_(None))
    return list((await tx.exec(query.order_by(col(TieRow.id).desc()))).all())


async def counts(tx: Tx) -> dict[tuple[str, str], int]:
    """How many ids there are, by (kind, evidence)."""
    query = columns(_PROOFS.c.kind, _PROOFS.c.evidence, func.count().label("ids")).group_by(
        _PROOFS.c.kind, _PROOFS.c.evidence
    )
    return {(row.kind, row.evidence): row.ids for row in await (await tx.connection()).execute(query)}


async def openids_under(tx: Tx, appid: str) -> int:
    """How many visitors' openids of this app (the corp, or a 公众号) are known."""
    theirs = (_PROOFS.c.kind == "openid") & (_PROOFS.c.appid == appid)
    return int((await (await tx.connection()).execute(columns(func.count()).where(theirs))).scalar_one())


async def tie(tx: Tx, tie_id: int) -> TieRow | None:
    return await tx.get(TieRow, tie_id)


# --- what handlers/identity.py is made of -----------------------------------------------------------------------------


async def find(tx: Tx, proof: Proof) -> ProofRow | None:
    """The row of this id as it is now."""
    query = select(ProofRow).where(
        ProofRow.kind == proof.kind, ProofRow.appid == proof.appid, ProofRow.value == proof.value
    )
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


async def lock(tx: Tx, visitor_ids: Iterable[int]) -> None:
    """Until the transaction ends nobody else joins or splits these; always locked in the same order."""
    query = select(VisitorRow.id).where(col(VisitorRow.id).in_(set(visitor_ids))).order_by(col(VisitorRow.id))
    (await tx.exec(query.with_for_update())).all()


async def find_or_make(tx: Tx, proof: Proof, *, now: datetime) -> tuple[ProofRow, bool]:
    """The row of this id, as `find`, and whether it is new: a visitor of whom nothing else is known."""
    found = await find(tx, proof)
    if found is not None:
        return found, False
    visitor = VisitorRow(made_at=now)
    tx.add(visitor)
    await tx.flush()
    connection = await tx.connection()
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"visitor_id": visitor.id, "home": visitor.id, "at": now, **proof.model_dump()}
    written = await connection.execute(insert(_PROOFS).values(row).on_conflict_do_nothing())
    if not written.rowcount:  # another transaction has made it a moment ago
        await tx.delete(visitor)
    found = await find(tx, proof)
    assert found is not None  # noqa: S101 - it is there: we have written it, or been told that somebody has
    return found, bool(written.rowcount)


async def note_tie(
    tx: Tx,
    one_proof: ProofRow,
    other: ProofRow,
    by: Proof,
    because: str,
    *,
    kept: int = 0,
    gone: int = 0,
    moved: Moved | None = None,
    now: datetime,
) -> None:
    """Write down what ties two ids, and what it did. `by`: the proof as it came, with its evidence."""
    tx.add(
        TieRow(
            one=one_proof.id,
            other=other.id,
            evidence=by.evidence,
            source=by.source,
            because=because,
            at=now,
            kept=kept,
            gone=gone,
            moved={table: list(keys) for table, keys in (moved or {}).items() if keys},
        )
    )
    await tx.flush()


async def become(tx: Tx, *, kept: int, gone: int) -> None:
    """All ids of `gone` are `kept`'s from now on."""
    await tx.exec(update(ProofRow).where(col(ProofRow.visitor_id) == gone).values(visitor_id=kept))
    them = or_(col(VisitorRow.id) == gone, col(VisitorRow.merged_into) == gone)
    await tx.exec(update(VisitorRow).where(them).values(merged_into=kept))


async def become_again(tx: Tx, visitor_id: int, proofs: Collection[int], homes: Collection[int]) -> None:
    """These ids, and the visitors that were made with them, are this visitor again, the oldest among them."""
    await tx.exec(update(ProofRow).where(col(ProofRow.id).in_(proofs)).values(visitor_id=visitor_id))
    others = col(VisitorRow.id).in_(homes), col(VisitorRow.id) != visitor_id
    await tx.exec(update(VisitorRow).where(*others).values(merged_into=visitor_id))
    await tx.exec(update(VisitorRow).where(col(VisitorRow.id) == visitor_id).values(merged_into=None))


async def undo(tx: Tx, row: TieRow, because: str, *, now: datetime) -> bool:
    """A tie is taken back; False where it was before."""
    open_ones = update(TieRow).where(col(TieRow.id) == row.id, col(TieRow.undone_at).is_(None))
    done = await tx.exec(open_ones.values(undone_at=now, undone_because=because))
    return done.rowcount == 1


async def rekey(tx: Tx, model: type[SQLModel], *, kept: int, gone: int) -> list[Any]:
    """All rows of `gone` in a table (with `visitor_id`, and a primary key of one column) are `kept`'s; answers their
    keys. For most tables that is all that a merge does.
    """
    table = table_of(model)
    [key] = table.primary_key
    statement = update(model).where(table.c.visitor_id == gone).values(visitor_id=kept).returning(key)
    return sorted((await tx.exec(statement)).scalars())


async def send_back(tx: Tx, model: type[SQLModel], keys: Sequence[Any], *, kept: int, gone: int) -> None:
    """The reverse, for the rows that came over with that merge and are still there."""
    table = table_of(model)
    [key] = table.primary_key
    for first in range(0, len(keys), 500):
        some = key.in_(keys[first : first + 500])
        await tx.exec(update(model).where(some, table.c.visitor_id == kept).values(visitor_id=gone))


async def forget(tx: Tx, visitor_id: int, *, now: datetime) -> None:
    """Nothing of who this was is left: no id and no tie. The number stays and is never given to anybody else, so that
    rows elsewhere lead to nobody.
    """
    numbers = [row.id for row in await proofs_of(tx, visitor_id)]
    about = or_(col(TieRow.one).in_(numbers), col(TieRow.other).in_(numbers))
    await tx.exec(delete(TieRow).where(about))
    await tx.exec(delete(ProofRow).where(col(ProofRow.id).in_(numbers)))
    them = or_(col(VisitorRow.id) == visitor_id, col(VisitorRow.merged_into) == visitor_id)
    await tx.exec(update(VisitorRow).where(them).values(forgotten_at=now))
