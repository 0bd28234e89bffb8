"""Sheets beside the config: what they say, cell by cell; the example sheets; files that no sheet should be."""

import os
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from bot.config.check import look_at
from bot.config.files import read_files
from bot.config.post_sheets import files_in, read_post_sheet
from bot.config.problems import render
from bot.config.read import parse_config, read_config, read_written
from bot.config.sheets import MOST_ROWS, UnreadableSheetError, cells, file_digest, sheet_text
from rules.book import Book
from rules.posts import Post

ROOT = Path(__file__).parents[2]
HEAD = "groups: {members: 会员*}\nmanagers: [李华]\nrules: [{rule: other_company}]\nposts:\n"


def sheet_at(path: Path, *rows: tuple[Any, ...]) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def config_at(folder: Path, *posts: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(HEAD + "".join(f"  - {{{each}}}\n" for each in posts), encoding="utf-8")
    return path


def test_cells_are_what_a_manager_reads(tmp_path: Path) -> None:
    """Dates, times and numbers as written in Excel; empty cells and empty rows at the end are nothing."""
    at = datetime.fromisoformat
    path = sheet_at(
        tmp_path / "a.xlsx",
        ("日期", None, "文字"),
        (date(2026, 12, 1), time(8, 30), " 好\r\n的 "),
        (at("2026-12-01T00:00"), at("2026-12-01T20:15"), 3.0),
        (timedelta(hours=25, minutes=5), True, 0.5),
        (None, None, None),
    )
    assert cells(sheet_text(path)) == [
        ["日期", "", "文字"],
        ["2026-12-01", "08:30", "好\n的"],
        ["2026-12-01", "2026-12-01 20:15", "3"],
        ["25:05", "True", "0.5"],
    ]


def test_what_is_no_sheet_is_told(tmp_path: Path) -> None:
    """Another format under its name, one that is too long, and one that unpacks to a mountain."""
    (tmp_path / "text.xlsx").write_text("日期,文字\n", encoding="utf-8")
    long = sheet_at(tmp_path / "long.xlsx", *(("好",) for _ in range(MOST_ROWS + 1)))
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(6):
            packed.writestr(f"xl/{number}.xml", b"\0" * (10 << 20))
    for path, says in (
        (tmp_path / "text.xlsx", "不是 Excel 表格"),
        (long, f"超过 {MOST_ROWS} 行"),
        (tmp_path / "bomb.xlsx", "展开以后超过 50 MB"),
    ):
        with pytest.raises(UnreadableSheetError) as refused:
            sheet_text(path)
        assert says in str(refused.value)
    with pytest.raises(UnreadableSheetError):
        cells("not json")


def test_the_examples_can_be_used() -> None:
    """Both sheets of the repository, read as posts would."""
    book = read_config(ROOT / "config.yaml", Book)
    (morning,) = (post for post in book.posts if post.in_sheet)
    assert [row.number for row in morning.rows] == [1, 2, 3, 4, 5, 6, 7]
    festivals = read_post_sheet(cells(sheet_text(ROOT / "content/节日.xlsx")), "content/节日.xlsx", dated())
    assert festivals.problems == []
    assert [row.to for row in festivals.rows] == [(), (), ("vip",), ()]
    named = files_in(cells(sheet_text(ROOT / "content/节日.xlsx")))
    assert {name for _, name in named} == {"content/posts/围炉.png"}


def dated() -> Post:
    return Post.model_validate({"name": "节日", "to": "all", "series": "content/节日.xlsx"})


def test_a_config_knows_what_it_names(tmp_path: Path) -> None:
    """Sheets, the pictures inside them, pictures of posts, steps, lists and mini-programs; each once."""
    for name in ("a.png", "b.png", "c.png", "d.jpg", "e.png"):
        (tmp_path / name).write_bytes(name.encode() * 10)
    sheet_at(tmp_path / "s.xlsx", ("日期", "时间", "文字", "图片"), ("2026-12-01", "08:30", "好", "e.png"))
    program = "{appid: wx12345678, page: p, title: t, picture: c.png}"
    path = config_at(
        tmp_path,
        "name: 一, to: members, when: 每天 08:30, image: [a.png], series: []",
        "name: 二, to: members, series: s.xlsx",
        "name: 三, to: members, steps: [{day: 1, at: '10:00', image: b.png}]",
        f"name: 四, to: members, when: 每天 08:30, miniprogram: {program}",
        "name: 五, to: members, when: 每天 08:30, series: [{image: d.jpg}]",
    )
    found = read_files(tmp_path, path.read_text(encoding="utf-8"))
    assert list(found) == ["s.xlsx", "a.png", "b.png", "c.png", "d.jpg", "e.png"]
    assert found["a.png"] == file_digest(tmp_path / "a.png")
    assert str(found["a.png"]).endswith(" 50")
    assert look_at(path).exit_code == 0


def test_another_picture_is_another_version_of_the_config(tmp_path: Path) -> None:
    """So that machines take it up, and what was uploaded before is not sent any more."""
    (tmp_path / "a.png").write_bytes(b"one picture")
    path = config_at(tmp_path, "name: 一, to: members, when: 每天 08:30, image: a.png")
    before = read_written(path).hash
    (tmp_path / "a.png").write_bytes(b"another one")
    os.utime(tmp_path / "a.png", ns=(1, 1))
    assert read_written(path).hash != before


def test_other_machines_need_no_sheet_of_their_own(tmp_path: Path) -> None:
    """What was read travels with the config: it is used without the folder."""
    sheet_at(tmp_path / "s.xlsx", ("日期", "时间", "文字"), ("2026-12-01", "08:30", "好"))
    path = config_at(tmp_path, "name: 二, to: members, series: s.xlsx")
    config = read_written(path)
    (tmp_path / "s.xlsx").unlink()
    from bot.config.needs import parse_book

    (post,) = parse_book(config, "config.yaml", ()).posts
    assert [(row.text, row.where) for row in post.rows] == [("好", "s.xlsx 第 2 行")]


def test_what_is_too_big_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    """The platform takes pictures of up to 10 MB and more than 5 bytes."""
    for name, size in (("big.png", 10 << 20 | 1), ("empty.png", 5)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    path = config_at(tmp_path, "name: 一, to: members, when: 每天 08:30, image: [big.png, empty.png]")
    said = render(look_at(path).problems)
    assert "「big.png」太大：最多 10 MB，现在 10.0 MB" in said
    assert "「empty.png」是空的" in said


def test_texts_know_where_they_are_written(tmp_path: Path) -> None:
    """So that what fails at run time names file and line."""
    path = config_at(
        tmp_path,
        "name: 一, to: members, when: 每天 08:30, text: 好",
        "name: 二, to: members, when: 每天 08:30, series: [早, 晚]",
        "name: 三, to: members, steps: [{day: 1, at: '10:00', text: 好}]",
    )
    one, two, three = read_config(path, Book).posts
    assert one.where == "config.yaml:5"
    assert [each.where for each in (*two.all_said, *three.steps)] == ["config.yaml:6", "config.yaml:6", "config.yaml:7"]
    assert parse_config(path.read_text(encoding="utf-8"), "x", Book).posts[0].where == ""
