"""What one visitor sees of a draw: what is promised, whether they take part, what came of it. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from handlers.draw_entry import when_not
from handlers.draw_facts import settings_of
from rules.draw_rules import masked, say_moment
from rules.draws import TOLD_WORTH, Draw, Prize
from rules.money import say_money
from rules.split import Taken, luckiest
from store import draw_entrants, draw_winners, draws, identities
from store import payouts as payout_rows
from store.database import Tx
from store.draws import DrawRow, WinnerRow

Stage = Literal["soon", "open", "waiting", "drawn", "over", "in_group", "cancelled"]
"""soon: before it opens. open: people can enter. waiting: the list is closed. drawn: winners can claim. over: done."""


@dataclass(frozen=True)
class Won:
    """What this visitor has won. `worth`: `5元`, or what the coupon is; `code`: of a coupon. `how`, in words for them:
    how it reaches them, or that it has.
    """

    prize: str
    worth: str
    state: str
    claim_until: datetime | None
    best: bool
    code: str
    how: str
    because: str


@dataclass(frozen=True)
class Line:
    """One line of the published result. `mine`: the visitor's own. `claimed`: whether it was, where everybody is to
    know; else "".
    """

    name: str
    prize: str
    worth: str
    best: bool
    mine: bool
    claimed: str = ""


@dataclass(frozen=True)
class View:
    row: DrawRow
    draw: Draw
    stage: Stage
    entrants: int
    ticket: str
    won: Won | None
    lines: tuple[Line, ...]
    left: int


async def view(tx: Tx, name: str, visitor_id: int, *, now: datetime) -> View | None:
    """None: there is no such draw, or none of it has been announced yet."""
    row = await draws.shown(tx, name, now=now)
    if row is None:
        return None
    draw = settings_of(row)
    external_userid = await identities.external_of(tx, visitor_id) if visitor_id else None
    entry = await draw_entrants.entry_of(tx, row.id, visitor_id, external_userid) if visitor_id else None
    win = await draw_winners.win_of(tx, row.id, visitor_id, external_userid) if visitor_id else None
    has_result = row.drawn_at is not None or draw.way_in == "grab"
    winners = await draw_winners.of_draw(tx, row.id) if has_result else []
    best = await _best(tx, row, draw) if row.drawn_at else frozenset()
    return View(
        row=row,
        draw=draw,
        stage=_stage(row, draw, now),
        entrants=row.entrants if row.frozen_at else await draw_entrants.count(tx, row.id),
        ticket=entry.ticket if entry and not entry.out else "",
        won=await _won(tx, draw, win, best) if win else None,
        lines=await _lines(tx, draw, winners, best, win) if row.drawn_at else (),
        left=await draw_winners.free_shares(tx, row.id) if draw.way_in == "grab" else 0,
    )


def _stage(row: DrawRow, draw: Draw, now: datetime) -> Stage:
    if draw.in_group:
        return "in_group"
    match row.state:
        case "cancelled":
            return "cancelled"
        case "closed":
            return "over"
        case "drawn":
            return "drawn"
    if row.open_at > now:
        return "soon"
    return "open" if not when_not(row, draw, now) else "waiting"


async def _best(tx: Tx, row: DrawRow, draw: Draw) -> frozenset[int]:
    """The shares that are 手气最佳: one of each 拼手气 of which more than one was given."""
    found = set[int]()
    shares = await draw_winners.shares(tx, row.id)
    for place, prize in enumerate(draw.prize):
        taken = [
            Taken(each.number, each.amount, each.taken_at) for each in shares if each.prize == place and each.taken_at
        ]
        if prize.type == "lucky" and len(taken) > 1 and (number := luckiest(taken)) is not None:
            found.add(number)
    return frozenset(found)


async def _won(tx: Tx, draw: Draw, win: WinnerRow, best: frozenset[int]) -> Won:
    prize = draw.prize[win.prize]
    payout = await payout_rows.of_winner(tx, win.id)
    return Won(
        prize=prize.name,
        worth=_worth(draw, win),
        state=win.state,
        claim_until=win.claim_until,
        best=win.share in best,
        code=(payout.code or "") if payout and not prize.is_money else "",
        how=_how(prize, win.state, payout.until if payout else None),
        because=win.because,
    )


def _how(prize: Prize, state: str, until: datetime | None) -> str:
    if prize.is_money:
        sent = "红包已经发到您的微信，24 小时内点开。"
        return sent if state == "paid" else "红包正在发，请留意公众号的消息，24 小时内点开。"
    if prize.codes:
        return "这是您的券码，请自己留好。"
    last = f"，{say_moment(until)} 以前有效" if until else ""
    return "已经核销。" if state == "paid" else f"到店给店员看这个码{last}，请不要发给别人。"


def _worth(draw: Draw, win: WinnerRow) -> str:
    prize = draw.prize[win.prize]
    return say_money(win.amount) if prize.is_money else prize.what


# --- for staff --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StaffLine:
    """`state` in words: how far the prize is, or why it is not theirs any more."""

    name: str
    prize: str
    worth: str
    state: str


@dataclass(frozen=True)
class ForStaff:
    """Who has a prize, and who had one."""

    title: str
    lines: tuple[StaffLine, ...]
    passed_on: tuple[StaffLine, ...]


def _state(draw: Draw, win: WinnerRow) -> str:
    waits = "红包在路上" if draw.prize[win.prize].is_money else "等到店核销"
    return {"won": "还没领", "claimed": waits, "paid": "拿到了"}.get(win.state, win.because)


async def winners_of(tx: Tx, row: DrawRow) -> ForStaff:
    """The winners by their full names, in the order of the shares."""
    draw, rows = settings_of(row), await draw_winners.of_draw(tx, row.id)
    names = await _names(tx, rows)
    found = list[tuple[bool, StaffLine]]()
    for each in sorted(rows, key=lambda winner: winner.share):
        name = names.get(each.external_userid or "", "") or "还不知道是谁"
        line = StaffLine(name, draw.prize[each.prize].name, _worth(draw, each), _state(draw, each))
        found.append((each.state in draw_winners.LIVE, line))
    return ForStaff(
        title=draw.title,
        lines=tuple(line for live, line in found if live),
        passed_on=tuple(line for live, line in found if not live),
    )


def _claimed(prize: Prize, win: WinnerRow) -> str:
    if max(prize.value or 0, win.amount) <= TOLD_WORTH:
        return ""
    return "还没领" if win.state == "won" else "已领"


async def _names(tx: Tx, winners: Sequence[WinnerRow]) -> dict[str, str]:
    names, people = dict[str, str](), [each.external_userid for each in winners if each.external_userid]
    for first in range(0, len(people), 500):
        names |= await draw_entrants.names_of(tx, people[first : first + 500])
    return names


# --- the published result ---------------------------------------------------------------------------------------------


async def _lines(
    tx: Tx, draw: Draw, winners: list[WinnerRow], best: frozenset[int], mine: WinnerRow | None
) -> tuple[Line, ...]:
    """Whoever has a prize, masked, in the order of the shares."""
    live = sorted((each for each in winners if each.state in draw_winners.LIVE), key=lambda each: each.share)
    names = await _names(tx, live)
    return tuple(
        Line(
            name=masked(names.get(each.external_userid or "", "")),
            prize=draw.prize[each.prize].name,
            worth=_worth(draw, each),
            best=each.share in best,
            mine=mine is not None and each.id == mine.id,
            claimed=_claimed(draw.prize[each.prize], each),
        )
        for each in live
    )
