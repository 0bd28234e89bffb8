"""What `explain` looks up: people and groups by what somebody types, and what became of them. Reads only, locks nothing
(a reading transaction of PostgreSQL may not).
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, func
from sqlalchemy import select as columns
from sqlmodel import col, select

from store import people
from store.built import once
from store.cards import CardCaseRow, CardRow
from store.database import Tx, table_of
from store.outbox import Outbox
from store.people import PersonRow, ReleaseRow
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow


async def case(tx: Tx, number: int) -> CaseRow | None:
    return (await tx.exec(select(CaseRow).where(col(CaseRow.id) == number))).first()


async def last_case(tx: Tx) -> int | None:
    """The highest number that a case has."""
    return (await tx.exec(select(func.max(CaseRow.id)))).one()


async def group(tx: Tx, chat_id: str) -> GroupRow | None:
    return (await tx.exec(select(GroupRow).where(GroupRow.chat_id == chat_id))).first()


async def member(tx: Tx, chat_id: str, external_userid: str) -> MemberRow | None:
    return await tx.get(MemberRow, (chat_id, external_userid))


async def names_of(tx: Tx, row: CaseRow) -> tuple[str, str]:
    """What the group and the person of a case are called; their ids where they have no name."""
    group = select(GroupRow.name).where(GroupRow.chat_id == row.chat_id)
    return (await tx.exec(group)).first() or row.chat_id, await name_of(tx, row.external_userid, row.chat_id)


async def name_of(tx: Tx, external_userid: str, chat_id: str = "") -> str:
    """What a person is called, rather in this group than elsewhere; their id where nobody knows."""
    called = select(MemberRow.name).where(MemberRow.external_userid == external_userid, MemberRow.name != "")
    name = (await tx.exec(called.order_by(col(MemberRow.chat_id) != chat_id).limit(1))).first()
    if name is None:
        on_record = select(PersonRow.name).where(PersonRow.external_userid == external_userid)
        name = (await tx.exec(on_record)).first()
    return name or external_userid


async def people_called(tx: Tx, text: str) -> dict[str, str]:
    """external_userid → name of everybody with this very id or name, also those who have left."""
    members = select(MemberRow.external_userid, MemberRow.name).where(
        (col(MemberRow.external_userid) == text) | (col(MemberRow.name) == text)
    )
    people = select(PersonRow.external_userid, PersonRow.name).where(
        (col(PersonRow.external_userid) == text) | (col(PersonRow.name) == text)
    )
    return dict((await tx.exec(people)).all()) | dict((await tx.exec(members)).all())


async def groups_called(tx: Tx, text: str) -> dict[str, str]:
    """chat_id → name of the groups with this very id or name, dismissed ones too."""
    query = select(GroupRow.chat_id, GroupRow.name).where(
        (col(GroupRow.chat_id) == text) | (col(GroupRow.name) == text)
    )
    return dict((await tx.exec(query)).all())


async def all_names(tx: Tx) -> list[str]:
    """Every name of a group or a person that there is, for "did you mean"."""
    groups = (await tx.exec(select(GroupRow.name).distinct().where(GroupRow.name != ""))).all()
    members = (await tx.exec(select(MemberRow.name).distinct().where(MemberRow.name != ""))).all()
    return [*groups, *members]


async def stays(tx: Tx, external_userid: str) -> list[tuple[GroupRow, MemberRow]]:
    """Every group that somebody is or was in, the latest stay first."""
    query = (
        select(GroupRow, MemberRow)
        .join(MemberRow, col(MemberRow.chat_id) == col(GroupRow.chat_id))
        .where(MemberRow.external_userid == external_userid)
        .order_by(col(MemberRow.left_at).is_not(None), col(MemberRow.seen_at).desc(), GroupRow.chat_id)
    )
    return [(group, member) for group, member in (await tx.exec(query)).all()]


async def releases(tx: Tx, external_userid: str) -> list[ReleaseRow]:
    """Who released somebody from which rule, and when."""
    query = select(ReleaseRow).where(ReleaseRow.subject == external_userid)
    return list((await tx.exec(query.order_by(col(ReleaseRow.released_at)))).all())


async def all_releases(tx: Tx) -> list[ReleaseRow]:
    """Every release, the newest first."""
    query = select(ReleaseRow).order_by(col(ReleaseRow.released_at).desc(), ReleaseRow.subject, ReleaseRow.rule)
    return list((await tx.exec(query)).all())


async def released_name(tx: Tx, subject: str) -> str:
    """What the subject of a release is called: a person, or everybody of a company."""
    prefix = people.company("")
    if subject.startswith(prefix):
        return f"「{subject.removeprefix(prefix)}」的所有人"
    return await name_of(tx, subject)


async def cases_about(tx: Tx, external_userid: str) -> list[CaseRow]:
    """All cases about a person, the newest first."""
    query = select(CaseRow).where(CaseRow.external_userid == external_userid).order_by(col(CaseRow.id).desc())
    return list((await tx.exec(query)).all())


async def cases_in(tx: Tx, chat_id: str, *, newest: int) -> list[CaseRow]:
    """The open cases of a group and the newest closed ones, the newest first."""
    query = (
        select(CaseRow)
        .where(CaseRow.chat_id == chat_id)
        .order_by(col(CaseRow.open_key).is_(None), col(CaseRow.id).desc())
        .limit(newest)
    )
    return list((await tx.exec(query)).all())


async def size(tx: Tx, chat_id: str) -> int:
    """How many external members a group has now."""
    query = (
        select(func.count())
        .select_from(MemberRow)
        .where(MemberRow.chat_id == chat_id, col(MemberRow.left_at).is_(None))
    )
    return (await tx.exec(query)).one()


async def cards_about(tx: Tx, case_id: int) -> list[CardRow]:
    """The cards that a case is on, oldest first."""
    query = (
        select(CardRow)
        .join(CardCaseRow, col(CardCaseRow.card_id) == col(CardRow.id))
        .where(CardCaseRow.case_id == case_id)
        .order_by(col(CardRow.id))
    )
    return list((await tx.exec(query)).all())


async def case_numbers_on(tx: Tx, card_id: int) -> list[int]:
    """The numbers of the cases on a card."""
    return list((await (await tx.connection()).execute(_CASE_NUMBERS, {"card_id": card_id})).scalars())


_ON_CARDS = table_of(CardCaseRow).c
_CASE_NUMBERS = once(
    columns(_ON_CARDS.case_id).where(_ON_CARDS.card_id == bindparam("card_id")).order_by(_ON_CARDS.case_id)
)


async def deeds_about(tx: Tx, about: Sequence[str]) -> list[Outbox]:
    """What was to be done about these ("card:3", "case:12"), in the order in which it was ordered."""
    query = select(Outbox).where(col(Outbox.about).in_(list(about))).order_by(col(Outbox.id))
    return list((await tx.exec(query)).all())
