"""`steward checkin`: what it shows, and what programs and Excel get."""

import asyncio
import contextlib
import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from bot.cli import app
from store.database import Database
from tests.bot.travellers import fill

Steward = Callable[..., Result]


@pytest.fixture
def steward(sqlite_url: str, tmp_path: Path) -> Steward:
    """`steward("checkin", …)` in an empty folder, with ten people on their way."""

    async def prepare() -> None:
        store = await Database.open(sqlite_url)
        async with store.write() as tx:
            await fill(tx)
        await store.close()

    asyncio.run(prepare())

    def run(*words: str) -> Result:
        with contextlib.chdir(tmp_path):
            return CliRunner().invoke(app, ["checkin", *words], env={"DATABASE_URL": sqlite_url, "COLUMNS": "80"})

    return run


def test_it_says_where_everybody_is(steward: Steward) -> None:
    """The funnel, where people stopped, the answers, the rewards and how many can be reached, in 80 columns."""
    told = steward()
    assert told.exit_code == 0, told.output
    for words in (
        "一共 10 人开始",
        "第 1 天",
        "9/10",
        "毕业    2 人",
        "一天也没打",
        "好几天没有来",
        "绿茶  8 人  100%",
        "一共花了 10元",
        "50%",
        "11月16日这一周",
    ):
        assert words in told.output, words
    assert max(map(cell_len, told.output.splitlines())) <= 80


def test_programs_and_excel_get_the_same(steward: Steward, tmp_path: Path) -> None:
    """--json is all of it; --csv a row a cohort and one for all of them, which Excel opens as Chinese."""
    data = json.loads(steward("newcomer-7", "--json").output)
    assert (data["total"]["began"], data["total"]["graduated"], data["reachable"]) == (10, 2, 5)
    written = steward("newcomer-7", "--csv", "a.csv")
    assert (written.exit_code, "2 期" in written.output) == (0, True)
    content = (tmp_path / "a.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(content.decode("utf-8-sig").splitlines())
    assert head[:3] == ["期（周一）", "开始", "第1天"]
    assert [row[:3] for row in rows] == [["2026-11-16", "7", "6"], ["2026-11-23", "3", "3"], ["合计", "10", "9"]]


def test_another_name_is_told_what_there_is(steward: Steward) -> None:
    """Exit code 2, and the names that the config has."""
    told = steward("newcomer-8")
    assert (told.exit_code, "newcomer-7" in told.output) == (2, True)
