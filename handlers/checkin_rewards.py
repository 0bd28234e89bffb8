"""What people earn by checking in: granted once and from stock, handed over as soon as it is known who they are.

Money is held in the ledger from the grant on; what cannot be handed over waits, and says for what.
"""

from datetime import datetime, timedelta

from loguru import logger

from handlers import coupons, draw_entry, payouts
from handlers.coupons import CouponOrder
from handlers.draw_facts import blocked_among
from handlers.payouts import Order
from rules.book import Book
from rules.budget import month_of
from rules.checkin_rewards import (
    BUDGET_OUT,
    NEEDS_NAME,
    NEEDS_OPENID,
    NO_ACCOUNT,
    NO_BUDGET,
    NO_CODES,
    NO_DRAW,
    NOT_PAID,
    ON_THE_LIST,
    STOCK_OUT,
    cost_of,
    earned,
    kind_of,
    money_of,
)
from rules.checkins import Checkin, Reward
from rules.payouts import PAID, words
from store import checkin_rewards, draws, identities, ledger, pay_accounts, points
from store import payouts as payout_rows
from store.checkin_rewards import CheckinRewardRow
from store.checkins import DayRow, JourneyRow
from store.database import Tx

TRY_AGAIN = timedelta(days=1)


async def grant(
    tx: Tx,
    book: Book,
    checkin: Checkin,
    row: JourneyRow,
    theirs: list[CheckinRewardRow],
    reached: int,
    *,
    now: datetime,
) -> None:
    """Whatever they have earned by so many days, and have not got, is theirs from now on, and among `theirs`."""
    has = {each.milestone for each in theirs if each.person_key}
    for milestone in earned(checkin, reached):
        if milestone not in has:
            mine = await _grant(tx, book, checkin, row, milestone, checkin.rewards[milestone], now=now)
            theirs += [mine] if mine is not None else []


async def _grant(
    tx: Tx, book: Book, checkin: Checkin, row: JourneyRow, milestone: int, reward: Reward, *, now: datetime
) -> CheckinRewardRow | None:
    mine = CheckinRewardRow(
        journey_id=row.id,
        visitor_id=row.visitor_id,
        checkin=checkin.name,
        milestone=milestone,
        reward=kind_of(reward),
        what=reward.what,
        amount=cost_of(reward),
        points=reward.points,
        granted_at=now,
        due_at=now,
    )
    if not await checkin_rewards.grant(tx, mine):
        return None
    if not await checkin_rewards.take(tx, checkin.name, milestone, reward.stock):
        why = STOCK_OUT
    else:
        why = await _hold_money(tx, book, mine, now=now) if mine.reward == "money" else ""
        if why:
            await checkin_rewards.put_back(tx, checkin.name, milestone)
    if why:
        mine.state, mine.why, mine.due_at = "none", why, None
    await tx.flush()
    return mine


async def _hold_money(tx: Tx, book: Book, mine: CheckinRewardRow, *, now: datetime) -> str:
    """Why not; "" where the budget of the month holds it from now on."""
    if book.budget is None:
        return NO_BUDGET
    mine.month = month_of(now)
    await ledger.fund(tx, mine.month, book.budget.cap, now=now)
    why = f"打卡「{mine.checkin}」第 {mine.milestone} 天"
    held = await ledger.reserve(
        tx, mine.purse, money_of(mine.amount).net, month=mine.month, key=f"{mine.purse}:reserve", why=why, now=now
    )
    return "" if held else BUDGET_OUT


async def give_points(
    tx: Tx,
    book: Book,
    checkin: Checkin,
    days: list[DayRow],
    external_userid: str | None,
    *,
    now: datetime,
) -> None:
    """The points of each day on which somebody checked in, and of each question that they answered, once they are known
    by name. Made-up days bring none.
    """
    if external_userid is None:
        return
    worth, said = book.rewards, {"check_in": "打卡", "answer": "回答问题"}
    owed = {
        f"{what}:{checkin.name}:{day.on.isoformat()}:{external_userid}": (what, day.on)
        for day in days
        for what in said
        if day.kind == "tap" and getattr(worth, what) and (what == "check_in" or day.answer)
    }
    for key in sorted(owed.keys() - await points.written(tx, owed)):
        what, on = owed[key]
        why = f"「{checkin.title}」{said[what]}（{on.month}月{on.day}日）"
        await points.give(tx, external_userid, getattr(worth, what), why=why, key=key, now=now)


# --- handing over -----------------------------------------------------------------------------------------------------


async def hand_over(
    tx: Tx, checkin: Checkin, theirs: list[CheckinRewardRow], external_userid: str | None, *, now: datetime
) -> datetime | None:
    """Hand over what is owed to them and due, as far as it can be. When to look again; None: once more is known."""
    for mine in theirs:
        if mine.due_at is None or mine.due_at > now:
            continue
        if mine.state == "handed":
            await _follow(tx, mine, now=now)
        elif mine.state == "owed":
            await _hand_over(tx, checkin, mine, external_userid, now=now)
    await tx.flush()
    return min(
        (mine.due_at for mine in theirs if mine.due_at is not None and mine.state in ("owed", "handed")), default=None
    )


async def _hand_over(
    tx: Tx, checkin: Checkin, mine: CheckinRewardRow, external_userid: str | None, *, now: datetime
) -> None:
    if external_userid is None:
        mine.why, mine.due_at = NEEDS_NAME, None
        return
    if await blocked_among(tx, [external_userid]):
        await _take_back(tx, mine, ON_THE_LIST, now=now)
        return
    settings = checkin.rewards.get(mine.milestone)
    match mine.reward:
        case "points":
            key = f"{mine.purse}:points"
            why = f"「{checkin.title}」打满 {mine.milestone} 天"
            await points.give(tx, external_userid, mine.points, why=why, key=key, now=now)
            _handed(mine, now)
        case "coupon":
            await _coupon(tx, checkin, mine, settings, external_userid, now=now)
        case "ticket":
            await _ticket(tx, mine, settings, now=now)
        case _:
            await _money(tx, checkin, mine, external_userid, now=now)


def _handed(mine: CheckinRewardRow, now: datetime, *, look_at: datetime | None = None) -> None:
    mine.state, mine.why, mine.handed_at, mine.due_at = "handed", "", now, look_at


def _wait(mine: CheckinRewardRow, why: str, until: datetime | None) -> None:
    mine.why, mine.due_at = why, until


async def _coupon(
    tx: Tx, checkin: Checkin, mine: CheckinRewardRow, reward: Reward | None, who: str, *, now: datetime
) -> None:
    order = CouponOrder(
        draw_id=0,
        draw=f"checkin:{checkin.name}",
        winner_id=None,
        winner=mine.purse,
        what=mine.what or "券",
        codes=reward.coupon if reward else "",
        until=now,
        person=who,
    )
    if not order.codes:
        _wait(mine, NO_CODES, None)  # the config does not have it any more
        return
    try:
        given = await coupons.plan(tx, order, now=now)
    except coupons.NoCodes:
        _wait(mine, NO_CODES, now + TRY_AGAIN)
        return
    if given is not None:
        mine.payout_id, mine.code = given.id, given.code or ""
    _handed(mine, now)


async def _ticket(tx: Tx, mine: CheckinRewardRow, reward: Reward | None, *, now: datetime) -> None:
    """Into the draw of this name that people can enter now, else into the next one."""
    name = reward.ticket if reward else ""
    row = await draws.shown(tx, name, now=now) if name else None
    if row is None or row.state not in ("announced", "open") or now >= row.close_at:
        _wait(mine, NO_DRAW, now + TRY_AGAIN if name else None)
    elif now < row.open_at:
        _wait(mine, NO_DRAW, row.open_at)
    elif refused := await draw_entry.by_ticket(tx, row, mine.visitor_id, now=now):
        logger.info("reward {} is no ticket to draw {}: {}", mine.id, row.key, refused)
        _wait(mine, refused, now + TRY_AGAIN)
    else:
        _handed(mine, now)


async def _money(tx: Tx, checkin: Checkin, mine: CheckinRewardRow, who: str, *, now: datetime) -> None:
    account = await pay_accounts.account(tx)
    if account is None:
        _wait(mine, NO_ACCOUNT, now + TRY_AGAIN)
        return
    openid = await identities.openid_of(tx, mine.visitor_id, account.app_id)
    if openid is None:
        _wait(mine, NEEDS_OPENID, None)
        return
    order = Order(
        draw_id=0,
        draw=f"checkin:{checkin.name}",
        winner_id=None,
        winner=mine.purse,
        purse=mine.purse,
        amounts=money_of(mine.amount),
        person=who,
        openid=openid,
        words=words(checkin.organiser or checkin.title, checkin.title, "感谢您每天来打卡"),
    )
    planned = await payouts.plan(tx, order, now=now)
    mine.payout_id = planned.id if planned is not None else mine.payout_id
    _handed(mine, now, look_at=now + TRY_AGAIN)


async def _follow(tx: Tx, mine: CheckinRewardRow, *, now: datetime) -> None:
    """Has the money arrived? What was never paid goes back to the month."""
    last = await payout_rows.last_attempt(tx, 0, mine.purse)
    if last is not None and last.state in PAID:
        mine.state, mine.due_at = "paid", None
    elif last is not None and last.is_final:
        await _take_back(tx, mine, NOT_PAID, now=now)
    else:
        mine.due_at = now + TRY_AGAIN


async def forgotten(tx: Tx, visitor_id: int, why: str, *, now: datetime) -> None:
    """Nobody will ever know who this was: what is still owed to them goes back."""
    for mine in await checkin_rewards.of_visitor(tx, visitor_id):
        if mine.state == "owed":
            await _take_back(tx, mine, why, now=now)
    await tx.flush()


async def _take_back(tx: Tx, mine: CheckinRewardRow, why: str, *, now: datetime) -> None:
    """It is not theirs after all. They do not get another: the key stays."""
    if mine.reward == "money":
        await ledger.release_rest(tx, mine.purse, key=f"{mine.purse}:back", why=why, now=now)
    await checkin_rewards.put_back(tx, mine.checkin, mine.milestone)
    mine.state, mine.why, mine.due_at = "void", why, None
