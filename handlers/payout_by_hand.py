"""`steward draw settle`: somebody has looked a payout up at the provider, and says what became of it."""

from datetime import datetime, timedelta
from typing import Literal

from handlers import owner_payouts
from handlers.payout_answers import come_to, no_more_doubt
from rules.payouts import A_DAY, PayAnswer, is_too_old
from store import outbox, payouts
from store.database import Tx
from store.payouts import PayoutRow

Verdict = Literal["paid", "refunded", "failed", "again"]

LOOK_LATER = timedelta(minutes=10)
"""What was sent a moment ago may not be shown at the provider yet: that it is not there proves nothing."""

NOT_OURS = "这是一张券：在核销页面上核销，过期会自动给候补"
OVER = "已有定论，不用再登记"
OWNERS = "这是请群主发的红包：发了登记 paid，没有发登记 failed"
IN_FLIGHT = "现在正在发或正在查，请过 1 分钟再到商户平台查一次，然后登记"
TOO_FRESH = "10 分钟以内刚发过请求，商户平台可能还没有显示，请过 10 分钟再查一次，然后登记"
TOO_OLD = "这个单号已超过 29 天，微信支付可能已经不认得，再发可能重复。请查清以后登记 paid、refunded 或 failed"
NOT_BACK = "发出以后 24 小时没人领才会退款，现在还没有到时间"
TAKEN = "微信支付已经收下这一单，不会再换单号发：已领取登记 paid，已退款登记 refunded"


async def by_hand(tx: Tx, row: PayoutRow, verdict: Verdict, *, now: datetime) -> str:
    """paid: the money went. refunded: it went, and came back. failed: it did not go and never will under this number.
    again: what stood in the way is mended, the same is sent again. Why not; "" = it is written down.
    """
    if row.is_final:
        return OVER
    if row.way != "wechat":
        return await _of_owner(tx, row, verdict, now=now) if row.way == "owner" else NOT_OURS
    if refused := await _why_not(tx, row, verdict, now=now):
        return refused
    if verdict == "again":
        await no_more_doubt(tx, row, now=now)
        row.tries = 0
        payouts.wait(row, "query" if row.state == "sent" else "send", now)
    else:
        await come_to(tx, row, _answer(row, verdict, now), now=now)
    return ""


async def _why_not(tx: Tx, row: PayoutRow, verdict: Verdict, *, now: datetime) -> str:
    """Whatever may yet pay, or has paid, is not given up: a new number, or an alternate, would be paid besides."""
    if verdict == "again":
        return TOO_OLD if row.doubt and is_too_old(row.since, now) else ""
    if verdict == "paid":
        return ""
    if await outbox.in_flight(tx, f"pay:{row.number}", now=now):
        return IN_FLIGHT
    if verdict == "refunded":
        return "" if row.calls and now >= row.since + A_DAY else NOT_BACK
    if row.state == "sent":
        return TAKEN
    in_doubt = row.doubt or row.state == "sending"
    just_now = row.call_at is not None and row.call_at <= now < row.call_at + LOOK_LATER
    return TOO_FRESH if in_doubt and just_now else ""


def _answer(row: PayoutRow, verdict: Verdict, now: datetime) -> PayAnswer:
    """As the provider would have put it. What went out goes on being asked about: it may come back after a day."""
    if verdict == "paid":
        ends_here = row.state == "sent" or not row.calls or is_too_old(row.since, now)
        return PayAnswer(finding="received" if ends_here else "arrived", code="BY_HAND")
    return PayAnswer(finding="returned" if verdict == "refunded" else "failed", code="BY_HAND")


async def _of_owner(tx: Tx, row: PayoutRow, verdict: Verdict, *, now: datetime) -> str:
    """An owner who sent it and did not press, or who never will."""
    if verdict == "paid":
        await owner_payouts.is_sent(tx, row, now=now)
    elif verdict == "failed":
        await owner_payouts.is_not_sent(tx, row, "负责人登记没有发", now=now)
    else:
        return OWNERS
    return ""
