"""Whose an id, a number or a name is, and all that goes with it: what has to be known before somebody is forgotten."""

from collections.abc import Collection

from sqlalchemy import or_
from sqlalchemy import select as columns
from sqlmodel import col, select

from rules.payouts import FINAL
from store import history, identities
from store.columns import table_of
from store.database import Tx, one
from store.draws import WinnerRow
from store.identities import ProofRow, VisitorRow
from store.openids import OpenidRow
from store.payouts import PayoutRow
from store.people import PersonRow
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow
from store.staff import StaffRow

_MEMBERS, _GROUPS, _PEOPLE, _STAFF = (table_of(each) for each in (MemberRow, GroupRow, PersonRow, StaffRow))


async def visitors_having(tx: Tx, value: str) -> list[int]:
    """The visitors one of whose ids this is, whatever kind of id."""
    query = select(ProofRow.visitor_id).where(ProofRow.value == value).distinct().order_by(col(ProofRow.visitor_id))
    return list((await tx.exec(query)).all())


async def people_having(tx: Tx, typed: str) -> list[str]:
    """The external_userids that this is: one itself, somebody's openid or unionid, or a name."""
    by_openid = select(OpenidRow.external_userid).where(OpenidRow.openid == typed)
    by_unionid = select(MemberRow.external_userid).where(MemberRow.unionid == typed)
    found = {*(await tx.exec(by_openid)).all(), *(await tx.exec(by_unionid)).all()}
    return sorted(found | set(await history.people_called(tx, typed)))


async def numbers_of(tx: Tx, visitor_id: int) -> tuple[int, ...]:
    """A visitor's number, and those of whoever became them."""
    query = select(VisitorRow.id).where(VisitorRow.merged_into == visitor_id).order_by(col(VisitorRow.id))
    return (visitor_id, *(await tx.exec(query)).all())


async def ids_of(tx: Tx, visitor_id: int | None, known: Collection[str]) -> tuple[list[str], list[str]]:
    """All ids of somebody: their external_userids, `known` among them; and their openids and unionids."""
    proofs = await identities.proofs_of(tx, visitor_id) if visitor_id is not None else []
    on_rosters = list(dict.fromkeys([*known, *(row.value for row in proofs if row.kind == "external_userid")]))
    openids = select(OpenidRow.openid).where(col(OpenidRow.external_userid).in_(on_rosters), OpenidRow.openid != "")
    unionids = select(MemberRow.unionid).where(col(MemberRow.external_userid).in_(on_rosters)).distinct()
    others = [row.value for row in proofs if row.kind != "external_userid"]
    others += [*(await tx.exec(openids)).all(), *(each for each in (await tx.exec(unionids)).all() if each)]
    return on_rosters, list(dict.fromkeys(others))


async def names_of(tx: Tx, external_userids: Collection[str]) -> list[str]:
    """What somebody is or was called."""
    members = select(MemberRow.name).where(col(MemberRow.external_userid).in_(external_userids))
    contacts = select(PersonRow.name).where(col(PersonRow.external_userid).in_(external_userids))
    called = [*(await tx.exec(members)).all(), *(await tx.exec(contacts)).all()]
    return list(dict.fromkeys(name for name in called if name))


async def nobody_else_is_called(tx: Tx, name: str, external_userids: Collection[str]) -> bool:
    """Whether this name can only mean them: no other customer has it, and no colleague."""
    for table in (_MEMBERS, _PEOPLE):
        others = table.c.external_userid.not_in(external_userids)
        if await one(tx, columns(table.c.external_userid).where(table.c.name == name, others).limit(1)) is not None:
            return False
    return await one(tx, columns(_STAFF.c.userid).where(_STAFF.c.name == name).limit(1)) is None


async def groups_now(tx: Tx, external_userids: Collection[str]) -> list[str]:
    """The names of the groups that they are in."""
    query = (
        columns(_GROUPS.c.name)
        .join_from(_MEMBERS, _GROUPS, _GROUPS.c.chat_id == _MEMBERS.c.chat_id)
        .where(_MEMBERS.c.external_userid.in_(external_userids), _MEMBERS.c.left_at.is_(None))
        .where(_GROUPS.c.dismissed_at.is_(None))
        .order_by(_GROUPS.c.name)
    )
    return list((await (await tx.connection()).execute(query)).scalars())


async def groups_called_like(tx: Tx, name: str) -> list[str]:
    """The groups whose name has this name in it."""
    query = columns(_GROUPS.c.name).where(_GROUPS.c.name.contains(name, autoescape=True)).order_by(_GROUPS.c.name)
    return list((await (await tx.connection()).execute(query)).scalars())


async def open_cases(tx: Tx, external_userids: Collection[str]) -> list[int]:
    """The numbers of the cases about them that are open."""
    query = select(CaseRow.id).where(
        col(CaseRow.external_userid).in_(external_userids), col(CaseRow.open_key).is_not(None)
    )
    return [number for number in (await tx.exec(query.order_by(col(CaseRow.id)))).all() if number is not None]


async def payouts_on_their_way(tx: Tx, called: Collection[str]) -> list[PayoutRow]:
    """The payouts to them that are not at an end. `called`: what draws call them (ids, `v12`)."""
    query = select(PayoutRow).where(col(PayoutRow.person).in_(called), col(PayoutRow.state).not_in(FINAL))
    return list((await tx.exec(query.order_by(col(PayoutRow.id)))).all())


async def prizes_to_claim(tx: Tx, called: Collection[str], numbers: Collection[int]) -> int:
    """How many prizes they have won and not claimed yet."""
    theirs = or_(col(WinnerRow.person).in_(called), col(WinnerRow.visitor_id).in_(numbers))
    return len((await tx.exec(select(WinnerRow.id).where(theirs, WinnerRow.state == "won"))).all())
