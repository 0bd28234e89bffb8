"""Somebody's journeys through check-ins, for `steward explain`: which days they did, what they got, how it ended."""

from datetime import date

from pydantic import AwareDatetime
from rich.console import Console
from rich.text import Text

from bot import say
from bot.checkins.words import GIVEN, REWARDS
from rules.checkin_report import STATES
from rules.value import Value
from store import checkin_rewards, checkins, identities, own_tags
from store.database import Tx

MARKS = {"tap": "✓", "make_up": "补", "leave": "假"}


class JourneyDayLine(Value):
    """`number`: of the journey, from 1. `by`: "" for themselves, else the userid of who did it for them."""

    number: int
    on: date
    kind: str
    answer: str
    by: str


class JourneyLine(Value):
    """One run through one check-in. `rewards`: milestone, what, and how far it is, in Chinese."""

    number: int
    checkin: str
    began_at: AwareDatetime
    started_on: date
    state: str
    because: str
    ended_at: AwareDatetime | None
    days: tuple[JourneyDayLine, ...]
    rewards: tuple[str, ...]


class Journeys(Value):
    """All of somebody's, the oldest first; and the tags that we keep of them ourselves: name → where it comes from."""

    lines: tuple[JourneyLine, ...]
    tags: dict[str, str]


async def of_person(tx: Tx, external_userid: str) -> Journeys | None:
    """None, where they never began one."""
    visitor_id = await identities.visitor_with(tx, "external_userid", external_userid)
    rows = await checkins.all_of_visitor(tx, visitor_id) if visitor_id is not None else []
    rows = [row for row in rows if row.state != "merged"]
    if not rows or visitor_id is None:
        return None
    days = await checkins.days_of_all(tx, [row.id for row in rows])
    given = await checkin_rewards.of_visitor(tx, visitor_id)
    lines = [
        JourneyLine(
            number=row.id,
            checkin=row.checkin,
            began_at=row.began_at,
            started_on=row.started_on,
            state=row.state,
            because=row.because,
            ended_at=row.ended_at,
            days=tuple(
                JourneyDayLine(number=row.number_of(day.on), on=day.on, kind=day.kind, answer=day.answer, by=day.by)
                for day in days[row.id]
            ),
            rewards=tuple(
                f"满 {each.milestone} 天：{REWARDS.get(each.reward, each.reward)}{GIVEN.get(each.state, each.state)}"
                + (f"（{each.why}）" if each.why else "")
                for each in given
                if each.checkin == row.checkin
            ),
        )
        for row in rows
    ]
    tags = {each.tag: each.why for each in await own_tags.of_visitor(tx, visitor_id)}
    return Journeys(lines=tuple(lines), tags=tags)


def show(console: Console, found: Journeys) -> None:
    """A line a journey, with a mark for each day up to the last that was done."""
    say.title(console, "打卡")
    for each in found.lines:
        ended = f"，{say.at(each.ended_at)}" if each.ended_at else ""
        because = f"：{each.because}" if each.because else ""
        say.rows(
            console,
            [
                (Text(say.at(each.began_at), style="dim"), each.checkin, f"第 1 天是 {each.started_on}"),
                ("", "每一天", _marks(each) or "还没有打过"),
                *(("", "回答", f"第 {day.number} 天：{day.answer}") for day in each.days if day.answer),
                *(("", "代打", f"第 {day.number} 天由 {day.by}") for day in each.days if day.by),
                *(("", "奖励", reward) for reward in each.rewards),
                ("", "现在", f"{STATES.get(each.state, each.state)}{ended}{because}"),  # type: ignore[call-overload]
            ],
        )
    if found.tags:
        say.rows(console, [("自己的标签", tag, why) for tag, why in found.tags.items()])


def _marks(line: JourneyLine) -> str:
    done = {day.number: MARKS.get(day.kind, "?") for day in line.days}
    return "".join(done.get(number, "·") for number in range(1, max(done, default=0) + 1))
