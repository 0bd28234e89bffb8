"""How much each entrance has left: looked at in rounds and whenever much has changed, and told to the shop in time.

One card per crossing: low, and again empty. It is closed by itself when groups appear; where nothing changes, the
managers hear of it.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers import asking, giving, join_ways, matters, own_codes, rooms
from rules.actions import SendCard, UpdateCard
from rules.book import Book
from rules.decision import Decision
from rules.entrances import Entrance, Target
from rules.events import CardPressed, StockDue
from rules.lanes import NORMAL
from rules.stock import Level, Stock, Threshold, level, say_escalated, say_refilled, write_card
from store import entrances, roster, seats, waiting
from store import join_ways as ways
from store import matters as matter_rows
from store import rooms as room_rows
from store.database import Database, Tx
from store.entrances import StockRow
from wecom.gateway import Gateway

TASK = "stock-"
A_DAY = timedelta(days=1)
LATE = timedelta(seconds=15)
"""A seat may be written down that much later than it is dated: what was given just now is looked at once more. Shorter
than SOON of scheduler/stock.py, or looks would follow each other without a pause.
"""
NEVER_LOW = Threshold(number=0, unit="groups")


async def look_up(event: StockDue, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: StockDue, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Enrol, free, make codes ahead, serve the line; then count what is left."""
    await entrances.note_look(tx, seen_at=min(await seats.last_given(tx) or now, now - LATE))
    if not book.entrances:
        return []
    await rooms.enrol_all(tx, book, now=now)
    await rooms.what_staff_said(tx, book, now=now)
    await rooms.doubts(tx, book, now=now)
    await giving.serve_line(tx, book, now=now)
    await join_ways.top_up(tx, book, now=now)
    await own_codes.keep(tx, book, now=now)
    await _tell_managers_of_codes(tx, book, now=now)
    await _count(tx, book, now=now)
    return []


async def _count(tx: Tx, book: Book, *, now: datetime) -> None:
    rows, stocks = await entrances.stocks(tx), await stocks_of(tx, book, now=now)
    blind = await room_rows.unread_groups(tx)
    for entrance, target, stock in stocks:
        key = entrances.stock_key(entrance.name, target)
        row = rows.get(key)
        if row is None:
            row = StockRow(key=key, entrance=entrance.name, kind=target.kind, shop=target.shop, since=now)
            tx.add(row)
        if not blind:  # what was never read may be what we miss
            await _cross(tx, book, entrance, target, row, stock, now=now)
    known = {entrances.stock_key(entrance.name, target) for entrance, target, _ in stocks}
    for key, row in rows.items():
        if key not in known and row.level != "well":
            await _well_again(tx, row, "入口已经不用了", now=now)
    await tx.flush()


async def stocks_of(tx: Tx, book: Book, *, now: datetime) -> list[tuple[Entrance, Target, Stock]]:
    """What there is, by entrance and target."""
    given = await seats.given(tx, since=now - A_DAY)
    return [
        (each, target, await _stock(tx, each, target, given.get((target.kind, target.shop), 0)))
        for each in book.entrances
        for target in each.targets
    ]


async def _stock(tx: Tx, entrance: Entrance, target: Target, given: int) -> Stock:
    spare = sum([(await _left(tx, entrance, Target(kind=kind)))[1] for kind in entrance.spare])
    groups, places = await _left(tx, entrance, target)
    return Stock(groups=groups, seats=places, given=given, spare=spare)


async def _left(tx: Tx, entrance: Entrance, target: Target) -> tuple[int, int]:
    if entrance.one_customer_per_group:
        free = await room_rows.count_free(tx, target)
        return free, free
    open_rooms = await room_rows.with_room(tx, target, room_for=entrance.room_for)
    return len(open_rooms), sum(entrance.room_for - room.size - room.promised for room in open_rooms)


# --- notices ----------------------------------------------------------------------------------------------------------

_WORSE: dict[Level, int] = {"well": 0, "low": 1, "empty": 2}


async def _cross(
    tx: Tx, book: Book, entrance: Entrance, target: Target, row: StockRow, stock: Stock, *, now: datetime
) -> None:
    before: Level = "low" if row.level == "low" else "empty" if row.level == "empty" else "well"
    found = level(before, stock, entrance.warn_below or NEVER_LOW)
    if _WORSE[found] > _WORSE[before]:
        to, why_wait = await _whom(tx, book, entrance, target, found, now=now)
        if why_wait:
            return  # off duty: it is found again by the next look
        await _close_card(tx, row, "名额又少了", now=now)
        row.level, row.since, row.crossings = found, now, row.crossings + 1
        row.escalate_at = now + entrance.escalate_after
        await _send(tx, book, entrance, target, row, stock, to=to, now=now)
    elif found == "well" and before != "well":
        await _well_again(tx, row, say_refilled(stock), now=now)
    elif found != before:  # a few have come; it is still low
        row.level, row.since = found, now
        await _close_card(tx, row, say_refilled(stock), now=now)
    elif row.escalate_at is not None and row.escalate_at <= now:
        await _escalate(tx, book, entrance, target, row, stock, now=now)


async def _whom(
    tx: Tx, book: Book, entrance: Entrance, target: Target, found: Level, *, now: datetime
) -> tuple[list[str], bool]:
    """The staff of the shop (of every shop that has such groups), else the managers. True: all are off duty, and it can
    wait; what is empty cannot, and goes to the deputies and managers then.
    """
    names = {target.shop} if target.shop else await _shops_of(tx, book, target)
    shops = [book.shops[name] for name in sorted(names) if name in book.shops]
    on_duty = [shop for shop in shops if shop.off_duty is None or not shop.off_duty.covers(now)]
    to = await asking.called(tx, [name for shop in on_duty for name in shop.staff], "staff of shops")
    if shops and not on_duty:
        if found != "empty":
            return [], True
        to = await asking.called(tx, [name for shop in shops for name in shop.deputies], "deputies")
    return (to or await asking.managers(tx, book)), False


async def _shops_of(tx: Tx, book: Book, target: Target) -> set[str]:
    return {each.shop for each in await room_rows.supplies(tx) if each.kind == target.kind and each.shop}


async def _send(
    tx: Tx,
    book: Book,
    entrance: Entrance,
    target: Target,
    row: StockRow,
    stock: Stock,
    *,
    to: Sequence[str],
    now: datetime,
) -> None:
    if not to:
        return
    digest = hashlib.blake2b(row.key.encode(), digest_size=8).hexdigest()  # a task_id is ASCII (page 90236)
    row.task_id, row.recipients, row.codes = f"{TASK}{digest}-{row.crossings}", list(to), []
    waits = (await waiting.lengths(tx)).get((target.kind, target.shop), 0)
    words = write_card(
        entrance.title or entrance.name, target.shop, row.level == "empty", stock, waits, group_name(book, target.kind)
    )
    deed = SendCard(task_id=row.task_id, to=tuple(to), card=words)
    await _post(tx, deed, now=now)


def group_name(book: Book, kind: str) -> str:
    """What a group of this kind is called: `VIP·…`."""
    pattern = next(iter(book.groups.get(kind, ())), kind)
    return pattern.replace("*", "…").replace("?", "…")


async def _post(tx: Tx, deed: SendCard | UpdateCard, *, now: datetime) -> None:
    key = f"{deed.kind}:{deed.task_id}"
    if isinstance(deed, UpdateCard):
        key += f":{now.isoformat()}"
    await asking.post(tx, deed, key, lane=NORMAL, ordering_key=f"card:{deed.task_id}", now=now)


async def _escalate(
    tx: Tx, book: Book, entrance: Entrance, target: Target, row: StockRow, stock: Stock, *, now: datetime
) -> None:
    """Nothing has changed: the managers are told once, and it stands in their daily list until it is well."""
    row.escalate_at = None
    title, text = say_escalated(
        entrance.title or entrance.name, target.shop, row.level == "empty", stock, group_name(book, target.kind)
    )
    await matters.raise_one(tx, book, matter_key(row), audience="managers", title=title, text=text, now=now)
    await asking.tell(tx, await asking.managers(tx, book), f"{title}\n{text}", f"stock:{row.key}", now=now)


async def _well_again(tx: Tx, row: StockRow, words: str, *, now: datetime) -> None:
    row.level, row.since, row.escalate_at = "well", now, None
    await _close_card(tx, row, words, now=now)
    await matter_rows.settle(tx, matter_key(row), outcome="settled", now=now)


async def _close_card(tx: Tx, row: StockRow, words: str, *, now: datetime) -> None:
    if not row.task_id:
        return
    code = row.take_code(now=now)
    if code is not None:
        deed = UpdateCard(task_id=row.task_id, to=tuple(row.recipients), response_code=code, replace_with=words)
        await _post(tx, deed, now=now)
    row.task_id, row.codes = "", []


def matter_key(row: StockRow) -> str:
    return f"stock:{row.key}"


async def pressed(tx: Tx, event: CardPressed, *, now: datetime) -> None:
    """知道了: the card stays until there are groups. What counts is the groups."""
    row = await entrances.stock_of_task(tx, event.task_id)
    if row is not None and event.response_code:
        row.keep_code(event.response_code, now=now)


async def _tell_managers_of_codes(tx: Tx, book: Book, *, now: datetime) -> None:
    """Codes that the platform refuses to make, or that somebody else has changed."""
    wrong = await ways.with_drift(tx)
    key = "join-ways-wrong"
    if not wrong:
        await matter_rows.settle(tx, key, outcome="settled", now=now)
        return
    first = wrong[0]
    group = await roster.group(tx, first.chat_id) if first.chat_id else None
    what = f"「{group.name}」的入群码" if group else f"入口 {first.entrance} 的码"
    text = f"{what}：{first.why or first.drift}" + (f"（另有 {len(wrong) - 1} 个也有问题）" if len(wrong) > 1 else "")
    await matters.raise_one(tx, book, key, audience="managers", title="入群码有问题", text=text, now=now)
