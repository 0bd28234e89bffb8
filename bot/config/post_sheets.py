"""A sheet of posts → rows of a series, or everything that is wrong with it, cell by cell."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time
from typing import Any, NamedTuple

from pydantic import ValidationError

from bot.config.headings import BROKEN, Headings
from bot.config.problems import Problem, short
from bot.config.sheets import Cells
from rules.holidays import parse_date
from rules.posts import Post, Row

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "日期": ("date", "哪天", "发送日期"),
    "序号": ("number", "期数", "第几期", "编号"),
    "时间": ("time", "几点", "发送时间"),
    "群": ("groups", "to", "发到", "哪些群", "群名"),
    "文字": ("text", "内容", "文案", "正文"),
    "图片": ("image", "海报", "配图"),
    "网址": ("url", "链接"),
    "网页标题": ("title", "链接标题"),
    "视频": ("video",),
    "文件": ("file", "附件"),
}
_REMARKS = ("备注", "说明", "主题", "栏目", "星期", "负责人", "remark")
_HEADINGS = Headings(
    _COLUMNS, _REMARKS, ("文字", "图片"), "找不到标题行：要有一行写着 文字（或 图片），按需要加上 日期、序号、时间、群"
)
_FIELDS = {"text": "文字", "image": "图片", "video": "视频", "file": "文件", "link": "网址"}
_SEVERAL = re.compile(r"[\n、;；]+")
_CLOCK = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)(?:[:：]\d\d)?")


class Sheet(NamedTuple):
    """`rows`: what can be said; with `problems` they are not to be used. `columns`: heading → column, from 1."""

    rows: list[Row]
    problems: list[Problem]
    columns: Mapping[str, int]


def read_post_sheet(rows: Cells, file: str, post: Post) -> Sheet:
    """The rows of `post`'s sheet. `file`: its name, as it is shown."""
    head, columns, problems = _HEADINGS.read(rows, file)
    if head is None:
        return Sheet([], problems, columns)
    problems += _wrong_columns(columns, head, file, post)
    found, places = list[Row](), list[int]()
    for place, cells in enumerate(rows[head:], head + 1):
        row = {column: cells[at - 1] if at <= len(cells) else "" for column, at in columns.items()}
        if not any(row.values()):
            continue
        made, wrong = _row(row, place, file, columns)
        problems += wrong
        if made:
            found.append(made)
            places.append(place)
    if "日期" not in columns and "序号" not in columns:
        found = [row.model_copy(update={"number": number}) for number, row in enumerate(found, 1)]
    if not found and not problems:
        problems.append(Problem(file, head + 1, 1, "", "", "表格里一行内容也没有"))
    problems += _wrong_together(found, places, columns, file)
    return Sheet(found, problems, columns)


def files_in(rows: Cells) -> Iterator[tuple[str, str]]:
    """(column, name) of all files that a sheet names; nothing where it has no headings."""
    head, columns, _ = _HEADINGS.read(rows, "")
    for cells in rows[head:] if head is not None else ():
        for column in ("图片", "视频", "文件"):
            at = columns.get(column, 0)
            if 0 < at <= len(cells):
                yield from ((column, name) for name in _several(cells[at - 1]))


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in _SEVERAL.split(text) if part.strip())


# --- headings ---------------------------------------------------------------------------------------------------------


def _wrong_columns(columns: Mapping[str, int], head: int, file: str, post: Post) -> Iterator[Problem]:
    if "日期" in columns and "序号" in columns:
        yield Problem(file, head, columns["序号"], "序号", "", "「日期」和「序号」只能有一列")
    if "时间" in columns and (post.when or "日期" not in columns):
        reason = "设置里写了 when，表格里就不用「时间」" if post.when else "有「时间」就要有「日期」"
        yield Problem(file, head, columns["时间"], "时间", "", reason)
    if "日期" in columns and not post.when and "时间" not in columns:
        yield Problem(file, head, columns["日期"], "日期", "", "没有写几点发：请加一列「时间」，或在设置里写 when")
    if "网址" in columns and "网页标题" not in columns:
        yield Problem(file, head, columns["网址"], "网址", "", "有「网址」就要有「网页标题」：网页卡片上显示的标题")


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(row: Mapping[str, str], place: int, file: str, columns: Mapping[str, int]) -> tuple[Row | None, list[Problem]]:
    problems = list[Problem]()

    def wrong(column: str, reason: str, value: str = "") -> None:
        problems.append(Problem(file, place, columns.get(column, 1), column, short(value), reason))

    fields: dict[str, Any] = {"line": place}
    for column, value in row.items():
        if value in BROKEN:
            wrong(column, f"这一格的公式出错了（{value}）", value)
            continue
        try:
            fields |= _field(column, value, row)
        except ValueError as error:
            wrong(column, f"「{short(value)}」不对：{error}" if value else str(error), value)
    if problems:
        return None, problems
    try:
        made = Row.model_validate(fields).standing_at(f"{file} 第 {place} 行")
    except ValidationError as error:
        for each in error.errors(include_url=False):
            column = _FIELDS.get(str(each["loc"][0]), "文字") if each["loc"] else "文字"
            said = str(each.get("ctx", {}).get("error", each["msg"]))
            wrong(column, _in_chinese(said), row.get(column, ""))
        return None, problems
    if not made.says_something:
        wrong("文字" if "文字" in columns else "图片", "这一行没有写说什么：文字和图片都是空的")
        return None, problems
    return made, problems


def _in_chinese(said: str) -> str:
    return said if any("\u4e00" <= letter <= "\u9fff" for letter in said) else "这一格的内容不对"


def _field(column: str, value: str, row: Mapping[str, str]) -> dict[str, Any]:
    """The field of a Row that a cell fills. Raises ValueError in Chinese."""
    if column in _READ:
        name, read = _READ[column]
        return {name: read(value)}
    if column == "网址":
        return {"link": _link(value, row.get("网页标题", "")) if value else ()}
    return {}


def _link(url: str, title: str) -> tuple[dict[str, str], ...]:
    if not re.match(r"https?://[^\s/]", url):
        raise ValueError("网址要以 https:// 或 http:// 开头")
    if not title:
        raise ValueError("有网址就要写网页标题")
    return ({"url": url, "title": title},)


def _day(value: str) -> date:
    if not value:
        raise ValueError("这一行没有写日期")
    return parse_date(value)


def _number(value: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,4}", value):
        raise ValueError("序号应当是 1、2、3 这样的整数" if value else "这一行没有写序号")
    return int(value)


def _time(value: str) -> time:
    found = _CLOCK.fullmatch(value)
    if not found:
        raise ValueError("应当是钟点，例如 20:00" if value else "这一行没有写时间")
    return time(int(found[1]), int(found[2]))


_READ: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "日期": ("day", _day),
    "序号": ("number", _number),
    "时间": ("at", _time),
    "群": ("to", _several),
    "文字": ("text", str),
    "图片": ("image", _several),
    "视频": ("video", _several),
    "文件": ("file", _several),
}


def _wrong_together(rows: list[Row], places: list[int], columns: Mapping[str, int], file: str) -> Iterator[Problem]:
    """Two rows for one time and the same groups; numbers that are missing."""
    seen = defaultdict[tuple[Any, ...], list[tuple[int, tuple[str, ...]]]](list)
    column = "日期" if "日期" in columns else "序号"
    for row, place in zip(rows, places, strict=True):
        what = (row.day, row.at) if row.day else (row.number,)
        for other, to in seen[what]:
            if not to or set(row.to) & set(to):  # a row for some groups may stand above one for the rest
                said = f"{row.day}{f' {row.at:%H:%M}' if row.at else ''}" if row.day else f"序号 {row.number}"
                reason = f"{said} 在第 {other} 行已经有了，同样的群只能收一条：请改日期，或用「群」这一列分开"
                yield Problem(file, place, columns.get(column, 1), column, said, reason)
                break
        seen[what].append((place, row.to))
    if "序号" in columns and rows:
        there = {row.number for row in rows}
        missing = [number for number in range(1, max(row.number or 0 for row in rows) + 1) if number not in there]
        if missing:
            said = "、".join(map(str, missing[:5])) + (" 等" if len(missing) > 5 else "")
            reason = f"缺了序号 {said}：要从 1 连续往下写"
            yield Problem(file, places[0], columns["序号"], "序号", "", reason)
