"""The life of a draw once it is announced (handlers/draw_calendar.py): opened, frozen, drawn, closed. Money is held all
the while.

Every step is due at a time that was published, and is taken once: it is the draw's own row that says how far it is.
A step that is too late by the draw's own rule ends it, and the money goes back.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loguru import logger

from handlers import asking, draw_calendar, draw_news, draw_pick, owner_payouts
from handlers.draw_facts import Tags, settings_of, tags_of
from handlers.owner_payouts import OwnerOrder
from rules.book import Book
from rules.decision import Decision
from rules.draw_rules import looks_at_tags, say_moment
from rules.draws import Draw, Prize
from rules.events import DrawsDue, DrawStepDue
from rules.money import say_money
from rules.payout_words import say_lucky
from store import draw_entrants, draw_winners, draws, ledger, points
from store import payouts as payout_rows
from store.database import Database, Tx
from store.draws import DrawRow
from wecom.gateway import Gateway

LOOK_AGAIN = timedelta(hours=1)
"""How soon a draw that waits for payouts is looked at again."""

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
        await draw_calendar.go_over(tx, book, now=now)
        return []
    row = await draws.draw(tx, event.draw_id, lock=True)
    if row is not None and row.state in draws.ON:
        await _step(tx, book, row, seen, now=now)
    return []


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
    # Where the bot was down until the list is about to be closed, nobody is called to what they would miss.
    if draw.way_in not in ("all", "grab") and now < row.close_at:
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
            if await points.written(tx, [f"draw:{row.id}:{who}"]):  # not everybody has paid: some had a ticket
                await points.give(tx, who, draw.points, why=f"「{draw.title}」取消", key=key, now=now)


def _with_names(found: Sequence[str | None]) -> list[str]:
    return [who for who in found if who]
