"""Some groups are looked over: what a read shows and what we have are compared, group by group.

Most agree, and one statement says so of all of them. The others are read again, each by itself and in its turn, so that
what follows from a difference is decided in one place only (handlers/roster.py).
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.book import Book
from rules.decision import Decision
from rules.events import GroupsReadDue, MemberSeen
from store import reconcile
from store.database import Database, Tx
from store.reconcile import Standing
from wecom import lookups
from wecom.errors import GroupGone, GroupHidden, PlatformError
from wecom.gateway import Gateway
from wecom.lookups import GroupChat

AT_ONCE = 5

Answer = GroupChat | GroupGone | GroupHidden


@dataclass(frozen=True)
class Seen:
    """What the platform answered, as far as it did. `began`: when the reading began."""

    began: datetime
    answers: dict[str, Answer]


async def look_up(event: GroupsReadDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Read the groups that were not read meanwhile. After the first failure what was read by then has to do:
    the rest stay stale, and their turn comes again.
    """
    async with store.read() as tx:
        known = await reconcile.standings(tx, event.chat_ids)
    wanted = [stand.chat_id for stand in known.values() if stand.read_at is None or stand.read_at < event.at]
    answers: dict[str, Answer] = {}
    for first in range(0, len(wanted), AT_ONCE):
        few = wanted[first : first + AT_ONCE]
        read = dict(zip(few, await asyncio.gather(*(_read(wecom, chat_id) for chat_id in few)), strict=True))
        answers |= {chat_id: answer for chat_id, answer in read.items() if isinstance(answer, Answer)}
        failed = next((answer for answer in read.values() if not isinstance(answer, Answer)), None)
        if failed is not None and answers:
            break
        if failed is not None:
            raise failed
    return Seen(began=now, answers=answers)


async def _read(wecom: Gateway, chat_id: str) -> GroupChat | PlatformError:
    try:
        return await lookups.read_group(wecom, chat_id)
    except PlatformError as error:
        return error


async def handle(event: GroupsReadDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Mark the groups that are as we have them as read; have the others read by themselves."""
    stands = await reconcile.standings(tx, seen.answers)
    same = [chat_id for chat_id, stand in stands.items() if _agrees(stand, seen.answers[chat_id])]
    if any("name" in rule.looks_at for rule in book.about(MemberSeen)):
        renamed = await _renamed(tx, same, seen.answers)
        same = [chat_id for chat_id in same if chat_id not in renamed]
    differ = sorted(seen.answers.keys() - set(same))
    await reconcile.confirm(tx, same, read_at=seen.began)
    await reconcile.read_soon(tx, differ, at=now)
    return []


async def _renamed(tx: Tx, chat_ids: Collection[str], answers: Mapping[str, Answer]) -> set[str]:
    """The groups in which somebody has another name: that changes no version, and no callback tells of it."""
    ours = await reconcile.names(tx, chat_ids)
    theirs = {
        chat_id: {member.external_userid: member.name for member in answer.members}
        for chat_id in chat_ids
        if isinstance(answer := answers[chat_id], GroupChat)
    }
    return {chat_id for chat_id, names in theirs.items() if names != ours.get(chat_id, {})}


def _agrees(stand: Standing, answer: Answer) -> bool:
    """Whether what we have is exactly what was read. Equal versions mean that nobody came or went (page 96338); a
    platform that gives none (we keep None, it says "") has each group read by itself.
    """
    if isinstance(answer, GroupHidden):
        return stand.out_of_sight_at is not None
    if isinstance(answer, GroupGone):
        return stand.dismissed_at is not None
    if stand.out_of_sight_at or stand.dismissed_at or stand.in_doubt or stand.awaited_version:
        return False
    head = (answer.version, answer.name, answer.owner, sorted(answer.admins))
    return head == (stand.version, stand.name, stand.owner, sorted(stand.admins))
