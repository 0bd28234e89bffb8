"""Sheets of coupon codes: read by `steward draw codes`, which puts the codes in, and looked at by `steward check`.

Codes are worth money: they do not travel with the config, as posts do. Only the machine that has the sheet reads it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bot.config.problems import Problem, short, written
from bot.config.sheets import Cells, UnreadableSheetError, cells, sheet_text
from bot.config.yaml_tree import Node, value_place, written_part
from rules.book import Book

_CODE = re.compile(r"[\x21-\x7e]{3,64}")
_HEADING = re.compile(r"[^0-9A-Za-z_-]")


class CodeSheet(NamedTuple):
    """`codes`: in the order of the sheet; with `problems` they are not to be used."""

    codes: list[str]
    problems: list[Problem]


def read_code_sheet(rows: Cells, file: str) -> CodeSheet:
    """The first column, one code a row, with or without a heading. `file`: its name, as it is shown."""
    column = [row[0].strip() if row else "" for row in rows]
    first = 1 if column and _HEADING.search(column[0]) else 0
    seen, problems = dict[str, int](), list[Problem]()
    for place, code in enumerate(column[first:], first + 1):
        if not code:
            if place <= len(rows) and any(rows[place - 1]):
                problems.append(Problem(file, place, 1, "", "", "这一行有内容，第一列的券码却是空的"))
            continue
        if not _CODE.fullmatch(code):
            reason = f"「{short(code)}」不像券码：要 3 到 64 个字母、数字或符号，中间没有空格"
            problems.append(Problem(file, place, 1, "", short(code), reason))
        elif code in seen:
            problems.append(Problem(file, place, 1, "", short(code), f"「{short(code)}」和 A{seen[code]} 重复"))
        seen.setdefault(code, place)
    if not seen:
        problems.append(Problem(file, 1, 1, "", "", "表格里没有券码：第一列一行写一个"))
    return CodeSheet(list(seen), problems)


def code_findings(book: Book, root: Node, file: str, folder: Path, left: Mapping[str, int] | None) -> Iterator[Problem]:
    """What is wrong with the sheets that draws name, by cell; and where there are fewer codes than winners.

    `left`: sheet → how many codes nobody has, as the database says; None where there is none to ask.
    """
    told = set[str]()
    for place, draw in enumerate(book.draws):
        for number, prize in enumerate(draw.prize):
            if not prize.codes:
                continue
            there = written_part(root, ("draws", place, "prize", number, "codes"))
            at = (file, *value_place(root, there), written(there), short(prize.codes))
            sheet = _read(folder, prize.codes)
            if isinstance(sheet, str):
                yield Problem(*at, sheet)
            elif sheet.problems:
                yield from sheet.problems if prize.codes not in told else ()
            elif few := _too_few(prize.codes, prize.shares, sheet, left):
                yield Problem(*at, few, kind="warning")
            told.add(prize.codes)


def _read(folder: Path, name: str) -> CodeSheet | str:
    """The sheet, or why it cannot be read."""
    try:
        return read_code_sheet(cells(sheet_text(folder / name)), name)
    except UnreadableSheetError as error:
        return str(error)
    except FileNotFoundError:
        return f"找不到券码表格「{short(name)}」"
    except OSError:
        return f"打不开券码表格「{short(name)}」"


def _too_few(name: str, shares: int, sheet: CodeSheet, left: Mapping[str, int] | None) -> str:
    """What managers should know before somebody has won and there is no code; "" = there are enough."""
    if left is None:
        few = f"一期要发 {shares} 个券码，表格里只有 {len(sheet.codes)} 个"
        return few if len(sheet.codes) < shares else ""
    there = left.get(name, 0)
    few = f"一期要发 {shares} 个券码，放进来还没发出去的只有 {there} 个：在表格里加够，再运行 steward draw codes {name}"
    return few if there < shares else ""
