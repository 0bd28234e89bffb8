"""What a check-in has come to: who began, how far they went, what they answered, what it cost. Pure, from rows alone.

A cohort (同一期) is whoever began in one week, Monday to Sunday. A day of the funnel is a journey's own day, 1 for its
first: `due` for so many it has come, `done` by so many it was done, by a press or a make-up card.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Literal

from rules.checkins import Checkin
from rules.streak import Kind, theme_of
from rules.value import Value

State = Literal["going", "graduated", "dropped", "opted_out"]
STATES: Mapping[State, str] = {"going": "还在走", "graduated": "毕业", "dropped": "掉队", "opted_out": "退出"}


class Run(Value):
    """One journey. `days`: its live rows; `answers`: what was chosen, by date. `reachable`: staff have added them."""

    started_on: date
    state: State
    because: str = ""
    days: Mapping[date, Kind]
    answers: Mapping[date, str]
    ended_on: date | None = None
    reachable: bool = False


class DayCount(Value):
    """One day of the funnel. `leave`: so many took leave on it."""

    number: int
    due: int
    done: int
    leave: int = 0

    @property
    def share(self) -> float:
        return self.done / self.due if self.due else 0.0


class Cohort(Value):
    """Whoever began in the week of `of`; None: all together. The four states add up to `began`."""

    of: date | None
    began: int
    days: tuple[DayCount, ...]
    going: int = 0
    graduated: int = 0
    dropped: int = 0
    opted_out: int = 0


class Answers(Value):
    """One question: option → how often it was chosen, in the order of the sheet, and what nobody offers any more."""

    theme: int
    text: str
    options: dict[str, int]


class Given(Value):
    """What was given for one milestone: `state` as in store/checkin_rewards.py, worth `amount` fen together."""

    milestone: int
    reward: str
    state: str
    number: int
    amount: int


class Overview(Value):
    """`stopped`: after which day those stopped who did not graduate; 0: they never began. `why`: what their journeys
    ended with. `reachable`: of all who began, so many have been added by staff.
    """

    name: str
    title: str
    length: int
    cohorts: tuple[Cohort, ...]
    total: Cohort
    stopped: dict[int, int]
    why: dict[str, int]
    answers: tuple[Answers, ...]
    given: tuple[Given, ...]
    reachable: int

    @property
    def cost(self) -> int:
        """In fen: what was handed over, a coupon at its value."""
        return sum(each.amount for each in self.given if each.state in ("handed", "paid"))


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def overview(checkin: Checkin, runs: Sequence[Run], given: Iterable[Given], today: date) -> Overview:
    """All of it. `today`: Beijing's."""
    cohorts = sorted({monday_of(run.started_on) for run in runs})
    longest = max([checkin.length, *(_number(run, day) for run in runs for day in run.days)], default=0)
    over = [run for run in runs if run.state in ("dropped", "opted_out")]
    return Overview(
        name=checkin.name,
        title=checkin.title,
        length=checkin.length,
        cohorts=tuple(
            _cohort([run for run in runs if monday_of(run.started_on) == of], of, longest, today) for of in cohorts
        ),
        total=_cohort(runs, None, longest, today),
        stopped=dict(sorted(Counter(map(_last_done, over)).items())),
        why=dict(Counter(run.because or STATES[run.state] for run in over).most_common()),
        answers=tuple(_answers(checkin, runs)),
        given=tuple(given),
        reachable=sum(run.reachable for run in runs),
    )


def _cohort(runs: Sequence[Run], of: date | None, longest: int, today: date) -> Cohort:
    states = Counter(run.state for run in runs)
    counts: dict[str, Any] = {str(state): states[state] for state in STATES}
    days = (_day(runs, number, today) for number in range(1, longest + 1))
    return Cohort(of=of, began=len(runs), days=tuple(day for day in days if day.due or of is None), **counts)


def _day(runs: Sequence[Run], number: int, today: date) -> DayCount:
    kinds = [run.days.get(run.started_on + timedelta(days=number - 1)) for run in runs]
    ends = [min(run.ended_on or today, today) for run in runs]
    came = [
        run.started_on + timedelta(days=number - 1) <= end or kind is not None
        for run, kind, end in zip(runs, kinds, ends, strict=True)
    ]
    done = sum(kind in ("tap", "make_up") for kind in kinds)
    return DayCount(number=number, due=sum(came), done=done, leave=kinds.count("leave"))


def _number(run: Run, day: date) -> int:
    return (day - run.started_on).days + 1


def _last_done(run: Run) -> int:
    return max((_number(run, day) for day, kind in run.days.items() if kind != "leave"), default=0)


def _answers(checkin: Checkin, runs: Sequence[Run]) -> Iterable[Answers]:
    chosen: dict[int, Counter[str]] = {}
    for run in runs:
        for day, answer in run.answers.items():
            if answer:
                theme = theme_of(checkin, run.started_on, run.days, day)
                chosen.setdefault(theme, Counter())[answer] += 1
    for number, day_plan in enumerate(checkin.plan, 1):
        counts = chosen.get(number, Counter())
        if day_plan.question is not None:
            offered = dict.fromkeys(day_plan.question.options, 0) | dict(counts)
            yield Answers(theme=number, text=day_plan.question.text, options=offered)


# --- words ------------------------------------------------------------------------------------------------------------


def say_cohort(cohort: Cohort) -> str:
    """`11月23日这一周`."""
    return f"{cohort.of.month}月{cohort.of.day}日这一周" if cohort.of else "全部"


def say_week(found: Overview, monday: date) -> str:
    """`七天认识一杯茶：新 12 人，还在走 30 人，毕业 8 人`; "" while nobody is in it."""
    began = next((each.began for each in found.cohorts if each.of == monday), 0)
    if not began and not found.total.going:
        return ""
    return f"{found.title}：新 {began} 人，还在走 {found.total.going} 人，毕业 {found.total.graduated} 人"


def say_stopped(after: int) -> str:
    return f"打了第 {after} 天以后" if after else "一天也没打"


def say_share(part: int, of: int) -> str:
    """`62%`; nothing of nothing is `—`."""
    return f"{round(100 * part / of)}%" if of else "—"


def as_table(found: Overview) -> list[list[str | int]]:
    """For Excel: a row a cohort, one for all of them, and what stands above the columns."""
    longest = len(found.total.days)
    head: list[str | int] = ["期（周一）", "开始", *(f"第{n}天" for n in range(1, longest + 1)), *STATES.values()]
    rows = [head]
    for each in (*found.cohorts, found.total):
        done = {day.number: day.done for day in each.days}
        of = each.of.isoformat() if each.of else "合计"
        states = [each.going, each.graduated, each.dropped, each.opted_out]
        rows.append([of, each.began, *(done.get(n, 0) for n in range(1, longest + 1)), *states])
    return rows
