"""When something happens, as managers write it.

    每天 08:30              每天 08:30、20:00         每个工作日 09:00
    每周三 20:00            每周一至周五 08:30        每周六、周日 10:00
    每月1日 10:00           每月最后一天 18:00        每月第一个周六 10:00      每月最后一个周五 20:00
    每年12月24日 19:00      2026-12-24 19:00          30 8 * * mon-fri   (cron; weekdays by their names only)

Written times are Beijing's; answers are UTC. A schedule is which days, and at what times of those days.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from rules.clock import BEIJING
from rules.holidays import Holidays, parse_date
from rules.value import Value

MOST_A_DAY = 24
_FARTHEST = 366 * 9  # days looked at for the next time: 29 February is up to eight years away
_DAY = timedelta(days=1)
_WEEKDAYS = "一二三四五六日"
_NTH = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
LAST = -1
EXAMPLES = (
    "可以写 每天 08:30、每周三 20:00、每个工作日 09:00、每月第一个周六 10:00、每月最后一天 18:00、2026-12-24 19:00"
)


class Schedule(Value):
    """Days, and times on each of them. What is None does not matter; the rest must all fit.

    `weekdays`: 0 = Monday. `nth`: which of its weekday in the month, `days`: of the month; -1 = the last.
    `times`: in order.
    """

    text: str
    times: tuple[time, ...]
    on: date | None = None
    workdays: bool = False
    weekdays: frozenset[int] | None = None
    nth: int | None = None
    days: frozenset[int] | None = None
    months: frozenset[int] | None = None

    def falls_on(self, day: date, holidays: Holidays) -> bool:
        """Whether this is one of the days. Raises UnknownYearError where it depends on holidays nobody knows."""
        if self.on is not None:
            return day == self.on
        if self.months is not None and day.month not in self.months:
            return False
        if self.weekdays is not None and day.weekday() not in self.weekdays:
            return False
        if self.nth is not None and not _is_nth(day, self.nth):
            return False
        if self.days is not None and day.day not in self.days and not (LAST in self.days and _is_last(day)):
            return False
        return not self.workdays or holidays.is_workday(day)

    def moments(self, first: date, last: date, holidays: Holidays) -> Iterator[datetime]:
        """All times from the beginning of `first` to the end of `last`, in order, as UTC. Raises UnknownYearError."""
        day = first
        while day <= last:
            if self.falls_on(day, holidays):
                yield from (moment_of(day, at) for at in self.times)
            day += _DAY

    def next_after(self, moment: datetime, holidays: Holidays) -> datetime | None:
        """The first time after `moment` (aware); None: never again. Raises UnknownYearError."""
        today = moment.astimezone(BEIJING).date()
        farthest = max(today, self.on) if self.on else today + _FARTHEST * _DAY
        return next((each for each in self.moments(today, farthest, holidays) if each > moment), None)


def moment_of(day: date, at: time) -> datetime:
    """This time of this day in Beijing, as UTC."""
    return datetime.combine(day, at, BEIJING).astimezone(UTC)


def _is_nth(day: date, nth: int) -> bool:
    return (day + 7 * _DAY).month != day.month if nth == LAST else (day.day - 1) // 7 + 1 == nth


def _is_last(day: date) -> bool:
    return (day + _DAY).month != day.month


# --- reading ----------------------------------------------------------------------------------------------------------

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)|([01]?\d|2[0-4])点(?:(半)|([0-5]?\d)分?)?")
_HALF_DAY = re.compile(r"(上午|中午|下午|晚上|早上|凌晨|夜里|傍晚|am|pm)")
_DAYS_OF_WEEK = rf"(?:(?:周|星期|礼拜)?[{_WEEKDAYS}天末])"
_EVERY_DAY, _WORKDAYS = ("每天", "每日", "天天"), ("每个工作日", "每工作日", "工作日")
_AND = r"[、,和及 ]"
_WEEKLY = re.compile(rf"每(?:个)?(?=周|星期|礼拜)({_DAYS_OF_WEEK}(?:(?:{_AND}|至|到|-|~)*{_DAYS_OF_WEEK})*)")
_NTH_WEEKDAY = re.compile(rf"每(?:个)?月的?(?:第([一二三四五1-5])|(最后一))个?(?:周|星期|礼拜)([{_WEEKDAYS}天])")
_MONTHLY = re.compile(rf"每(?:个)?月的?(最后一天|\d{{1,2}}[日号](?:{_AND}*\d{{1,2}}[日号])*)")
_YEARLY = re.compile(r"每年的?(\d{1,2})月(\d{1,2})[日号]")
_CRON = re.compile(r"\S+ \S+ \S+ \S+ \S+")


def parse_schedule(text: str) -> Schedule:
    """What is written → a Schedule. Full-width characters are forgiven. Raises ValueError with a Chinese sentence."""
    plain = " ".join(unicodedata.normalize("NFKC", text).split()).lower()
    if not plain:
        raise ValueError(f"没有写什么时候，{EXAMPLES}")
    schedule = _parse_cron(plain) if _CRON.fullmatch(plain) and re.match(r"[\d*/,-]+ ", plain) else _parse_words(plain)
    _must_happen(schedule)
    return schedule.model_copy(update={"text": text.strip()})


def _parse_words(plain: str) -> Schedule:
    if half := _HALF_DAY.search(plain):
        raise ValueError(f"「{half[1]}」请写成 24 小时制，例如 晚上 8 点写 20:00")
    clock = _CLOCK.search(plain)
    if clock is None:
        raise ValueError(f"没有写几点，例如 {plain} 20:00")
    days, times = plain[: clock.start()].strip(), _times(plain[clock.start() :])
    which = _which_days(days)
    if which is None:
        raise ValueError(f"看不懂「{days or plain}」是哪些日子，{EXAMPLES}")
    return Schedule(text=plain, times=times).model_copy(update=which)


def _which_days(days: str) -> dict[str, Any] | None:
    """The fields of a Schedule that say on which days; None where they cannot be told."""
    if days in _EVERY_DAY or days in _WORKDAYS:
        return {"workdays": days in _WORKDAYS}
    if found := _WEEKLY.fullmatch(days):
        return {"weekdays": _weekdays(found[1])}
    if found := _NTH_WEEKDAY.fullmatch(days):
        return {"weekdays": frozenset({_weekday(found[3])}), "nth": LAST if found[2] else _NTH[found[1]]}
    if found := _MONTHLY.fullmatch(days):
        return {"days": _days_of_month(found[1])}
    if found := _YEARLY.fullmatch(days):
        month, day = _in_range(found[1], 1, 12, "月"), _in_range(found[2], 1, 31, "日")
        return {"months": frozenset({month}), "days": frozenset({day})}
    return {"on": parse_date(days)} if re.match(r"\d{4}\D", days) else None


def _times(text: str) -> tuple[time, ...]:
    found = [_time(each) for each in _CLOCK.finditer(text)]
    left = re.sub(rf"{_AND}+", "", _CLOCK.sub("", text))
    if left:
        raise ValueError(f"看不懂「{left}」，{EXAMPLES}")
    return tuple(sorted(set(found)))


def _time(found: re.Match[str]) -> time:
    hour = int(found[1] or found[3])
    if hour == 24:
        raise ValueError("一天到 23:59 为止：半夜十二点请写 00:00，算第二天")
    return time(hour, 30 if found[4] else int(found[2] or found[5] or 0))


def _weekday(letter: str) -> int:
    return 6 if letter == "天" else _WEEKDAYS.index(letter)


def _weekdays(text: str) -> frozenset[int]:
    days, since = set[int](), None
    for word in re.findall(rf"至|到|-|~|[{_WEEKDAYS}天末]", text.replace("星期", "").replace("礼拜", "")):
        if word in "至到-~":
            since = max(days, default=0)
            continue
        found = {5, 6} if word == "末" else {_weekday(word)}
        if since is not None:
            if max(found) < since:
                raise ValueError("一段星期要从前往后写，例如 每周一至周五")
            found |= set(range(since, max(found)))
        days, since = days | found, None
    return frozenset(days)


def _days_of_month(text: str) -> frozenset[int]:
    if text == "最后一天":
        return frozenset({LAST})
    return frozenset(_in_range(each, 1, 31, "日") for each in re.findall(r"\d+", text))


def _in_range(text: str, least: int, most: int, unit: str) -> int:
    if not least <= int(text) <= most:
        raise ValueError(f"没有 {text}{unit}")
    return int(text)


def _must_happen(schedule: Schedule) -> None:
    if len(schedule.times) > MOST_A_DAY:
        raise ValueError(f"一天 {len(schedule.times)} 次太多了，最多 {MOST_A_DAY} 次")
    if schedule.on or schedule.days is None or schedule.days & {LAST, *range(1, 30)}:
        return
    if schedule.months and not any(day <= _LENGTHS[month] for month in schedule.months for day in schedule.days):
        raise ValueError("这一天永远不会到：那个月没有这么多天")


_LENGTHS = {month: 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in range(1, 13)}

# --- cron -------------------------------------------------------------------------------------------------------------

_NAMES_OF_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES_OF_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _parse_cron(plain: str) -> Schedule:
    """minute hour day month weekday. Weekdays by names: whether 1 is Monday or Tuesday depends on whom one asks."""
    minute, hour, day, month, weekday = plain.split(" ")
    if re.search(r"\d", re.sub(r"/\d+", "", weekday)):
        raise ValueError("cron 的星期请写名字（mon、tue、wed、thu、fri、sat、sun）：数字在不同的程序里意思不一样")
    if "*" not in (day, weekday):
        raise ValueError("cron 的日和星期只能写一个，另一个写 *")
    minutes, hours = _cron_part(minute, 0, 59), _cron_part(hour, 0, 23)
    return Schedule(
        text=plain,
        times=tuple(time(h, m) for h in sorted(hours) for m in sorted(minutes)),
        weekdays=None if weekday == "*" else _cron_part(weekday, 0, 6, _NAMES_OF_DAYS),
        days=None if day == "*" else _cron_part(day, 1, 31),
        months=None if month == "*" else _cron_part(month, 1, 12, _NAMES_OF_MONTHS),
    )


def _cron_part(text: str, least: int, most: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """`*`, `*/15`, `1-5`, `1,3`, `mon-fri`."""
    found = set[int]()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if not re.fullmatch(r"[1-9]\d?", step or "1"):
            raise ValueError(f"看不懂 cron 里的「{part}」")
        first, dash, last = span.partition("-")
        start = least if first == "*" else _cron_number(first, least, names)
        end = _cron_number(last, least, names) if dash else most if first == "*" or step else start
        if not least <= start <= end <= most:
            raise ValueError(f"cron 里的「{part}」不对：应当在 {least} 到 {most} 之间，从小到大")
        found |= set(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _cron_number(text: str, least: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + least
    if not re.fullmatch(r"\d{1,2}", text):
        raise ValueError(f"看不懂 cron 里的「{text}」")
    return int(text)


# --- a field of the config --------------------------------------------------------------------------------------------


def _read(value: Any) -> Schedule:
    if isinstance(value, Schedule):
        return value
    if isinstance(value, str):
        return parse_schedule(value)
    raise ValueError(f"这里要写什么时候，{EXAMPLES}")


When = Annotated[
    Schedule,
    PlainValidator(_read),
    PlainSerializer(lambda schedule: schedule.text, return_type=str),
    WithJsonSchema({"type": "string", "examples": ["每周三 20:00", "每天 08:30", "每月第一个周六 10:00"]}),
]
"""A field of the config that says when something happens."""
