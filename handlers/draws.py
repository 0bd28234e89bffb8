"""The life of a draw: announced with its rules and commitment, opened, frozen, drawn, closed; money held all the while.

Every step is due at a time that was published, and is taken once: it is the draw's own row that says how far it is.
A step that is too late by the draw's own rule ends it, and the money goes back.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import asking, draw_news, draw_pick, matters, owner_payouts
from handlers.calendar import post_group
from handlers.draw_facts import Tags, settings_of, tags_of
from handlers.owner_payouts import OwnerOrder
from rules.book import Book
from rules.budget import month_of
from rules.decision import Decision
from rules.draw_outlook import as_post, moments
from rules.draw_proof import rules_hash, shares_of
from rules.draw_rules import Times, better, key_of, looks_at_tags, prizes_of, published, say_moment, say_no_money, times
from rules.draws import Draw, Prize
from rules.events import DrawsDue, DrawStepDue
from rules.holidays import UnknownYearError
from rules.money import say_money
from rules.payout_words import say_lucky
from rules.pick import commitment
from rules.posts import audience
from store import draw_entrants, draw_winners, draws, ledger, points, roster
from store import matters as matter_rows
from store import payouts as payout_rows
from store.database import Database, Tx
from store.draws import DrawRow
from wecom.gateway import Gateway

LOOK_AGAIN = timedelta(hours=1)
"""How soon a draw that waits for payouts is looked at again."""

POOR = "draw-unfunded:"
UNDECIDED = ("again", "alternate")
"""Steps of a payout that has failed: somebody else, or another attempt, is still to come."""


async def look_up(event: DrawsDue | DrawStepDue, wecom: Gateway, store: Database, now: datetime) -> Tags:
    """At the draw itself: the tags of those who are about to win, where tags matter."""
    if isinstance(event, DrawsDue):
        return {}
    async with store.read() as tx:
        row = await draws.draw(tx, event.draw_id)
        if row is None or row.state != "frozen" or not looks_at_tags(settings_of(row)):
            return {}
        people = await draw_pick.first_people(tx, row)
    return await tags_of(wecom, settings_of(row), people)


async def handle(event: DrawsDue | DrawStepDue, seen: Tags, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Announce what is to be announced; or take the next step of one draw."""
    if isinstance(event, DrawsDue):
        await _go_over_calendar(tx, book, now=now)
        return []
    row = await draws.draw(tx, event.draw_id, lock=True)
    if row is not None and row.state in draws.ON:
        await _step(tx, book, row, seen, now=now)
    return []


# --- the calendar -----------------------------------------------------------------------------------------------------


async def _go_over_calendar(tx: Tx, book: Book, *, now: datetime) -> None:
    calendar = await draws.calendar(tx)
    ahead, poor = now + LOOK_AGAIN, dict[str, str]()
    for draw in book.draws:
        for at in [] if draw.pause else _moments(draw, book, now, now + draw.announce_before + LOOK_AGAIN):
            key = key_of(draw.name, at)
            if await draws.with_key(tx, key) is not None:
                continue
            if at - draw.announce_before > now:
                ahead = min(ahead, at - draw.announce_before)
            elif refused := await _announce(tx, book, draw, at, now=now):
                poor[key] = refused
    await _tell_of_poor(tx, book, poor, now=now)
    await _take_over_better(tx, book, now=now)
    if calendar is not None:
        calendar.due_at = min(calendar.due_at, ahead)


async def _tell_of_poor(tx: Tx, book: Book, poor: Mapping[str, str], *, now: datetime) -> None:
    """What there is no money for is a matter, until there is or it is past."""
    key = f"{POOR}{','.join(poor)}" if poor else ""
    await matter_rows.settle_but(tx, POOR, key, now=now)
    if poor and await matter_rows.last_done(tx, key) is None:
        title, text = "抽奖的预算不够", "；".join(poor.values())
        await matters.raise_one(tx, book, key, audience="managers", title=title, text=text, now=now)


def _moments(draw: Draw, book: Book, after: datetime, before: datetime) -> list[datetime]:
    """When it takes place in (after, before], quiet hours and holidays as for posts; nothing is guessed of years whose
    holidays nobody knows.
    """
    try:
        return moments(draw, book, after, before)
    except UnknownYearError as error:
        logger.warning("draw {} cannot be planned: {}", draw.name, error)
        return []


async def _announce(tx: Tx, book: Book, draw: Draw, at: datetime, *, now: datetime) -> str:
    """Publish the rules and the commitment, and hold the money back. Why not, where the budget does not cover it."""
    groups = [post_group(each) for each in await roster.groups(tx) if each.read_at]
    chat_ids = [group.chat_id for group in audience(as_post(draw), groups, book)]
    house = await draws.house(tx)
    if house is None or not chat_ids:
        logger.warning("draw {} is not announced: {}", draw.name, "no groups" if house else "no settings")
        return ""
    steps = _from_now(times(draw, at), now)
    key, month = key_of(draw.name, at), month_of(at)
    seed = _derived(house.secret, f"seed {key}")
    rules = published(draw, steps, len(chat_ids))
    row = DrawRow(
        name=draw.name,
        key=key,
        draw=draw.model_dump(mode="json"),
        rules=rules,
        rules_hash=rules_hash(key, rules, prizes_of(draw)),
        chat_ids=chat_ids,
        month=month,
        seed=seed.hex(),
        salt=_derived(house.secret, f"salt {key}").hex(),
        commitment=commitment(seed),
        announced_at=now,
        open_at=steps.open,
        close_at=steps.close,
        draw_at=steps.draw,
        due_at=steps.open,
    )
    await draws.add(tx, row)
    cost = draw.cost * (len(chat_ids) if draw.in_group else 1)
    if cost and not await _hold(tx, book, row, cost, now=now):
        free = (await ledger.month(tx, month)).free
        await tx.delete(row)
        await tx.flush()
        return say_no_money(draw, cost, free)
    if not draw.in_group:
        await draw_winners.put_shares(tx, row.id, shares_of(prizes_of(draw), seed=seed, draw=key))
        if draw.way_in in ("all", "grab"):
            await draw_news.begun(tx, book, row, draw, now=now)
    return ""


def _from_now(steps: Times, now: datetime) -> Times:
    """Nothing opens before it is announced."""
    return steps._replace(announce=now, open=max(steps.open, min(now, steps.close)))


def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(bytes.fromhex(secret), purpose.encode(), hashlib.sha256)


async def _hold(tx: Tx, book: Book, row: DrawRow, cost: int, *, now: datetime) -> bool:
    """Hold all that the draw may cost back, out of the month in which it takes place."""
    if book.budget is None:
        return False
    await ledger.fund(tx, row.month, book.budget.cap, now=now)
    why = f"抽奖「{row.name}」"
    if not await ledger.reserve(tx, row.purse, cost, month=row.month, key=f"{row.purse}:reserve", why=why, now=now):
        return False
    row.held = cost
    await tx.flush()
    return True


async def _take_over_better(tx: Tx, book: Book, *, now: datetime) -> None:
    """What a manager has made better since is taken over, and shown; the rest waits for the next time."""
    for row in await draws.going_on(tx):
        written = book.draw(row.name)
        now_is = settings_of(row)
        if written is None or now_is.in_group or row.state not in ("announced", "open"):
            continue
        found = better(now_is, written)
        if not found.changes or (now_is.way_in == "grab" and row.state == "open"):
            continue
        more = found.draw.cost - now_is.cost
        key = f"{row.purse}:better:{len(row.changes)}"
        why = f"抽奖「{row.name}」奖品增加"
        if more > 0 and not await ledger.reserve(tx, row.purse, more, month=row.month, key=key, why=why, now=now):
            continue
        row.draw, row.held = found.draw.model_dump(mode="json"), row.held + max(0, more)
        was = row.rules_hash
        row.changes = [*row.changes, *({"at": now.isoformat(), "text": text, "before": was} for text in found.changes)]
        row.rules = [*row.rules, *(["更改", text] for text in found.changes)]
        row.rules_hash = rules_hash(row.key, row.rules, prizes_of(found.draw))
        shares = shares_of(prizes_of(found.draw), seed=bytes.fromhex(row.seed), draw=row.key)
        await draw_winners.put_shares(tx, row.id, shares)
    await tx.flush()


# --- steps ------------------------------------------------------------------------------------------------------------


async def _step(tx: Tx, book: Book, row: DrawRow, tags: Tags, *, now: datetime) -> None:
    """The next step, if its time has come."""
    draw = settings_of(row)
    is_grab = draw.way_in == "grab"
    due_at = {"announced": row.open_at, "open": row.close_at, "frozen": row.draw_at}.get(row.state, now)
    sold_out = is_grab and row.state == "open" and not await draw_winners.is_any_free(tx, row.id)
    if now < due_at and not sold_out:
        row.due_at = due_at
    elif row.state == "drawn":
        await _after(tx, book, row, draw, now=now)
    elif is_grab and row.state == "open":
        await _end_grab(tx, book, row, draw, now=now)
    elif now > row.draw_at + draw.late_at_most and not is_grab:
        await _cancel(tx, book, row, draw, _say_late(row, now), now=now)
    elif row.state == "announced":
        await _open(tx, book, row, draw, now=now)
    elif row.state == "open":
        await draw_pick.freeze(tx, row, draw, now=now)
        row.state, row.frozen_at, row.due_at = "frozen", now, max(now, row.draw_at)
    else:
        await _draw(tx, book, row, draw, tags, now=now)


async def _open(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    if draw.in_group:
        await _to_owners(tx, row, draw, now=now)
        return
    row.state, row.due_at = "open", row.close_at
    if draw.way_in not in ("all", "grab"):
        await draw_news.begun(tx, book, row, draw, now=now)


def _say_late(row: DrawRow, now: datetime) -> str:
    return f"应当 {say_moment(row.draw_at)} 开奖，到 {say_moment(now)} 才轮到，太晚了"


async def _draw(tx: Tx, book: Book, row: DrawRow, draw: Draw, tags: Tags, *, now: datetime) -> None:
    """There are winners from here on."""
    row.state, row.drawn_at = "drawn", now
    await draw_pick.pick_winners(tx, row, draw, tags, now=now)
    await draw_pick.release_unwon(tx, row, now=now)
    row.due_at = await draw_winners.next_lapse(tx, row.id) or now
    await draw_news.drawn(tx, book, row, draw, now=now)


async def _end_grab(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """Everything is taken, or the time is over: what nobody took goes back."""
    row.state, row.drawn_at, row.frozen_at = "drawn", now, now
    await draw_pick.freeze_grab(tx, row)
    await draw_pick.release_unwon(tx, row, now=now)
    row.due_at = await draw_winners.next_lapse(tx, row.id) or now
    await draw_news.drawn(tx, book, row, draw, now=now)


async def _after(tx: Tx, book: Book, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """Prizes lapse, payouts end; when nothing is left open the draw is closed and what is left goes back."""
    if await draw_pick.lapse(tx, row, draw, now=now):
        return
    lapse_at = await draw_winners.next_lapse(tx, row.id)
    on_its_way = any(not each.is_over or each.step in UNDECIDED for each in await payout_rows.of_draw(tx, row.id))
    if lapse_at is None and not on_its_way:
        await _give_back(tx, row, "结束", now=now)
        draws.end(row, "closed", "", now=now)
        return
    look_at = now + LOOK_AGAIN if on_its_way else lapse_at
    row.due_at = min(each for each in (look_at, lapse_at) if each is not None)


async def _to_owners(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    """The owner of each group is asked to send it, now."""
    until = row.draw_at + max(draw.late_at_most, timedelta(minutes=30))
    for chat_id in row.chat_ids:
        order = OwnerOrder(
            draw_id=row.id,
            draw=row.key,
            purse=row.purse,
            chat_id=chat_id,
            what="，".join(_say_packet(prize) for prize in draw.prize),
            amount=draw.cost,
            until=until,
        )
        await owner_payouts.plan(tx, order, now=now)
    row.state, row.drawn_at, row.due_at = "drawn", now, now + LOOK_AGAIN


def _say_packet(prize: Prize) -> str:
    if prize.type == "lucky":
        return say_lucky(prize.total or 0, prize.shares)
    return f"{prize.shares} 个 {say_money(prize.amount or 0)} 的普通红包"


# --- ends -------------------------------------------------------------------------------------------------------------


async def _cancel(tx: Tx, book: Book, row: DrawRow, draw: Draw, because: str, *, now: datetime) -> None:
    """It does not take place: money and points go back, managers are told."""
    logger.warning("draw {} is cancelled: {}", row.key, because)
    await _give_back(tx, row, "取消", now=now)
    if draw.way_in == "points":
        await _points_back(tx, row, draw, now=now)
    draws.end(row, "cancelled", because, now=now)
    text = f"抽奖「{draw.title}」（{row.name}）这一期取消了：{because}。预算和积分都退回了。"
    await asking.tell(tx, await asking.managers(tx, book), text, f"{row.purse}:cancelled", now=now)


async def cancel(tx: Tx, book: Book, row: DrawRow, because: str, *, now: datetime) -> bool:
    """Somebody stops a draw that has no winners yet. False: it has, or it is over."""
    if row.state not in ("announced", "open", "frozen") or await draw_winners.of_draw(tx, row.id):
        return False
    await _cancel(tx, book, row, settings_of(row), because, now=now)
    return True


async def _give_back(tx: Tx, row: DrawRow, why: str, *, now: datetime) -> None:
    await ledger.release_rest(tx, row.purse, key=f"{row.purse}:rest", why=f"抽奖「{row.name}」{why}", now=now)


async def _points_back(tx: Tx, row: DrawRow, draw: Draw, *, now: datetime) -> None:
    async for some in draw_entrants.all_of(tx, row.id):
        for who in _with_names([each.external_userid for each in some]):
            key = f"draw:{row.id}:{who}:back"
            await points.give(tx, who, draw.points, why=f"「{draw.title}」取消", key=key, now=now)


def _with_names(found: Sequence[str | None]) -> list[str]:
    return [who for who in found if who]
