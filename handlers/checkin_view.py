"""What one visitor sees of a check-in: their calendar, what is to be done today, what is left. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from handlers.graduation import Invitation, invitation
from handlers.journeys import kinds_of
from rules.book import Book
from rules.checkin_days import DAY, closes_at, date_of, first_day, monday_of, open_days
from rules.checkin_promise import as_promised, number_of
from rules.checkin_rewards import NEEDS_NAME, NEEDS_OPENID
from rules.checkin_words import rules_of, say_prize
from rules.checkins import PICTURE, Checkin, JourneyDay
from rules.streak import Tally, tally, theme_of
from store import checkin_rewards, checkins, draw_entrants, identities
from store.checkins import DayRow, JourneyRow
from store.database import Tx

Stage = Literal["new", "soon", "open", "done_today", "graduated", "over", "opted_out"]
"""new: no journey yet, a press begins one. soon: it begins later. open: something is to be done now. done_today:
nothing is, until tomorrow. graduated. over: it ended otherwise. opted_out.
"""

Mark = Literal["tap", "make_up", "leave", "missed", "open", "coming"]


@dataclass(frozen=True)
class Cell:
    """One day of the calendar. `is_today`: by our clock. `can_make_up`: a card can be used for it now."""

    number: int
    on: date
    mark: Mark
    is_today: bool
    can_make_up: bool


@dataclass(frozen=True)
class Task:
    """The day that the form is for. `number`: of the journey; `theme`: of the plan, from 1. `until`: when it closes."""

    on: date
    number: int
    theme: int
    day: JourneyDay
    until: datetime
    is_make_up: bool
    is_yesterday: bool


@dataclass(frozen=True)
class Given:
    """A reward as the one whose it is sees it. `how`: where it is, in words for them; `needs`: what is missing."""

    days: int
    what: str
    how: str
    code: str
    needs: Literal["", "name", "openid"]


@dataclass(frozen=True)
class View:
    """`can_undo`: the newest day that can still be taken back, None: there is none. `place`: as which of the group.
    `shown_picture`: the digest of the one of today.
    """

    stage: Stage
    row: JourneyRow | None
    started_on: date
    state: Tally
    cells: tuple[Cell, ...]
    task: Task | None
    place: int
    can_undo: date | None
    leave_for: date | None
    shown_picture: str
    rewards: tuple["Given", ...]
    invited: Invitation | None
    rules: tuple[tuple[str, str], ...]


async def view(
    tx: Tx, book: Book, checkin: Checkin, visitor_id: int, *, make_up: date | None = None, now: datetime
) -> View:
    """`make_up`: the missed day that they want to make up for."""
    row = await checkins.of_visitor(tx, checkin.name, visitor_id)
    checkin = as_promised(checkin, row.rules if row else {})
    days = await checkins.days_of(tx, row.id) if row else []
    started_on = row.started_on if row else await _would_start(tx, checkin, visitor_id, now=now)
    state = tally(checkin, started_on, kinds_of(days), now)
    stage = _stage(checkin, row, started_on, state, now)
    task = _task(checkin, started_on, days, state, make_up, now) if stage in ("new", "open", "done_today") else None
    shown = checkin.show_place and row is not None and bool(row.chat_id) and stage == "done_today"
    return View(
        stage=stage,
        row=row,
        started_on=started_on,
        state=state,
        cells=_cells(started_on, days, state, now),
        task=task,
        place=await checkins.place_of(tx, row, date_of(now)) if shown and row else 0,
        can_undo=_can_undo(checkin, days, now) if row and row.state == "going" else None,
        leave_for=_leave_for(row, days, state, now),
        shown_picture=picture_in([day for day in days if day.on == date_of(now)]) if stage == "done_today" else "",
        rewards=await _rewards(tx, checkin, visitor_id),
        invited=await invitation(tx, book, checkin, row) if row else None,
        rules=(*rules_of(checkin), *_kept(row)),
    )


def _kept(row: JourneyRow | None) -> tuple[tuple[str, str], ...]:
    if row is None or not row.rules:
        return ()
    return (("规则不变", f"从您开始那天起就按这些规则算；以后只会改得对您更好（编号 {number_of(row.rules)}）"),)


async def _rewards(tx: Tx, checkin: Checkin, visitor_id: int) -> tuple[Given, ...]:
    """What they have earned, and how far each is on its way to them."""
    found = []
    for mine in await checkin_rewards.of_person(tx, checkin.name, visitor_id):
        if mine.state == "void":
            continue
        reward = checkin.rewards.get(mine.milestone)
        how = mine.why or "正在发给您" if mine.state in ("owed", "none") else _ARRIVED[mine.reward]
        needs: Literal["", "name", "openid"] = ""
        if mine.state == "owed":
            needs = "name" if mine.why == NEEDS_NAME else "openid" if mine.why == NEEDS_OPENID else ""
        what = say_prize(reward) if reward else mine.what
        found.append(Given(mine.milestone, what, how, mine.code, needs))
    return tuple(found)


_ARRIVED = {
    "coupon": "这是您的券码，请自己留好",
    "ticket": "已经帮您报名了，开奖结果看群里的通知",
    "money": "红包发到您的微信了，24 小时内点开",
    "points": "积分已经到账",
}


async def _would_start(tx: Tx, checkin: Checkin, visitor_id: int, *, now: datetime) -> date:
    """Day 1 of whoever begins with a press of now, as handlers/checkins.py has it."""
    known = checkin.start == "rolling" or await identities.external_of(tx, visitor_id) is not None
    return first_day(checkin.start, now) if known else monday_of(now)


def _stage(checkin: Checkin, row: JourneyRow | None, started_on: date, state: Tally, now: datetime) -> Stage:
    if row is not None and row.state in ("graduated", "opted_out"):
        return "graduated" if row.state == "graduated" else "opted_out"
    if (row is None and checkin.pause) or state.over:
        return "over"
    if state.done:
        return "graduated"
    if date_of(now) < started_on:
        return "soon"
    if row is None:
        return "new"
    return "open" if state.open else "done_today"


def _cells(started_on: date, days: Sequence[DayRow], state: Tally, now: datetime) -> tuple[Cell, ...]:
    kinds, today = kinds_of(days), date_of(now)
    found = []
    for number in range(1, state.last + 1):
        on = started_on + (number - 1) * DAY
        mark: Mark = kinds.get(on) or (
            "missed" if number in state.missed else "open" if number in state.open else "coming"
        )
        found.append(Cell(number, on, mark, on == today, number in state.can_make_up))
    return tuple(found)


def _task(
    checkin: Checkin, started_on: date, days: Sequence[DayRow], state: Tally, make_up: date | None, now: datetime
) -> Task | None:
    """What the form is for: the day to be made up that was asked for; else the day that is open and not done; else what
    was done today, to be looked at.
    """
    today, wanted = date_of(now), ((make_up - started_on).days + 1 if make_up else 0)
    is_make_up = wanted in state.can_make_up
    number = wanted if is_make_up else state.next_to_do or (today - started_on).days + 1
    if not 1 <= number <= state.last:
        return None
    on = started_on + (number - 1) * DAY
    theme = theme_of(checkin, started_on, kinds_of(days), on)
    return Task(
        on=on,
        number=number,
        theme=theme,
        day=checkin.plan[theme - 1],
        until=closes_at(checkin, on),
        is_make_up=is_make_up,
        is_yesterday=not is_make_up and on < today,
    )


def _can_undo(checkin: Checkin, days: Sequence[DayRow], now: datetime) -> date | None:
    fresh = [day for day in days if timedelta(0) <= now - day.at <= checkin.undo_within and not day.by]
    return max(fresh, key=lambda day: (day.at, day.id)).on if fresh else None


def picture_in(days: Sequence[DayRow]) -> str:
    """The digest of the newest picture among these days' evidence; "" where there is none."""
    found = [day.evidence.removeprefix(PICTURE) for day in days if day.evidence.startswith(PICTURE)]
    return found[-1] if found else ""


def _leave_for(row: JourneyRow | None, days: Sequence[DayRow], state: Tally, now: datetime) -> date | None:
    """The day that leave can be taken for: today, or tomorrow where today is done."""
    if row is None or row.state != "going" or not state.leave_left:
        return None
    taken = {day.on for day in days}
    for on in (date_of(now), date_of(now) + DAY):
        if on not in taken and 1 <= row.number_of(on) <= state.last:
            return on
    return None


# --- for staff --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One customer of somebody's groups: what a member of staff can do for them. `on`: the day that is open. `said`,
    `picture`: the newest that they wrote or showed.
    """

    visitor_id: int
    name: str
    streak: int
    number: int
    on: date | None
    said: str
    picture: str


async def lines_for(
    tx: Tx, checkin: Checkin, userid: str, *, sought: str = "", at_most: int, now: datetime
) -> list[Line]:
    """The customers of the groups that somebody is in, those first who have something open."""
    chat_ids = await checkins.groups_with(tx, userid)
    rows = await checkins.going_in(tx, checkin.name, chat_ids)
    days = await checkins.days_of_all(tx, [row.id for row in rows])
    people = await identities.externals_of(tx, [row.visitor_id for row in rows])
    names = await draw_entrants.names_of(tx, list(people.values())) if people else {}
    today, found = open_days(checkin, now)[-1], list[Line]()
    for row in rows:
        external_userid = people.get(row.visitor_id)
        name = names.get(external_userid or "", "")
        if external_userid is None or (sought and sought not in name):
            continue
        state = tally(as_promised(checkin, row.rules), row.started_on, kinds_of(days[row.id]), now)
        number = row.number_of(today)
        is_open = number in state.open
        theirs = [day for day in days[row.id] if day.evidence]
        words = [day.evidence for day in theirs if not day.evidence.startswith(PICTURE)]
        found.append(
            Line(
                row.visitor_id,
                name or "微信用户",
                state.streak,
                number,
                today if is_open else None,
                said=words[-1][:60] if words else "",
                picture=picture_in(theirs),
            )
        )
    return sorted(found, key=lambda line: (line.on is None, line.name))[:at_most]
