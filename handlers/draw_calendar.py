"""The calendar of draws: what is to be announced, with its rules, its commitment and its money held back; and what of
those that are on became better since, and is taken over.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from loguru import logger

from handlers import draw_news, matters
from handlers.calendar import post_group
from handlers.draw_facts import settings_of
from rules.book import Book
from rules.budget import month_of
from rules.draw_outlook import as_post, moments
from rules.draw_proof import rules_hash, shares_of
from rules.draw_rules import Times, better, key_of, prizes_of, published, say_goes_on, say_no_money, times
from rules.draws import Draw
from rules.holidays import UnknownYearError
from rules.pick import commitment
from rules.posts import audience
from store import draw_winners, draws, ledger, roster
from store import matters as matter_rows
from store.database import Tx
from store.draws import DrawRow

LOOK_AGAIN = timedelta(hours=1)
"""How soon the calendar is gone over again."""

POOR, MOVED = "draw-unfunded:", "draw-moved:"
A_MONTH = timedelta(days=32)
"""A draw that does not take place again within it takes place once."""

WAITING = ("announced", "open", "frozen")
NEVER = datetime.max.replace(tzinfo=UTC)


async def go_over(tx: Tx, book: Book, *, now: datetime) -> None:
    calendar = await draws.calendar(tx)
    ahead, poor = now + LOOK_AGAIN, dict[str, str]()
    for draw in book.draws:
        next_time = await _next_time(tx, book, draw, now=now)
        for at in [] if draw.pause else _moments(draw, book, now, now + draw.announce_before + LOOK_AGAIN):
            key = key_of(draw.name, at)
            if at < next_time or await draws.with_key(tx, key) is not None:
                continue
            if at - draw.announce_before > now:
                ahead = min(ahead, at - draw.announce_before)
            elif refused := await _announce(tx, book, draw, at, now=now):
                poor[key] = refused
    poor |= await _take_over_better(tx, book, now=now)
    await _tell(tx, book, POOR, "抽奖的预算不够", poor, now=now)
    await _tell(tx, book, MOVED, "抽奖的设置改了，已经公示的一期照旧", await _not_as_written(tx, book), now=now)
    if calendar is not None:
        calendar.due_at = min(calendar.due_at, ahead)


async def _tell(tx: Tx, book: Book, prefix: str, title: str, found: Mapping[str, str], *, now: datetime) -> None:
    """What managers should know is a matter, until it is put right or past. `found`: draw → why."""
    key = f"{prefix}{','.join(found)}" if found else ""
    await matter_rows.settle_but(tx, prefix, key, now=now)
    if found and await matter_rows.last_done(tx, key) is None:
        text = "；".join(found.values())
        await matters.raise_one(tx, book, key, audience="managers", title=title, text=text, now=now)


# --- times that were changed ------------------------------------------------------------------------------------------


async def _next_time(tx: Tx, book: Book, draw: Draw, *, now: datetime) -> datetime:
    """From when on the calendar counts for this draw. A time that was changed while a draw is on is the next one's: not
    a second draw beside the one that was published.
    """
    found = now
    for row in await draws.last(tx, name=draw.name, at_most=10):
        if row.state == "cancelled" or row.draw_at < now - A_MONTH or _is_written(draw, book, row):
            continue
        following = _moments(settings_of(row), book, row.draw_at, row.draw_at + A_MONTH)
        if following:  # what is nearer to the next one than to this one is the next one
            found = max(found, row.draw_at + (following[0] - row.draw_at) / 2)
        elif row.state in WAITING:
            return NEVER
    return found


def _is_written(draw: Draw, book: Book, row: DrawRow) -> bool:
    """Whether the draw of this row is in the calendar as it is now."""
    return row.draw_at in _moments(draw, book, row.draw_at - timedelta(seconds=1), row.draw_at)


async def _not_as_written(tx: Tx, book: Book) -> dict[str, str]:
    """What goes on as it was published, though the settings say another time by now, or nothing."""
    found = dict[str, str]()
    for row in await draws.going_on(tx):
        written = book.draw(row.name)
        if row.state in WAITING and (written is None or not _is_written(written, book, row)):
            found[row.key] = say_goes_on(settings_of(row).title, row.name, row.draw_at, gone=written is None)
    return found


# --- announcing -------------------------------------------------------------------------------------------------------


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


# --- better, never worse ----------------------------------------------------------------------------------------------


async def _take_over_better(tx: Tx, book: Book, *, now: datetime) -> dict[str, str]:
    """What a manager has made better since is taken over, and shown; the rest waits for the next time. Answers for what
    of it there is no money: draw → why.
    """
    poor = dict[str, str]()
    for on in await draws.going_on(tx):
        written = book.draw(on.name)
        if written is None or on.state not in ("announced", "open") or not better(settings_of(on), written).changes:
            continue
        row = await draws.draw(tx, on.id, lock=True)  # its list may have been closed a moment ago
        if row is None or row.state not in ("announced", "open"):
            continue
        now_is = settings_of(row)
        if now_is.in_group:
            continue
        found = better(now_is, written)
        if not found.changes or (now_is.way_in == "grab" and row.state == "open"):
            continue
        more = found.draw.cost - now_is.cost
        key = f"{row.purse}:better:{len(row.changes)}"
        why = f"抽奖「{row.name}」奖品增加"
        if more > 0 and not await ledger.reserve(tx, row.purse, more, month=row.month, key=key, why=why, now=now):
            poor[row.key] = say_no_money(written, more, (await ledger.month(tx, row.month)).free, better=True)
            continue
        row.draw, row.held = found.draw.model_dump(mode="json"), row.held + max(0, more)
        was = row.rules_hash
        row.changes = [*row.changes, *({"at": now.isoformat(), "text": text, "before": was} for text in found.changes)]
        row.rules = [*row.rules, *(["更改", text] for text in found.changes)]
        row.rules_hash = rules_hash(row.key, row.rules, prizes_of(found.draw))
        shares = shares_of(prizes_of(found.draw), seed=bytes.fromhex(row.seed), draw=row.key)
        await draw_winners.put_shares(tx, row.id, shares)
    await tx.flush()
    return poor
