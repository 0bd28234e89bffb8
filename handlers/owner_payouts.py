"""`pay_by: owner`: the owner is asked to send a native red packet in the group, and says when it is sent.

No API sees it (facts/money.md §1): 已发 books the amount, once; nothing said until it is too late gives the money back.
"""

from datetime import datetime, timedelta

from loguru import logger

from handlers import asking, case_cards
from handlers.payout_books import book_it
from rules.actions import SendCard
from rules.book import Book
from rules.events import CardPressed
from rules.payout_words import CARD_ENDS, owner_card, say_not_sent
from rules.payouts import number
from rules.value import Value
from store import cards, ledger, payouts, roster
from store.cards import CardRow
from store.database import Tx
from store.payouts import PayoutRow

REMIND_AFTER = timedelta(minutes=30)
REMINDERS = 3
CHAT_SHOWN = 30


class OwnerOrder(Value):
    """What an owner is to send in their group until `until`. `what`: `200元 / 40 个拼手气红包`; `amount`: fen."""

    draw_id: int
    draw: str
    purse: str
    chat_id: str
    what: str
    amount: int
    until: datetime


async def plan(tx: Tx, order: OwnerOrder, *, now: datetime) -> PayoutRow | None:
    """Have the group's owner asked, now. None: that was ordered before."""
    winner = f"group:{order.chat_id}"
    return await payouts.add(
        tx,
        PayoutRow(
            draw_id=order.draw_id,
            winner=winner,
            way="owner",
            number=number(order.draw, winner, 1),
            draw=order.draw,
            purse=order.purse,
            amount=order.amount,
            gross=order.amount,
            chat_id=order.chat_id,
            what=order.what,
            step="ask",
            due_at=now,
            until=order.until,
            since=now,
            planned_at=now,
        ),
    )


async def go_on(tx: Tx, book: Book, row: PayoutRow, *, now: datetime) -> None:
    """Ask, remind, or give it up."""
    if row.until is not None and now >= row.until:
        await _end_unsent(tx, book, row, "到时间没有点「已发」", now=now)
        return
    group = await roster.group(tx, row.chat_id)
    if group is None or group.dismissed_at is not None:
        await _end_unsent(tx, book, row, "群已经没有了", now=now)
        return
    await _close_card(tx, row, "请看后面的新卡片", now=now)
    card = await cards.new_alone(tx, "payout", row.chat_id, to=[group.owner], now=now)
    words = owner_card(group.name[:CHAT_SHOWN], row.what, row.amount, row.until or now, reminded=row.tries > 0)
    await case_cards.send(tx, card, SendCard(task_id=card.task_id or "", to=(group.owner,), card=words), now=now)
    row.state, row.userid, row.card_id, row.tries = "sending", group.owner, card.number, row.tries + 1
    last = row.until or now
    again = now + REMIND_AFTER if row.tries <= REMINDERS else last
    payouts.wait(row, "remind" if again < last else "lapse", min(again, last))


async def pressed(tx: Tx, book: Book, card: CardRow, event: CardPressed, *, now: datetime) -> None:
    """已发, 稍后提醒 or 发不了, also on a card in whose place there is a newer one. A press on a card that is over only
    shows how it ended.
    """
    row = await payouts.on_card(tx, card.number) or await payouts.asked_in(tx, card.chat_id)
    if row is None:
        logger.warning("a press on {}: it asks for nothing any more", event.task_id)
        return
    if row.is_final:
        await case_cards.close_card(tx, card, CARD_ENDS[row.state], now=now)
    elif event.button == "sent":
        await is_sent(tx, row, now=now)
    elif event.button == "later":
        payouts.wait(row, "remind", min(now + REMIND_AFTER, row.until or now))
    elif event.button == "cannot":
        await _end_unsent(tx, book, row, "群主说发不了", now=now)


async def is_sent(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """Booked, once: the ledger knows the number."""
    row.state, row.sent_at, row.ended_at = "received", now, now
    payouts.wait(row, "", None)
    await book_it(tx, row, now=now)
    await _close_card(tx, row, CARD_ENDS["received"], now=now)


async def is_not_sent(tx: Tx, row: PayoutRow, why: str, *, now: datetime) -> None:
    """The money is free again."""
    row.state, row.why, row.ended_at = "failed", why, now
    payouts.wait(row, "", None)
    try:
        await ledger.release(tx, row.purse, row.amount, key=f"pay:{row.number}:release", why=f"没有发：{why}", now=now)
    except ledger.Overdrawn as error:  # it went back with the rest of the purse
        logger.error("the ledger and payout {} do not agree: {}", row.number, error)
    await _close_card(tx, row, CARD_ENDS["failed"], now=now)


async def _end_unsent(tx: Tx, book: Book, row: PayoutRow, why: str, *, now: datetime) -> None:
    await is_not_sent(tx, row, why, now=now)
    group = await roster.group(tx, row.chat_id)
    name = group.name if group else row.chat_id
    text = say_not_sent(name, row.what, why)
    await asking.tell(tx, await asking.managers(tx, book), text, f"payout-unsent:{row.id}", now=now)


async def _close_card(tx: Tx, row: PayoutRow, words: str, *, now: datetime) -> None:
    card = await cards.card(tx, row.card_id) if row.card_id is not None else None
    if card is not None and card.state == "sent":
        await case_cards.close_card(tx, card, words, now=now)
