"""Somebody wrote in a group: the rules read it one after the other, a later one knows what an earlier one found.

What people write stays in the inbox as long as any event does (7 days), so that it can be rehearsed; after that only
the words of a hit are left, in the trace. Later messages are compared with fingerprints, which are kept for a day.
"""

from datetime import datetime

from handlers import checkins, facts, verdicts
from rules.advert_and_leave import AdvertAndLeave
from rules.book import Book
from rules.decision import Decision
from rules.events import MessagePosted
from store import messages, roster
from store.database import Database, Tx
from wecom.gateway import Gateway


async def look_up(event: MessagePosted, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform: a message changes nothing about who is in the group."""


async def handle(event: MessagePosted, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Judge one message."""
    rules = book.about(MessagePosted)
    group = await roster.group(tx, event.chat_id)
    if group is None or not (rules or book.checkins):
        return []  # a group we have never seen: nobody in it could be asked
    member = await roster.member(tx, event.chat_id, event.sender)
    if event.sender.startswith("wm"):
        await checkins.said_in_group(tx, book, group, event, now=now)
    if not rules:
        return []
    known = await facts.of_message(tx, event, group, member)
    if known.is_staff:
        return []
    answers: list[Decision] = []
    for rule in rules:
        hits = {each.rule: each.because for each in answers if each.verdict == "hit"}
        answers += await verdicts.ask(tx, [rule], event, known.model_copy(update={"found": hits}), event.msgid, now=now)
    hits = {each.rule: each.because for each in answers if each.verdict == "hit"}
    advert = any(rule.advert_in(hits) for rule in rules if isinstance(rule, AdvertAndLeave))
    await messages.note(
        tx,
        msgid=event.msgid,
        chat_id=event.chat_id,
        sender=event.sender,
        plain=known.plain,
        advert=advert,
        at=event.at,
    )
    await verdicts.carry_out_about(tx, book, group, member, event.sender, answers, now=now)
    if advert and member is not None and member.left_at is not None:  # sources are behind: the leave came first
        answers += await verdicts.ask_about_gone(tx, book, group, [member], now=now)
    return answers
