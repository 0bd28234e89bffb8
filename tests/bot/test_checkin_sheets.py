"""A sheet of a check-in's days: what it becomes, and that it travels with the config."""

import shutil
from pathlib import Path

import pytest

from bot.config.check import look_at
from bot.config.checkin_sheets import read_checkin_sheet
from bot.config.files import read_files, with_files
from bot.config.read import parse_with_places, read_config
from bot.config.sheets import Cells
from rules.book import Book

ROOT = Path(__file__).parents[2]
SHEET = "content/七日打卡.xlsx"


def test_the_example_has_seven_days() -> None:
    """The sheet of config.yaml is fine: a day's theme, question with its tags, evidence and task stand as written."""
    checkin = read_config(ROOT / "config.yaml", Book).checkins[0]
    assert (checkin.length, checkin.plan[0].add_staff, checkin.plan[4].evidence) == (7, True, "picture")
    asked = checkin.plan[1].question
    assert asked is not None
    assert asked.options == {"绿茶": "喜欢绿茶", "红茶": "喜欢红茶", "白茶": "喜欢白茶", "还没想好": ""}
    assert not any(day.add_staff and number in checkin.rewards for number, day in enumerate(checkin.plan, 1))


@pytest.mark.parametrize(
    "rows",
    [
        [["天", "主题", "打卡方式"], ["1", "水温", "文字"], ["2", "存茶", ""]],
        [["七日打卡"], [], ["第几天", "标题", "方式"], ["第1天", "水温", "text"], [], ["第 2 天", "存茶", "点一下"]],
        [["主题", "怎么打卡", "备注"], ["水温", "文字", "自己看的"], ["存茶", "", ""]],
    ],
    ids=["plain", "a title, other headings and an empty row", "days by their order"],
)
def test_sheets_may_be_written_in_several_ways(rows: Cells) -> None:
    """Headings have other names, rows above and between are let be, and the order says which day it is."""
    sheet = read_checkin_sheet(rows, "a.xlsx")
    assert sheet.problems == []
    assert [(day.theme, day.evidence) for day in sheet.days] == [("水温", "text"), ("存茶", "tap")]


def test_a_sheet_goes_with_its_config(tmp_path: Path) -> None:
    """What was read once is enough on another machine; a changed sheet is another content, a missing one an error."""
    (tmp_path / "content").mkdir()
    shutil.copy(ROOT / SHEET, tmp_path / SHEET)
    text = f"groups: {{n: 新人*}}\ncheckins: [{{name: n-7, to: n, days: {SHEET}}}]\n"
    files = read_files(tmp_path, text)
    assert list(files) == [SHEET]
    book, root = parse_with_places(text, "config.yaml", Book)
    given, problems = with_files(book, root, "config.yaml", files)
    assert (problems, given.checkins[0].length) == ([], 7)
    (tmp_path / SHEET).unlink()
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    [problem] = [each for each in look_at(tmp_path / "config.yaml").problems if each.kind == "error"]
    assert (problem.path, "找不到表格" in problem.reason) == ("checkins[0].days", True)
