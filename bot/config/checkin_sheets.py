"""A sheet of a check-in's days → its days, or everything that is wrong with it, cell by cell."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from bot.config.headings import BROKEN, Headings
from bot.config.problems import Problem, short
from bot.config.sheets import Cells
from rules.checkins import MOST_DAYS, JourneyDay
from rules.inducement import WHY, induces

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "天": ("第几天", "天数", "day"),
    "主题": ("theme", "标题"),
    "任务": ("task", "今日任务"),
    "内容": ("content", "文字", "正文"),
    "打卡方式": ("evidence", "怎么打卡", "方式"),
    "问题": ("question", "题目"),
    "选项": ("options", "答案"),
    "加导购": ("add_staff", "加员工"),
}
_REMARKS = ("备注", "说明", "负责人", "remark")
_HEADINGS = Headings(
    _COLUMNS,
    _REMARKS,
    ("主题",),
    "找不到标题行：要有一行写着 天、主题，按需要加上 任务、内容、打卡方式、问题、选项、加导购",
)
_FIELDS = {"theme": "主题", "task": "任务", "content": "内容", "evidence": "打卡方式", "add_staff": "加导购"}
_SEVERAL = re.compile(r"[\n、;；]+")
_TO_TAG = re.compile(r"\s*(?:=|＝|→|->)\s*")


FEWEST = 2  # options: one is no choice
_ALLOWED = {"打卡方式": "点一下、文字、选择、图片", "加导购": "是、否"}


class Sheet(NamedTuple):
    """`days`: what can be said, day 1 first; with `problems` they are not to be used."""

    days: list[JourneyDay]
    problems: list[Problem]


def read_checkin_sheet(rows: Cells, file: str) -> Sheet:
    """The days of a check-in. `file`: the sheet's name, as it is shown."""
    head, columns, problems = _HEADINGS.read(rows, file)
    if head is None:
        return Sheet([], problems)
    for one, other in (("问题", "选项"), ("选项", "问题")):
        if one in columns and other not in columns:
            problems.append(Problem(file, head, columns[one], one, "", f"有「{one}」就要有「{other}」这一列"))
    days, places = list[JourneyDay](), list[tuple[int, str]]()
    for place, cells in enumerate(rows[head:], head + 1):
        row = {column: cells[at - 1] if at <= len(cells) else "" for column, at in columns.items()}
        if not any(row.values()):
            continue
        made, wrong = _day(row, place, file, columns)
        problems += wrong
        places.append((place, row.get("天", "")))
        days += [made] if made else []
    problems += _wrong_numbers(places, columns, file)
    if not places:
        problems.append(Problem(file, head + 1, 1, "", "", "表格里一天也没有"))
    if len(places) > MOST_DAYS:
        problems.append(Problem(file, places[MOST_DAYS][0], 1, "", "", f"太多天了：最多 {MOST_DAYS} 天"))
    return Sheet(days, problems)


# --- rows -------------------------------------------------------------------------------------------------------------


def _day(
    row: Mapping[str, str], place: int, file: str, columns: Mapping[str, int]
) -> tuple[JourneyDay | None, list[Problem]]:
    problems, made = list[Problem](), None

    def wrong(column: str, reason: str) -> None:
        value = short(row.get(column, ""))
        problems.append(Problem(file, place, columns.get(column, 1), column, value, reason))

    for column, reason in _wrong_cells(row):
        wrong(column, reason)
    if problems:
        return None, problems
    fields: dict[str, Any] = {key: row[column] for key, column in _FIELDS.items() if row.get(column)}
    try:
        made = JourneyDay.model_validate(fields | _question(row))
    except WrongCellError as error:
        wrong(error.column, error.reason)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            column = _column(each["loc"])
            wrong(column, _in_chinese(each, column, row.get(column, "")))
    return (made if not problems else None), problems


def _wrong_cells(row: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Columns, and what is wrong in them, whatever a day is made of."""
    if broken := [(column, value) for column, value in row.items() if value in BROKEN]:
        yield from ((column, f"这一格的公式出错了（{value}）") for column, value in broken)
        return
    if not row.get("主题"):
        yield "主题", "这一天没有写主题"
    if row.get("打卡方式") in {"选择", "choice"} and not row.get("问题"):
        yield "打卡方式", "打卡方式写了选择，就要有问题和选项"
    for column in ("主题", "任务", "内容", "问题"):
        if said := induces(row.get(column, "")):
            yield column, f"「{said}」像是在诱导分享：不能因为转发、邀请给好处，{WHY}。请换个说法"


class WrongCellError(ValueError):
    """In which column, and why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


def _question(row: Mapping[str, str]) -> dict[str, Any]:
    """`绿茶=喜欢绿茶、红茶=喜欢红茶`: what can be chosen, and which tag it gives."""
    asked, offered = row.get("问题", ""), row.get("选项", "")
    if not asked and not offered:
        return {}
    if not asked:
        raise WrongCellError("问题", "有选项，但没有写问题")
    options = dict[str, str]()
    for part in (each.strip() for each in _SEVERAL.split(offered) if each.strip()):
        option, *tag = _TO_TAG.split(part, maxsplit=1)
        if not option:
            raise WrongCellError("选项", f"「{short(part)}」前面没有写选项：要写成 选项=标签")
        if option in options:
            raise WrongCellError("选项", f"「{short(option)}」写了两次")
        options[option] = tag[0] if tag else ""
    if len(options) < FEWEST:
        raise WrongCellError("选项", "一道题至少要有两个选项：用顿号隔开，如 绿茶=喜欢绿茶、红茶=喜欢红茶")
    return {"question": {"text": asked, "options": options}}


def _column(where: tuple[int | str, ...]) -> str:
    if where and where[0] == "question":
        return "选项" if "options" in where else "问题"
    return _FIELDS.get(str(where[0]), "主题") if where else "打卡方式"


def _in_chinese(error: Any, column: str, value: str) -> str:
    limits = error.get("ctx", {})
    if error["type"] == "string_too_long":
        return f"太长了：最多 {limits['max_length']} 个字，现在 {len(value)} 个字"
    if error["type"] in {"literal_error", "bool_parsing", "bool_type"}:
        return f"「{short(value)}」不对：可以写 {_ALLOWED[column]}"
    said = str(limits.get("error", error["msg"]))
    if error["type"] == "too_long":
        return f"选项太多了：最多 {limits['max_length']} 个"
    return said if any("\u4e00" <= letter <= "\u9fff" for letter in said) else f"「{short(value)}」不对"


def _wrong_numbers(places: list[tuple[int, str]], columns: Mapping[str, int], file: str) -> Iterator[Problem]:
    """Days count from 1 in the order of the rows; where there is no such column their order says it."""
    if "天" not in columns:
        return
    for number, (place, said) in enumerate(places, 1):
        found = re.fullmatch(r"第?\s*(\d{1,3})\s*天?", said)
        if found is None or int(found[1]) != number:
            reason = f"这里应当是第 {number} 天" + (f"，写的是「{short(said)}」" if said else "，是空的")
            yield Problem(file, place, columns["天"], "天", short(said), f"{reason}：要从 1 开始，一行一天往下写")
            return
