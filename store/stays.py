"""Where people are and have been: what rules about several groups look at."""

from collections.abc import Collection, Sequence

from sqlmodel import col, select

from rules.facts import Removed, Stay
from store.database import Tx
from store.removal import CaseRow
from store.roster import GroupRow, MemberRow


async def stays(tx: Tx, ids: Sequence[str]) -> dict[str, tuple[Stay, ...]]:
    """Every group that these people are or were in, by external_userid, the oldest stay first."""
    query = (
        select(GroupRow, MemberRow)
        .join(MemberRow, col(MemberRow.chat_id) == col(GroupRow.chat_id))
        .where(col(MemberRow.external_userid).in_(ids))
        .order_by(col(MemberRow.joined_at), col(MemberRow.seen_at), GroupRow.chat_id)
    )
    found: dict[str, list[Stay]] = {}
    for group, member in (await tx.exec(query)).all():
        gone = member.left_at or group.dismissed_at
        stay = Stay(group=group.facts(), joined_at=member.joined_at, left_at=gone, quit_scene=member.quit_scene)
        found.setdefault(member.external_userid, []).append(stay)
    return {who: tuple(each) for who, each in found.items()}


async def removed(tx: Tx, ids: Sequence[str], for_cause: Collection[str]) -> dict[str, Removed]:
    """Who of these people was taken out of a group because one of these rules asked for it: the last time, by
    external_userid.
    """
    query = (
        select(CaseRow, GroupRow.name)
        .join(GroupRow, col(GroupRow.chat_id) == col(CaseRow.chat_id))
        .where(col(CaseRow.external_userid).in_(ids), CaseRow.outcome == "removed")
        .order_by(col(CaseRow.closed_at), col(CaseRow.id))
    )
    found = {}
    for case, group in (await tx.exec(query)).all():
        cause = next((each.rule for each in case.why() if each.step != "warn" and each.rule in for_cause), "")
        if cause:
            found[case.external_userid] = Removed(rule=cause, group=group, at=case.closed_at or case.opened_at)
    return found
