"""The draws that are on, for `steward status`: how far each is, and what comes next."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime
from rich.console import Console
from rich.text import Text

from bot import say
from rules.money import say_money
from rules.value import Value
from store import draw_entrants, draw_winners, draws
from store.database import Tx
from store.draws import DrawRow

SHOWN = 20
LATE = timedelta(minutes=10)
"""A step that is due for longer has been missed."""

NEXT = {"announced": "开始", "open": "截止", "frozen": "开奖", "drawn": "领奖"}


class DrawOn(Value):
    """One draw. `next_at`: when its next step is; `held`: fen. `unclaimed`: prizes that nobody has claimed yet."""

    number: int
    name: str
    state: str
    next_at: AwareDatetime | None
    entrants: int
    unclaimed: int
    held: int


async def look(tx: Tx) -> tuple[DrawOn, ...]:
    """All that are on, the next one first."""
    rows = await draws.going_on(tx)
    won = await draw_winners.counts(tx, [row.id for row in rows])
    found = [
        DrawOn(
            number=row.id,
            name=row.name,
            state=row.state,
            next_at=_next_at(row),
            entrants=row.entrants if row.frozen_at else await draw_entrants.count(tx, row.id),
            unclaimed=won.get((row.id, "won"), 0),
            held=row.held,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda each: (each.next_at is None, each.next_at, each.number)))


def _next_at(row: DrawRow) -> datetime | None:
    """As published; of prizes when the next one lapses, or is looked at."""
    return {"announced": row.open_at, "open": row.close_at, "frozen": row.draw_at}.get(row.state, row.due_at)


def show(console: Console, found: tuple[DrawOn, ...], now: datetime) -> None:
    """Only where there is one."""
    if not found:
        return
    more = f"，这里是最近的 {SHOWN} 期，全部请加 --json" if len(found) > SHOWN else ""
    say.title(console, f"在办的抽奖（{len(found)} 期{more}）")
    say.rows(console, [_row(each, now) for each in found[:SHOWN]])


def _row(draw: DrawOn, now: datetime) -> tuple[Text, str, Text]:
    late = draw.next_at is not None and now - draw.next_at > LATE and draw.state != "drawn"
    when = f"{say.at(draw.next_at)[:16]} {NEXT[draw.state]}" if draw.next_at else NEXT[draw.state]
    text = Text(f"{when}{'，已经过了' if late else ''}", style="red" if late else "")
    text.append(f"，{draw.entrants} 人参加" if draw.entrants else "")
    text.append(f"，{draw.unclaimed} 份还没领" if draw.unclaimed else "")
    text.append(f"，占用预算 {say_money(draw.held)}" if draw.held else "")
    return Text(f"#{draw.number}", style="bold"), draw.name, text
