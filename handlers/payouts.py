"""Prizes on their way to people: what is due is done, and what cannot go on is shown.

The exact parameters of a red packet are written down in the transaction that orders its first call. What a call came to
is handlers/payout_answers.py.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import asking, coupons, matters, owner_payouts
from rules.actions import Pay, RedPacket
from rules.book import Book
from rules.budget import Amounts
from rules.decision import Decision
from rules.events import PayoutsDue, WinnerUnpayable
from rules.lanes import NORMAL
from rules.payout_words import say_pause, say_resumed, say_stuck, say_stuck_title, say_unpayable
from rules.payouts import (
    A_DAY,
    BETWEEN_CALLS,
    FEN_A_DAY,
    FEN_A_DAY_OF_MERCHANT,
    OVERDUE,
    PACKETS_A_DAY,
    PROBE_SETUP,
    WATCH,
    Words,
    day_of,
    is_too_old,
    number,
    tomorrow,
)
from rules.value import Value
from store import inbox, ledger, outbox, pay_accounts, payouts
from store import matters as matter_rows
from store.database import Database, Tx
from store.pay_accounts import AccountRow
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
    """The steps that have come. Events of this kind go one at a time: limits are counted by nobody else meanwhile. What
    has moved on since the event was raised will be due again at its own time.
    """
    await _tell_of_pauses(tx, book, now=now)
    due = [row for row in await payouts.some(tx, event.payout_ids) if row.due_at == event.at + WATCH]
    calls = [row for row in due if row.step in ("send", "query") and not row.is_final]
    await _call(tx, await _not_held_up(tx, calls, now=now), now=now)
    for row in due:
        try:
            await _go_on(tx, book, row, now=now)
        except _OF_ONE_ROW:
            _put_aside(row)
        if row.shown and not row.is_final:
            await _show(tx, book, row, now=now)
        if not row.step:
            row.due_at = None
    return []


async def _go_on(tx: Tx, book: Book, row: PayoutRow, *, now: datetime) -> None:
    """What is not a call."""
    if row.step == "alternate":
        await _pass_on(tx, row, now=now)
    elif row.way == "coupon" and row.step == "lapse" and not row.is_final:
        coupons.lapse(row, now)
    elif row.way == "owner" and row.step:
        await owner_payouts.go_on(tx, book, row, now=now)


_OF_ONE_ROW = (ledger.Overdrawn, KeyError, ValueError, TypeError, AttributeError)
"""Mistakes of ours about one payout: the others that are due with it go on."""


def _put_aside(row: PayoutRow) -> None:
    """Called where an exception was caught: it waits for a person."""
    logger.exception("payout {} cannot go on", row.number)
    payouts.wait(row, "", None)
    row.shown, row.why = True, "OURS"


async def _not_held_up(tx: Tx, rows: Sequence[PayoutRow], *, now: datetime) -> list[PayoutRow]:
    """Sendings that became due before a pause began wait for its end, but for one: it may be the one that tries. Where
    something does not add up, none does.
    """
    pause = await payouts.paused(tx)
    if pause is None:
        return list(rows)
    one_tries = pause.reason != "conflict"
    held = [row for row in rows if row.step == "send" and row.state != "sending"][one_tries:]
    for row in held:
        payouts.wait(row, "send", now)
    ids = {row.id for row in held}
    return [row for row in rows if row.id not in ids]


async def _call(tx: Tx, rows: Sequence[PayoutRow], *, now: datetime) -> None:
    """Order the calls: spread over time, within the limits of today."""
    if not rows:
        return
    account = await pay_accounts.account(tx)
    if account is None:
        await payouts.pause(tx, "setup", "NO_SETTINGS", probe_at=now + PROBE_SETUP, now=now)
        for row in rows:
            payouts.wait(row, _step(row), now + PROBE_SETUP)
            row.why = "NO_SETTINGS"
        return
    for row in rows:
        if row.state == "sending":  # a call was ordered long ago, and nothing was heard of it
            row.state, row.step, row.doubt, row.why = "unknown", "query", True, "NO_WORD"
    rows = [row for row in rows if not _stands_still(row, account, now)]
    day = day_of(now)
    sending = [row for row in rows if row.step == "send"]
    sent = await payouts.sent_on(tx, day, {row.openid for row in sending}, without=[row.id for row in sending])
    at = await payouts.room_at(tx, now)
    for row in rows:
        if row.step == "send":
            if not _has_room(row, sent):
                payouts.wait(row, "send", tomorrow(now))
                row.why = "DAY_LIMIT"
                continue
            _count(row, sent)
            row.day = day
        try:
            await _order(tx, row, account, at=at, now=now)
        except _OF_ONE_ROW:
            _put_aside(row)
        at += BETWEEN_CALLS


def _stands_still(row: PayoutRow, account: AccountRow, now: datetime) -> bool:
    """Whether no call is to be made for now: what was begun with another account is known only there, and to send again
    what the provider may have forgotten could pay it a second time.
    """
    began_with = row.packet.get("mch_id"), row.packet.get("wxappid")
    if row.packet and began_with != (account.mch_id, account.app_id):
        payouts.wait(row, _step(row), now + A_DAY)
        row.why = "OTHER_ACCOUNT"
        row.shown = row.shown or row.state != "sent" or now >= row.since + OVERDUE
        return True
    if row.step == "send" and row.doubt and is_too_old(row.since, now):
        payouts.wait(row, "", None)
        row.shown, row.why = True, "TOO_OLD"
        return True
    return False


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


async def _order(tx: Tx, row: PayoutRow, account: AccountRow, *, at: datetime, now: datetime) -> None:
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


def _packet(row: PayoutRow, account: AccountRow) -> RedPacket:
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


async def _pass_on(tx: Tx, row: PayoutRow, *, now: datetime) -> None:
    """This winner cannot be paid: the next alternate's turn, which is for draws to say. Over when they have said it."""
    if row.winner_id is None or not await payouts.waits_for_money(tx, row.winner_id):
        payouts.wait(row, "", None)
        return
    payouts.wait(row, "alternate", now + PASSED_ON_BY)
    because = say_unpayable(row.state, row.way, "NO_AUTH" if row.barred else row.why)
    await inbox.put(
        tx,
        source="timer",
        key=f"unpayable:{row.number}:{day_of(now)}",
        event=WinnerUnpayable(at=now, draw_id=row.draw_id, winner_id=row.winner_id, because=because),
        lane=NORMAL,
        ordering_key=f"draw:{row.draw_id}",
        due_at=now,
        now=now,
    )


# --- managers ---------------------------------------------------------------------------------------------------------


async def _show(tx: Tx, book: Book, row: PayoutRow, *, now: datetime) -> None:
    """It stands in the managers' daily list until something definite is known of it."""
    title = say_stuck_title(row.amount, row.state)
    text = say_stuck(row.number, row.person, row.amount, row.why, row.since)
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
