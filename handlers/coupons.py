"""`pay_by: coupon`: the winner's page shows a code, which staff tick off in the shop (到店核销)."""

import hashlib
from datetime import datetime

from loguru import logger
from pydantic import AwareDatetime

from rules.book import Book
from rules.clock import BEIJING
from rules.decision import Decision
from rules.events import CouponRedeemed
from rules.payouts import number
from rules.value import Value
from store import coupon_codes, draws, matters, payouts
from store.database import Database, Tx
from store.payouts import PayoutRow
from wecom.gateway import Gateway

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that looks like another
_LENGTH = 8
NO_CODES = "no-codes:"
"""What the matters begin with that ask for more codes of a sheet."""


class NoCodes(Exception):  # noqa: N818  # says what is the case
    """The sheet has no code left for anybody."""


class CouponOrder(Value):
    """A coupon that somebody is to get: a winner, or (`winner_id` None) whoever earned it otherwise. `codes`: the sheet
    its codes stand in; "": a code of ours, ticked off in the shop until `until`.
    """

    draw_id: int
    draw: str
    winner_id: int | None
    winner: str
    what: str
    codes: str
    until: datetime
    person: str


async def plan(tx: Tx, order: CouponOrder, *, now: datetime) -> PayoutRow | None:
    """Give the winner a code. None: they have one already. Raises NoCodes."""
    if await payouts.has_one(tx, order.draw_id, order.winner):
        return None
    if order.codes:
        return await _of_sheet(tx, order, now=now)
    row = await draws.draw(tx, order.draw_id)
    return await payouts.add(
        tx,
        PayoutRow(
            draw_id=order.draw_id,
            winner_id=order.winner_id,
            winner=order.winner,
            way="coupon",
            number=number(order.draw, order.winner, 1),
            draw=order.draw,
            purse="",
            amount=0,
            gross=0,
            state="sent",
            step="lapse",
            due_at=order.until,
            sent_at=now,
            person=order.person,
            what=order.what,
            code=_code(order, bytes.fromhex(row.salt) if row else b""),
            until=order.until,
            since=now,
            planned_at=now,
        ),
    )


async def _of_sheet(tx: Tx, order: CouponOrder, *, now: datetime) -> PayoutRow:
    """A code that somebody else made: theirs from here on, and used wherever it is good."""
    if not await coupon_codes.left(tx, order.codes):
        text = (
            f"表格「{order.codes}」里的券码都发完了，还有人在领。请加上新的，再运行 steward draw codes {order.codes}。"
        )
        await matters.open_one(
            tx, f"{NO_CODES}{order.codes}", audience="managers", title="券码发完了", text=text, now=now
        )
        raise NoCodes(order.codes)
    row = PayoutRow(
        draw_id=order.draw_id,
        winner_id=order.winner_id,
        winner=order.winner,
        way="coupon",
        number=number(order.draw, order.winner, 1),
        draw=order.draw,
        purse="",
        amount=0,
        gross=0,
        state="received",
        step="",
        person=order.person,
        what=order.what,
        sent_at=now,
        ended_at=now,
        since=now,
        planned_at=now,
    )
    tx.add(row)
    await tx.flush()
    row.code = await _next_code(tx, order.codes, row.id, now=now)
    if row.code is None:  # others took the last ones at this moment
        await tx.delete(row)
        await tx.flush()
        raise NoCodes(order.codes)
    if order.winner_id is not None:
        await payouts.winner_is_paid(tx, order.winner_id, now=now)
    return row


async def _next_code(tx: Tx, sheet: str, payout_id: int, *, now: datetime) -> str | None:
    """The next code of the sheet that nobody has out of another sheet either: given twice, one of the two is worth
    nothing. None: there is none left.
    """
    while (code := await coupon_codes.take(tx, sheet, payout_id, now=now)) is not None:
        if await payouts.with_code(tx, code) is None:
            return code
        logger.warning("a code of sheet {} was given before, out of another sheet; it is passed over", sheet)
    return None


# --- ticked off in the shop -------------------------------------------------------------------------------------------


class Coupon(Value):
    """What staff see of a code. `why_not`: why it cannot be ticked off (Chinese), "" = it can."""

    code: str
    what: str
    person: str
    until: AwareDatetime | None
    why_not: str


async def look(tx: Tx, code: str, now: datetime) -> Coupon | None:
    """What a code is good for; None: it is none of ours. Locks nothing."""
    row = await payouts.with_code(tx, tidy(code))
    if row is None or row.way != "coupon":
        return None
    return Coupon(code=row.code or "", what=row.what, person=row.person, until=row.until, why_not=_why_not(row, now))


def tidy(code: str) -> str:
    """As somebody types it: small letters, spaces and dashes are forgiven."""
    return "".join(each for each in code.upper() if each.isalnum())[:32]


def _why_not(row: PayoutRow, now: datetime) -> str:
    if row.state == "received":
        when = f"{row.ended_at.astimezone(BEIJING):%m月%d日 %H:%M}" if row.ended_at else ""
        return f"{when} 已经核销过了" if row.userid else "这是券码，请在收银系统里核销"
    if row.is_final or (row.until is not None and now > row.until):
        return "已经过期"
    return ""


async def look_up(event: CouponRedeemed, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: CouponRedeemed, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Hit: the gift may be handed over. Miss: why not, for staff. A code is good once, whoever asks and how often."""
    row = await payouts.with_code(tx, tidy(event.code), lock=True)
    why_not = "没有这个核销码，请核对一下" if row is None or row.way != "coupon" else _why_not(row, now)
    if row is not None and not why_not:
        row.state, row.userid, row.ended_at = "received", event.userid, now
        payouts.wait(row, "", None)
        if row.winner_id is not None:
            await payouts.winner_is_paid(tx, row.winner_id, now=now)
    subject = row.person if row is not None else ""
    because = why_not or f"{event.userid} 核销了「{row.what if row else ''}」"
    return [Decision(rule="coupon", verdict="miss" if why_not else "hit", because=because, subject=subject)]


def lapse(row: PayoutRow, now: datetime) -> None:
    """Nobody came for it in time: somebody else's turn."""
    row.state, row.why, row.ended_at = "failed", "过期没有来领", now
    payouts.wait(row, "alternate", now)


def _code(order: CouponOrder, salt: bytes) -> str:
    """Nobody can guess it, and it is the same however often it is worked out."""
    digest = hashlib.blake2b(f"{order.draw} {order.winner}".encode(), key=salt, digest_size=16).digest()
    number_ = int.from_bytes(digest, "big")
    letters = list[str]()
    for _ in range(_LENGTH):
        number_, place = divmod(number_, len(_LETTERS))
        letters.append(_LETTERS[place])
    return "".join(letters)
