"""Who invites people that have to be taken out again. The platform names only our own staff (page 96338), so nobody is
removed for it: the managers are told.
"""

from collections.abc import Sequence
from datetime import datetime

from handlers import matters
from rules.book import Book
from rules.decision import Decision
from rules.invite_guard import InviteGuard
from rules.when import say_duration
from store import staff, strikes
from store.database import Tx
from store.roster import GroupRow, MemberRow


async def guests_removed(tx: Tx, book: Book, group: GroupRow, guests: Sequence[MemberRow], *, now: datetime) -> None:
    """These people were taken out because a rule asked for it: a strike for whoever let each of them in."""
    for rule in (each for each in book.in_force if isinstance(each, InviteGuard)):
        for guest in guests:
            if guest.invited_by and rule.covers(group.facts()):
                await _strike(tx, book, rule, group, guest, guest.invited_by, now=now)


async def _strike(
    tx: Tx, book: Book, rule: InviteGuard, group: GroupRow, guest: MemberRow, inviter: str, *, now: datetime
) -> None:
    who = guest.name or guest.external_userid
    strike = Decision(
        rule=rule.title,
        verdict="hit",
        because=f"邀请进「{group.name}」的「{who}」被移出了",
        subject=inviter,
        chat_id=group.chat_id,
        came_to="observe",
    )
    offence = f"guest {group.chat_id} {guest.external_userid} {guest.joined_at}"
    record = await strikes.record(tx, inviter, rule.title, offence, forget_after=rule.forget_after, now=now)
    new = await strikes.note(tx, strike, offence, now=now)
    if not new or record.strikes + 1 < rule.tell_after:
        return
    name = (await staff.names(tx, [inviter]))[inviter]
    text = (
        f"{name} 邀请进群的人里，最近 {say_duration(rule.forget_after)}有 {record.strikes + 1} 位因群规被移出，"
        f"最近一位是「{group.name}」的「{who}」。请和 {name} 聊聊。"
    )
    key = f"inviter:{rule.title}:{inviter}"
    await matters.raise_one(tx, book, key, audience="managers", title=f"{name} 邀请的人", text=text, now=now)
