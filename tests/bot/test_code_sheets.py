"""Sheets of coupon codes: mistakes are told by cell, and before anybody has won."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from bot.config.check import look_at
from bot.config.code_sheets import read_code_sheet
from bot.config.problems import render
from bot.config.warnings import Known

CONFIG = """\
managers: [李华]
groups: {members: 会员*}
draws:
  - name: tea
    to: members
    when: 每周五 20:00
    prize: {type: 券, what: 茶券, value: 20元, shares: 3, codes: 券.xlsx}
    pay_by: 券
    organiser: 茶里有限公司
    contact: 021-1
"""


def _sheet(folder: Path, *rows: list[Any]) -> None:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(folder / "券.xlsx")


def _said(folder: Path, left: dict[str, int] | None = None) -> str:
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    known = Known(groups=("会员一群",), staff=(("lihua", "李华"),), codes=left) if left is not None else None
    return render(each for each in look_at(folder / "config.yaml", known).problems if "券" in each.reason + each.file)


@pytest.mark.parametrize(
    ("rows", "codes", "says"),
    [
        ([["T001"], ["T002"]], ["T001", "T002"], []),
        ([["券码", "备注"], ["T001", "一店"], [], ["T002"]], ["T001", "T002"], []),
        (
            [["券码"], ["T 01"]],
            ["T 01"],
            ["茶.xlsx!A2  「T 01」不像券码：要 3 到 64 个字母、数字或符号，中间没有空格。"],
        ),
        ([["T001"], ["T002"], ["T001"]], ["T001", "T002"], ["茶.xlsx!A3  「T001」和 A1 重复。"]),
        ([["券码", "备注"], ["", "一店"]], [], ["茶.xlsx!A2  这一行有内容，第一列的券码却是空的。"]),
        ([["券码"]], [], ["茶.xlsx!A1  表格里没有券码：第一列一行写一个。"]),
    ],
)
def test_every_mistake_is_told_by_its_cell(rows: list[list[str]], codes: list[str], says: list[str]) -> None:
    """Codes below each other, a heading or not, gaps allowed; twice, with a space, or missing is told."""
    found = read_code_sheet(rows, "茶.xlsx")
    assert found.codes == codes
    told = render(found.problems).splitlines()
    assert all(each in told for each in says)
    assert bool(told) == bool(says)


def test_check_reads_the_sheets(tmp_path: Path) -> None:
    """A sheet that is not there, a wrong cell, and too few codes for one draw are found by `steward check`."""
    assert "找不到券码表格「券.xlsx」" in _said(tmp_path)
    _sheet(tmp_path, ["券码"], ["T001"], ["T001"])
    assert "券.xlsx!A3" in _said(tmp_path)
    _sheet(tmp_path, ["券码"], ["T001"], ["T002"])
    assert "提醒：一期要发 3 个券码，表格里只有 2 个" in _said(tmp_path)
    _sheet(tmp_path, ["券码"], ["T001"], ["T002"], ["T003"])
    assert _said(tmp_path) == ""


def test_check_knows_what_was_put_in(tmp_path: Path) -> None:
    """With a database: codes that nobody has put in, or that are given out, are none."""
    _sheet(tmp_path, ["券码"], ["T001"], ["T002"], ["T003"])
    assert "只有 0 个：在表格里加够，再运行 steward draw codes 券.xlsx" in _said(tmp_path, {})
    assert "只有 2 个" in _said(tmp_path, {"券.xlsx": 2})
    assert _said(tmp_path, {"券.xlsx": 3}) == ""
