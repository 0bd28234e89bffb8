"""Who has won: a prize is theirs to claim, handed over when they do, and the next alternate's when they do not.

Money that a share is worth stays in the draw's purse whoever has it; it goes back to the month where nobody is left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loguru import logger

from handlers import coupons, payouts
from handlers.coupons import CouponOrder
from handlers.draw_facts import Tags, as_of_now, of_visitor, person_of, settings_of, tags_of_visitor
from handlers.payouts import Order
from rules.book import Book
from rules.budget import amounts
from rules.decision import Decision
from rules.draw_proof import ShareOf
from rules.draw_rules import NOBODY_KNOWS, TAGS_UNKNOWN, EntrantFacts, why_not
from rules.draws import Draw
from rules.events import PrizeClaimed, WinnerUnpayable
from rules.payouts import words
from store import draw_entrants, draw_winners, draws, identities, ledger, pay_accounts
from store import payouts as payout_rows
from store.database import Database, Tx
from store.draws import DrawRow, WinnerRow
from wecom.gateway import Gateway

TWICE = "同一个人报了两次，只算一次"
ONCE_A_MONTH, ONCE = "您这个月已经中过一次，把机会留给别人吧", "一个人最多一份"
NOT_WON, TOO_LATE, GONE_BY = "这次没有中奖", "过了领奖时间，这份奖已经作废", "这份奖已经给了候补"
NEEDS_NAME = "要先确认您是群成员，才能领奖"
NEEDS_OPENID = "请在微信里打开这个页面，同意公众号授权后再领"
NO_CODES = "券码暂时发完了，店员正在补，请过一会儿再来"


async def look_up(event: PrizeClaimed | WinnerUnpayable, wecom: Gateway, store: Database, now: datetime) -> Tags:
    """Of whoever claims: their tags, where the draw asks for them."""
    if isinstance(event, WinnerUnpayable):
        return {}
    async with store.read() as tx:
        row = await draws.draw(tx, event.draw_id)
    return await tags_of_visitor(wecom, store, settings_of(row), event.visitor_id) if row else {}


async def handle(
    event: PrizeClaimed | WinnerUnpayable, seen: Tags, tx: Tx, book: Book, now: datetime
) -> list[Decision]:
    """Hit: the prize is on its way. Miss: why not, in words for them."""
    row = await draws.draw(tx, event.draw_id, lock=True)
    if row is None:
        return []
    draw = settings_of(row)
    if isinstance(event, WinnerUnpayable):
        winner = await draw_winners.winner(tx, event.winner_id, lock=True)
        if winner is not None and winner.state in ("claimed", "won"):
            await pass_on(tx, row, draw, winner, "dropped", event.because, now=now)
        return []
    external_userid = await identities.external_of(tx, event.visitor_id)
    winner = await draw_winners.win_of(tx, row.id, event.visitor_id, external_userid)
    refused = _why_too_late(winner, now)
    if refused is None and winner is not None:
        facts = await of_visitor(tx, row, event.visitor_id, external_userid, seen)
        refused = await _claim(tx, row, draw, winner, Claimant(event.visitor_id, external_userid, facts), now=now)
    return [
        Decision(
            rule=f"draw:{row.name}",
            verdict="miss" if refused else "hit",
            because=refused or "领了奖",
            subject=person_of(event.visitor_id, external_userid),
        )
    ]


# --- winning ----------------------------------------------------------------------------------------------------------


async def win(
    tx: Tx, row: DrawRow, draw: Draw, share: ShareOf, *, rank: int, entrant: Mapping[str, Any], now: datetime
) -> bool:
    """This entrant has this share. False: they have one of this draw, or, where that is the rule, of this month."""
    person = str(entrant["person"])
    return await draw_winners.win(
        tx,
        {
            "draw_id": row.id,
            "rank": rank,
            "share": share.number,
            "prize": share.prize,
            "amount": share.amount,
            "person": person,
            "visitor_id": entrant["visitor_id"],
            "external_userid": entrant["external_userid"],
            "ticket": entrant["ticket"],
            "state": "won",
            "month": row.month,
            "month_key": month_key(row, draw, person),
            "won_at": now,
            "claim_until": now + draw.claim_within,
        },
    )


async def why_not_won(tx: Tx, row: DrawRow, person: str) -> str:
    """Why `win` said no."""
    return TWICE if await draw_winners.has_in_draw(tx, row.id, person, but=0) else "这个月已经中过一次"


def month_key(row: DrawRow, draw: Draw, person: str) -> str | None:
    """What is there once, where a person wins once a month at most."""
    return f"{row.month}:{person}" if draw.who.once_a_month else None


# --- claiming ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Claimant:
    """Who claims, and what is known of them."""

    visitor_id: int
    external_userid: str | None
    facts: EntrantFacts


def _why_too_late(winner: WinnerRow | None, now: datetime) -> str | None:
    """Why there is nothing to claim; "" = it was claimed before; None = there is."""
    if winner is None:
        return NOT_WON
    if winner.state in ("claimed", "paid"):
        return ""
    if winner.state == "dropped":
        return winner.because or GONE_BY
    late = winner.claim_until is not None and now >= winner.claim_until  # the sweep passes it on
    return TOO_LATE if winner.state == "lapsed" or late else None


async def _claim(tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, who: Claimant, *, now: datetime) -> str:
    """Why not; "" where the prize is on its way."""
    refused = why_not(draw, who.facts, now)
    if refused == TAGS_UNKNOWN:
        return refused
    if refused == NOBODY_KNOWS or who.external_userid is None:
        return NEEDS_NAME
    if not refused:
        refused = await _is(tx, row, draw, winner, who.visitor_id, who.external_userid)
    if refused:
        await pass_on(tx, row, draw, winner, "dropped", refused, now=now)
        return refused
    refused = await _hand_over(tx, row, draw, winner, now=now)
    if not refused:
        for other in await draw_winners.wins_of(tx, row.id, who.visitor_id, who.external_userid):
            if other.state == "won":
                await pass_on(tx, row, draw, other, "dropped", ONCE, now=now)
    return refused


async def _is(tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, visitor_id: int, external_userid: str) -> str:
    """It is known for certain who has won. Why that is somebody who may not; "" = well."""
    winner.visitor_id, winner.external_userid = visitor_id, external_userid
    if winner.person == external_userid:
        return ""
    key = month_key(row, draw, external_userid)
    if key is not None and await draw_winners.key_is_taken(tx, key, but=winner.id):
        return ONCE_A_MONTH
    if await draw_winners.has_in_draw(tx, row.id, external_userid, but=winner.id):
        return ONCE
    winner.person, winner.month_key = external_userid, key
    await tx.flush()
    return ""


async def _hand_over(tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, *, now: datetime) -> str:
    """The prize is on its way from here on. Why not (yet); "" = it is."""
    before = winner.state, winner.claimed_at
    winner.state, winner.claimed_at = "claimed", now
    await tx.flush()
    by_wechat = draw.pays(draw.prize[winner.prize]) == "wechat"
    refused = await (_by_wechat if by_wechat else _as_coupon)(tx, row, draw, winner, now=now)
    if refused:
        winner.state, winner.claimed_at = before
        await tx.flush()
    return refused


async def _by_wechat(tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, *, now: datetime) -> str:
    account = await pay_accounts.account(tx)
    openid = await identities.openid_of(tx, winner.visitor_id or 0, account.app_id) if account else None
    if openid is None:
        return NEEDS_OPENID
    order = Order(
        draw_id=row.id,
        draw=row.key,
        winner_id=winner.id,
        winner=_named(winner),
        purse=row.purse,
        amounts=amounts(winner.amount, draw.tax),
        person=winner.person,
        openid=openid,
        words=words(draw.organiser, draw.title, draw.wishing),
    )
    await payouts.plan(tx, order, now=now)
    return ""


async def _as_coupon(tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, *, now: datetime) -> str:
    prize = draw.prize[winner.prize]
    order = CouponOrder(
        draw_id=row.id,
        draw=row.key,
        winner_id=winner.id,
        winner=_named(winner),
        what=prize.what,
        codes=prize.codes,
        until=now + draw.claim_within,  # who claims at the last moment still has time to come
        person=winner.person,
    )
    try:
        await coupons.plan(tx, order, now=now)
    except coupons.NoCodes:
        return NO_CODES
    return ""


def _named(winner: WinnerRow) -> str:
    """What makes a payout this one: whose share it is."""
    return f"{winner.share}:{winner.person}"


# --- passing on -------------------------------------------------------------------------------------------------------


async def pass_on(
    tx: Tx, row: DrawRow, draw: Draw, winner: WinnerRow, state: str, because: str, *, now: datetime
) -> None:
    """The prize is not theirs any more: the next alternate has it, never a new lot. Nobody left: it goes back."""
    logger.info("draw {}: rank {} is out ({}: {})", row.key, winner.rank, state, because)
    draw_winners.is_over(winner, state, because)
    winner.ended_at = now
    await tx.flush()
    share = ShareOf(winner.share, winner.prize, winner.amount)
    if draw.way_in != "grab" and row.state == "drawn" and await _money_is_there(tx, row, winner, now=now):
        gone = winner.rank
        for entrant, rank in await _alternates(tx, row):
            note = {"share": share.number, "gone": gone, "to": rank, "because": because, "at": now.isoformat()}
            row.redraws = [*row.redraws, note]
            if why := await _not_any_more(tx, row, draw, entrant, now=now):
                gone, because = rank, why
                continue
            if await win(tx, row, draw, share, rank=rank, entrant=entrant, now=now):
                await draw_winners.note_taken(tx, row.id, share.number, str(entrant["person"]), now=now)
                row.due_at = min(row.due_at or now + draw.claim_within, now + draw.claim_within)
                await tx.flush()
                return
            gone, because = rank, await why_not_won(tx, row, str(entrant["person"]))
    await draw_winners.give_back_share(tx, row.id, share.number)
    if row.state == "drawn":  # in a grab that is still open the next one takes it
        await _give_money_back(tx, row, winner, now=now)
        row.due_at = now
    await tx.flush()


async def _alternates(tx: Tx, row: DrawRow) -> list[tuple[dict[str, Any], int]]:
    """Those whose turn has not come yet, in order."""
    asked = {each["to"] for each in row.redraws}
    waiting = [each for each in row.alternates if each["rank"] not in asked]
    entries = await draw_entrants.with_tickets(tx, row.id, [each["ticket"] for each in waiting])
    now_are = await as_of_now(tx, entries.values())
    return [(now_are[each["ticket"]], each["rank"]) for each in waiting if each["ticket"] in now_are]


async def _not_any_more(tx: Tx, row: DrawRow, draw: Draw, entrant: Mapping[str, Any], *, now: datetime) -> str:
    """Why somebody who was an alternate may not win by now; tags are asked for when they claim."""
    facts = await of_visitor(tx, row, entrant["visitor_id"] or 0, entrant["external_userid"], {})
    without_tags = draw.model_copy(update={"who": draw.who.model_copy(update={"not_tags": ()}), "tags": ()})
    refused = why_not(without_tags, facts, now)
    return "" if refused == NOBODY_KNOWS else refused


async def _money_is_there(tx: Tx, row: DrawRow, winner: WinnerRow, *, now: datetime) -> bool:
    """Whether the purse holds what the next one is to get. What came back after a day went back to the month first."""
    if not winner.amount or await _free(tx, row) >= winner.amount:
        return True
    key = f"{row.purse}:again:{winner.id}"
    why = f"「{row.name}」给候补"
    return await ledger.reserve(tx, row.purse, winner.amount, month=row.month, key=key, why=why, now=now)


async def _give_money_back(tx: Tx, row: DrawRow, winner: WinnerRow, *, now: datetime) -> None:
    back = min(winner.amount, await _free(tx, row))
    if back > 0:
        key, why = f"{row.purse}:back:{winner.id}", f"「{row.name}」没人领"
        await ledger.release(tx, row.purse, back, key=key, why=why, now=now)


async def _free(tx: Tx, row: DrawRow) -> int:
    """Fen that the purse holds for nobody: neither for who may yet claim, nor for what is on its way."""
    purse = await ledger.purse(tx, row.purse)
    if purse is None:
        return 0
    return purse.held - await draw_winners.unclaimed(tx, row.id) - await payout_rows.claimed(tx, row.purse)
