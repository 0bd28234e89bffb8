"""Prizes on their way to people: what is due is done, every answer moves one payout, and the ledger moves with it.

The exact parameters of a red packet are written down in the transaction that orders its first call. What a call came
to is recorded by `answered`, in the transaction that ends the call's row (bot/actions/pay.py).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from loguru import logger

from handlers import asking, coupons, matters, owner_payouts
from rules.actions import Pay, RedPacket
from rules.book import Book
from rules.budget import Amounts
from rules.decision import Decision
from rules.events import PayoutsDue, WinnerUnpayable
from rules.lanes import NORMAL
from rules.payout_words import say_pause, say_resumed, say_stuck, say_stuck_title
from rules.payouts import (
    BETWEEN_CALLS,
    FEN_A_DAY,
    FEN_A_DAY_OF_MERCHANT,
    PACKETS_A_DAY,
    PAID,
    PROBE_NO_MONEY,
    PROBE_SETUP,
    WATCH,
    Next,
    PayAnswer,
    Standing,
    Words,
    day_of,
    follow,
    number,
    tomorrow,
)
from rules.value import Value
from store import inbox, ledger, outbox, payouts
from store import matters as matter_rows
from store.database import Database, Tx
from store.payouts import Day, PayoutRow
from wecom.gateway import Gateway

CLIENT_IP = "127.0.0.1"
"""What `client_ip` says: WeChat Pay does not check it, and without it wechatpy would ask the DNS for one."""


PASSED_ON_BY = timedelta(hours=1)


class Order(Value):
    """A prize in money that is to be paid by WeChat Pay. `draw`, `winner`: texts that name them for ever, from which
    the number is made. `person`: as the winner has it; `openid`: under the 公众号 that the merchant is bound to.
    """

    draw_id: int
    draw: str
    winner_id: int | None
    winner: str
    purse: str
    amounts: Amounts
    person: str
    openid: str
    words: Words


async def plan(tx: Tx, order: Order, *, now: datetime) -> PayoutRow | None:
    """Have a prize paid. None: it is on its way, or paid, already. The purse has to hold the money."""
    return await payouts.add(
        tx,
        PayoutRow(
            draw_id=order.draw_id,
            winner_id=order.winner_id,
            winner=order.winner,
            way="wechat",
            number=number(order.draw, order.winner, 1),
            draw=order.draw,
            purse=order.purse,
            amount=order.amounts.net,
            gross=order.amounts.gross,
            tax=order.amounts.tax,
            born_by=order.amounts.born_by,
            person=order.person,
            openid=order.openid,
            words=order.words.model_dump(),
            due_at=now,
            since=now,
            planned_at=now,
        ),
    )


# --- what is due ------------------------------------------------------------------------------------------------------


async def look_up(event: PayoutsDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: PayoutsDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """The steps that have come. Events of this kind go one at a time: limits are counted by nobody else meanwhile."""
    await _tell_of_pauses(tx, book, now=now)
    due = await payouts.some(tx, event.payout_ids)
    calls = [row for row in due if row.step in ("send", "query") and not row.is_final]
    await _call(tx, await _not_held_up(tx, calls, now=now), now=now)
    for row in due:
        if row.step == "alternate":
            await _pass_on(tx, row, now=now)
        elif row.way == "coupon" and row.step == "lapse" and not row.is_final:
            coupons.lapse(row, now)
        elif row.way == "owner" and row.step:
            await owner_payouts.go_on(tx, book, row, now=now)
        if row.shown and not row.is_final:
            await _show(tx, book, row, now=now)
        if not row.step:
            row.due_at = None
    return []


async def _not_held_up(tx: Tx, rows: Sequence[PayoutRow], *, now: datetime) -> list[PayoutRow]:
    """Sendings that became due before a pause began wait for its end, but for one: it may be the one that tries."""
    if await payouts.paused(tx) is None:
        return list(rows)
    held = [row for row in rows if row.step == "send" and row.state != "sending"][1:]
    for row in held:
        payouts.wait(row, "send", now)
    ids = {row.id for row in held}
    return [row for row in rows if row.id not in ids]


async def _call(tx: Tx, rows: Sequence[PayoutRow], *, now: datetime) -> None:
    """Order the calls: spread over time, within the limits of today."""
    if not rows:
        return
    account = await payouts.account(tx)
    if account is None:
        await payouts.pause(tx, "setup", "NO_SETTINGS", probe_at=now + PROBE_SETUP, now=now)
        for row in rows:
            payouts.wait(row, _step(row), now + PROBE_SETUP)
        return
    day = day_of(now)
    sending = [row for row in rows if row.step == "send" and row.state != "sending"]
    sent = await payouts.sent_on(tx, day, {row.openid for row in sending}, without=[row.id for row in sending])
    at = await payouts.room_at(tx, now)
    for row in rows:
        if row.state == "sending":  # a call was ordered long ago, and nothing was heard of it
            row.state, row.step, row.doubt, row.why = "unknown", "query", True, "NO_WORD"
        if row.step == "send":
            if not _has_room(row, sent):
                payouts.wait(row, "send", tomorrow(now))
                row.why = "DAY_LIMIT"
                continue
            _count(row, sent)
            row.day = day
        await _order(tx, row, account, at=at, now=now)
        at += BETWEEN_CALLS


def _step(row: PayoutRow) -> payouts.Step:
    return "query" if row.step == "query" else "send"


def _has_room(row: PayoutRow, sent: dict[str, Day]) -> bool:
    """Whether this person, and the merchant, may be sent one more today."""
    theirs, all_ = sent.get(row.openid, Day(0, 0)), sent[""]
    return (
        theirs.packets < PACKETS_A_DAY
        and theirs.fen + row.amount <= FEN_A_DAY
        and all_.fen + row.amount <= FEN_A_DAY_OF_MERCHANT
    )


def _count(row: PayoutRow, sent: dict[str, Day]) -> None:
    for key in (row.openid, ""):
        packets, fen = sent.get(key, Day(0, 0))
        sent[key] = Day(packets + 1, fen + row.amount)


async def _order(tx: Tx, row: PayoutRow, account: payouts.AccountRow, *, at: datetime, now: datetime) -> None:
    """One call. What is said is written down here, before it is said, and is the same ever after."""
    if not row.packet:
        row.packet = _packet(row, account).model_dump()
    if row.state == "planned":
        row.state = "sending"
    if not row.calls:
        row.since = at
    row.calls, row.call_at, row.due_at = row.calls + 1, at, at + WATCH
    what = "query" if row.step == "query" else "send"
    await outbox.put(
        tx,
        Pay(payout_id=row.id, call=row.calls, what=what, packet=RedPacket.model_validate(row.packet)),
        key=f"pay:{row.number}:{row.calls}",
        lane=NORMAL,
        ordering_key=f"pay:{row.number}",
        due_at=at,
        now=now,
        about=f"payout:{row.id}",
    )


def _packet(row: PayoutRow, account: payouts.AccountRow) -> RedPacket:
    words = Words.model_validate(row.words)
    return RedPacket(
        mch_billno=row.number,
        mch_id=account.mch_id,
        wxappid=account.app_id,
        re_openid=row.openid,
        total_amount=row.amount,
        send_name=words.send_name,
        act_name=words.act_name,
        wishing=words.wishing,
        remark=words.remark,
        client_ip=CLIENT_IP,
    )


async def _again(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """The number is spent, and nothing was paid under it: another attempt under the next one. The purse's money is for
    it from this very moment.
    """
    attempt = row.attempt + 1
    same = row.model_dump(
        include={
            "draw_id",
            "winner_id",
            "winner",
            "way",
            "draw",
            "purse",
            "amount",
            "gross",
            "tax",
            "born_by",
            "person",
            "openid",
            "words",
        }
    )
    fresh = PayoutRow(
        **same, attempt=attempt, number=number(row.draw, row.winner, attempt), due_at=now, since=now, planned_at=now
    )
    await payouts.add(tx, fresh)


async def _pass_on(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """This winner cannot be paid: the next alternate's turn, which is for draws to say. Over when they have said it."""
    if row.winner_id is None or not await payouts.waits_for_money(tx, row.winner_id):
        payouts.wait(row, "", None)
    else:
        payouts.wait(row, "alternate", now + PASSED_ON_BY)
        await inbox.put(
            tx,
            source="timer",
            key=f"unpayable:{row.number}",
            event=WinnerUnpayable(at=now, draw_id=row.draw_id, winner_id=row.winner_id, because=row.why),
            lane=NORMAL,
            ordering_key=f"draw:{row.draw_id}",
            due_at=now,
            now=now,
        )


# --- what a call came to ----------------------------------------------------------------------------------------------

DEFINITE = ("accepted", "arrived", "received", "returning", "returned", "spent", "failed")


async def answered(tx: Tx, deed: Pay, answer: PayAnswer, *, now: datetime) -> None:
    """One answer. What is definite counts whichever call it answers; else only the latest call is listened to."""
    row = await payouts.payout(tx, deed.payout_id, lock=True)
    if row is None or row.number != deed.packet.mch_billno:
        logger.error("an answer to {} belongs to no payout", deed.packet.mch_billno)
        return
    if row.calls != deed.call and answer.finding not in DEFINITE:
        return
    standing = Standing.model_validate({name: getattr(row, name) for name in Standing.model_fields})
    came_to = follow(standing, answer, now)
    if row.is_final:
        await _too_late(tx, row, answer, now=now)
        return
    _take_over(row, came_to, now=now)
    if came_to.again:
        await _again(tx, row, now=now)
    await book_it(tx, row, now=now)
    await _for_all(tx, came_to, answer, now=now)
    if row.is_final or row.state == "sent":
        await _is_settled(tx, row, now=now)


async def _too_late(tx: Tx, row: PayoutRow, answer: PayAnswer, *, now: datetime) -> None:
    """An answer about what is over tells nothing new; unless it says that what was given up was paid after all."""
    if row.state == "failed" and answer.finding in ("accepted", "arrived", "received", "returning"):
        logger.error("payout {} was given up ({}), and is paid after all", row.number, row.why)
        row.why = "PAID_AFTER_ALL"
        await payouts.pause(tx, "conflict", "PAID_AFTER_ALL", probe_at=None, now=now)


Verdict = Literal["paid", "failed", "again"]


async def by_hand(tx: Tx, row: PayoutRow, verdict: Verdict, *, now: datetime) -> None:
    """Somebody has looked it up at the provider: it was paid; it was not, and never will be, under this number; or
    whatever stood in its way is mended, and the same is to be sent again. Only for what is not over.
    """
    if verdict == "again":
        row.shown = False
        payouts.wait(row, "send", now)
        return
    answer = PayAnswer(finding="received" if verdict == "paid" else "failed", code="BY_HAND")
    standing = Standing.model_validate({name: getattr(row, name) for name in Standing.model_fields})
    came_to = follow(standing, answer, now)
    _take_over(row, came_to, now=now)
    if came_to.again:
        await _again(tx, row, now=now)
    if row.sent_at is None and verdict == "paid":
        row.sent_at = now
    await book_it(tx, row, now=now)
    await _is_settled(tx, row, now=now)


def _take_over(row: PayoutRow, came_to: Next, *, now: datetime) -> None:
    for name, value in came_to.standing.model_dump(exclude={"attempt"}).items():
        setattr(row, name, value)
    row.due_at, row.why = came_to.due_at, came_to.why
    if came_to.show and not row.shown:
        row.shown, row.due_at = True, now  # the next look, which shows it, is at once
    if came_to.alternate:
        payouts.wait(row, "alternate", now)
    if row.is_final:
        row.ended_at = now
    elif row.state == "sent" and row.sent_at is None:
        row.sent_at = now


async def book_it(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """The ledger says of this payout's money what its state says: every fen that went out, and every one back."""
    why = f"{row.way}：{row.number}"
    try:
        if not row.settled and row.state in (*PAID, "refunded"):
            await ledger.settle(tx, row.purse, row.amount, key=f"pay:{row.number}:settle", why=why, now=now)
            row.settled = True
        if row.settled and row.state in ("failed", "refunded"):
            await ledger.unsettle(tx, row.purse, row.amount, key=f"pay:{row.number}:unsettle", why=why, now=now)
            row.settled = False
        if row.state == "refunded":
            await ledger.release(tx, row.purse, row.amount, key=f"pay:{row.number}:release", why=why, now=now)
    except ledger.Overdrawn as error:
        logger.error("the ledger and payout {} do not agree: {}", row.number, error)
        row.shown, row.why = True, "OVERDRAWN"
        await payouts.pause(tx, "conflict", "OVERDRAWN", probe_at=None, now=now)


async def _for_all(tx: Tx, came_to: Next, answer: PayAnswer, *, now: datetime) -> None:
    if came_to.pause is not None:
        logger.error("payouts are paused: {} ({})", came_to.pause, answer.code)
        probe = {"no_money": now + PROBE_NO_MONEY, "setup": now + PROBE_SETUP, "conflict": None}[came_to.pause]
        await payouts.pause(tx, came_to.pause, answer.code, probe_at=probe, now=now)
    elif came_to.resumes:
        pause = await payouts.paused(tx)
        if pause is not None and pause.reason != "conflict":
            await payouts.resume(tx, now=now)


async def _is_settled(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """Nothing is doubtful about it any more."""
    row.shown = row.shown and not row.is_final
    await matter_rows.settle(tx, f"payout:{row.id}", outcome="settled", now=now)
    if row.winner_id is not None and row.state in PAID:
        await payouts.winner_is_paid(tx, row.winner_id, now=now)


# --- managers ---------------------------------------------------------------------------------------------------------


async def _show(tx: Tx, book: Book, row: PayoutRow, *, now: datetime) -> None:
    """It stands in the managers' daily list until something definite is known of it."""
    title, text = say_stuck_title(row.amount), say_stuck(row.number, row.person, row.amount, row.why, row.since)
    await matters.raise_one(tx, book, f"payout:{row.id}", audience="managers", title=title, text=text, now=now)


async def _tell_of_pauses(tx: Tx, book: Book, *, now: datetime) -> None:
    """Managers learn at once that nothing goes out any more, and that it goes on."""
    for pause in await payouts.untold(tx):
        key, to = f"payouts-paused:{pause.id}", await asking.managers(tx, book)
        pause.due_at = None
        if pause.told_at is None:
            title, text = say_pause(pause.reason, pause.code)
            pause.told_at = now
            await asking.tell(tx, to, f"{title}\n{text}", key, now=now)
            if pause.ended_at is None:
                await matters.raise_one(tx, book, key, audience="managers", title=title, text=text, now=now)
        if pause.ended_at is not None:
            pause.end_told_at = now
            await matter_rows.settle(tx, key, outcome="settled", now=now)
            await asking.tell(tx, to, say_resumed(), key, now=now)
