"""How each entrance stands, from the database alone: the same counting that decides when somebody is told."""

from datetime import datetime

from pydantic import AwareDatetime

from handlers import stock
from rules.book import Book
from rules.entrances import Entrance, Target
from rules.stock import Stock
from rules.value import Value
from store import entrances, join_ways, rooms, seats, waiting
from store.database import Tx
from store.rooms import Supply


class Line(Value):
    """What one entrance has of one kind (of one shop, where it goes by shops). `places`: people who still fit in.

    `a_day`: seats given within the last 24 hours; `days_left` at that rate, None where nobody comes. `level`: well, low
    or empty, as was last told to anybody.
    """

    kind: str
    shop: str
    groups: int
    places: int
    spare: int
    ready: int
    a_day: int
    days_left: float | None
    waiting: int
    level: str


class EntranceNow(Value):
    """`held`: shown a code, not in yet; `taken`: in; `left`: kept for who left. `channels`: where people came from."""

    name: str
    title: str
    via: str
    alone: bool
    people: int
    scans: int
    held: int
    taken: int
    left: int
    lines: tuple[Line, ...]
    channels: dict[str, int]
    problems: tuple[str, ...]


class Now(Value):
    """`codes`: join and contact ways that exist at the platform, or may; `orphaned`: of them, those that are lost."""

    at: AwareDatetime
    entrances: tuple[EntranceNow, ...]
    codes: int
    orphaned: int
    problems: tuple[str, ...]


async def look(tx: Tx, book: Book, now: datetime) -> Now:
    """How things stand."""
    supplies, ways = await rooms.supplies(tx), await join_ways.by_status(tx)
    counted = await stock.stocks_of(tx, book, now=now)
    lines: dict[str, list[Line]] = {each.name: [] for each in book.entrances}
    waits, levels = await waiting.lengths(tx), await entrances.levels(tx)
    for entrance, target, there in counted:
        level = levels.get(entrances.stock_key(entrance.name, target), "well")
        waiting_here = waits.get((target.kind, target.shop), 0)
        lines[entrance.name].append(_line(target, there, supplies, waiting_here, level))
    visits, live = await entrances.visits(tx), await seats.counts(tx)
    found = []
    for each in book.entrances:
        people, scans = visits.get(each.name, (0, 0))
        found.append(
            EntranceNow(
                name=each.name,
                title=each.title,
                via=each.via,
                alone=each.one_customer_per_group,
                people=people,
                scans=scans,
                held=live.get((each.name, "held"), 0) + live.get((each.name, "ending"), 0),
                taken=live.get((each.name, "taken"), 0),
                left=live.get((each.name, "left"), 0),
                lines=tuple(lines[each.name]),
                channels=await entrances.channels(tx, each.name),
                problems=tuple(_problems(each, lines[each.name], supplies)),
            )
        )
    return Now(
        at=now,
        entrances=tuple(found),
        codes=sum(ways.get(status, 0) for status in join_ways.COUNTED),
        orphaned=ways.get("orphaned", 0),
        problems=tuple(
            f"{row.entrance or row.chat_id}：{row.why or row.drift}" for row in await join_ways.with_drift(tx)
        ),
    )


def _line(target: Target, there: Stock, supplies: list[Supply], waits: int, level: str) -> Line:
    mine = [each for each in supplies if each.kind == target.kind and target.shop in ("", each.shop)]
    days = there.lasts.total_seconds() / 86_400 if there.lasts is not None else None
    return Line(
        kind=target.kind,
        shop=target.shop,
        groups=there.groups,
        places=there.seats,
        spare=there.spare,
        ready=sum(each.ready for each in mine if each.state in ("free", "open")),
        a_day=there.given,
        days_left=days,
        waiting=waits,
        level=level,
    )


_SAID = {
    "aside": "{} 个群扫码进不来，停用了",
    "occupied": "{} 个预备群里进了别人",
    "checking": "{} 个群等店员确认清理干净",
    "gone": "{} 个群解散了或看不见了",
}


def _problems(entrance: Entrance, lines: list[Line], supplies: list[Supply]) -> list[str]:
    found = []
    for line in lines:
        where = f"{line.shop}的" if line.shop else ""
        if not line.groups:
            found.append(f"{where}群用完了" + (f"，{line.waiting} 位客户在排队" if line.waiting else ""))
        elif line.level != "well":
            found.append(f"{where}群快用完了：还剩 {line.groups} 个")
    for state, words in _SAID.items():
        number = sum(each.rooms for each in supplies if each.kind in entrance.kinds and each.state == state)
        if number and state != "gone":
            found.append(words.format(number))
    return found
