"""Where people are and have been: what rules about several groups look at."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam
from sqlalchemy import select as columns
from sqlmodel import col, select

from rules.facts import Removed, Stay
from store import seats
from store.built import once
from store.database import Tx, table_of
from store.removal import CaseRow, reasons_in
from store.roster import GroupRow, MemberRow


async def stays(tx: Tx, ids: Sequence[str]) -> dict[str, tuple[Stay, ...]]:
    """Every group that these people are or were in, by external_userid, the oldest stay first."""
    query = (
        select(GroupRow, MemberRow)
        .join(MemberRow, col(MemberRow.chat_id) == col(GroupRow.chat_id))
        .where(col(MemberRow.external_userid).in_(ids))
        .order_by(col(MemberRow.joined_at), col(MemberRow.seen_at), GroupRow.chat_id)
    )
    given = await seats.taken_by(tx, ids)
    found: dict[str, list[Stay]] = {}
    for group, member in (await tx.exec(query)).all():
        gone = member.left_at or group.dismissed_at
        stay = Stay(
            group=group.facts(),
            joined_at=member.joined_at,
            left_at=gone,
            quit_scene=member.quit_scene,
            assigned=(member.external_userid, group.chat_id) in given,
        )
        found.setdefault(member.external_userid, []).append(stay)
    return {who: tuple(each) for who, each in found.items()}


async def removed(tx: Tx, ids: Sequence[str], for_cause: Collection[str]) -> dict[str, Removed]:
    """Who of these people was taken out of a group because one of these rules asked for it: the last time, by
    external_userid.
    """
    found = {}
    for who, reasons, at, group in await (await tx.connection()).execute(_REMOVED, {"ids": list(ids)}):
        cause = next((each.rule for each in reasons_in(reasons) if each.step != "warn" and each.rule in for_cause), "")
        if cause:
            found[who] = Removed(rule=cause, group=group, at=at)
    return found


_CASES, _GROUPS = table_of(CaseRow), table_of(GroupRow)
_REMOVED = once(
    columns(_CASES.c.external_userid, _CASES.c.reasons, _CASES.c.closed_at, _GROUPS.c.name)
    .join(_GROUPS, _GROUPS.c.chat_id == _CASES.c.chat_id)
    .where(_CASES.c.external_userid.in_(bindparam("ids", expanding=True)), _CASES.c.outcome == "removed")
    .order_by(_CASES.c.closed_at, _CASES.c.id)
)
