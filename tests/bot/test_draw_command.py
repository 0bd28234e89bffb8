"""`steward draw`: what took place, the file that proves it, and checking that file."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli import app
from store.database import Database
from tests.handlers.fair import FRIDAY, Fair, book_with, settings

RUN = CliRunner()


def _file(folder: Path, data: Any) -> str:
    path = folder / "draw.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return str(path)


@pytest.fixture
async def drawn(sqlite_url: str) -> dict[str, Any]:
    """A draw that has taken place in the database of this test; its file."""
    store = await Database.open(sqlite_url)
    try:
        fair = Fair(store, book_with(settings(enter="全员")))
        await fair.open(people=tuple(f"wm{number}" for number in range(9)))
        await fair.until(FRIDAY)
        return (await fair.proof()).model_dump()
    finally:
        await store.close()


async def test_a_true_file_ends_well(drawn: dict[str, Any], tmp_path: Path) -> None:
    """Exit code 0, every step said, and the same for programs."""
    path = _file(tmp_path, drawn)
    answer = RUN.invoke(app, ["draw", "verify", path])
    assert answer.exit_code == 0, answer.output
    assert "3 位中奖人和金额都对" in answer.output
    assert "没有问题" in answer.output
    data = json.loads(RUN.invoke(app, ["draw", "verify", path, "--json"]).output)
    assert data["ok"] is True
    assert all(step["ok"] for step in data["steps"])


@pytest.mark.parametrize("part", ["seed", "entrants", "winners"])
async def test_one_byte_is_told_with_its_place(drawn: dict[str, Any], tmp_path: Path, part: str) -> None:
    """Exit code 1, and where it is, whether in the seed, the list or the result."""
    changed: dict[str, tuple[Any, str]] = {
        "seed": (("1" if drawn["seed"][0] != "1" else "2") + drawn["seed"][1:], "seed"),
        "entrants": (["0" * 20, *drawn["entrants"][1:]], "entrants[0]"),
        "winners": ([{**drawn["winners"][0], "amount": 501}, *drawn["winners"][1:]], "winners[0].amount"),
    }
    value, place = changed[part]
    path = _file(tmp_path, {**drawn, part: value})
    answer = RUN.invoke(app, ["draw", "verify", path])
    assert answer.exit_code == 1
    assert place in answer.output
    data = json.loads(RUN.invoke(app, ["draw", "verify", path, "--json"]).output)
    assert data["ok"] is False
    assert place in [step["place"] for step in data["steps"] if not step["ok"]]


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    """No such file, no JSON, no text: exit code 2, with the place where there is one."""
    missing = RUN.invoke(app, ["draw", "verify", str(tmp_path / "none.json")])
    assert (missing.exit_code, "打不开" in missing.output) == (2, True)
    broken = RUN.invoke(app, ["draw", "verify", _file(tmp_path, '{"a": 1,\n "b": }')])
    assert (broken.exit_code, ":2:7" in broken.output) == (2, True)
    (tmp_path / "draw.json").write_bytes(b'{"a": "\xff"}')
    binary = RUN.invoke(app, ["draw", "verify", str(tmp_path / "draw.json")])
    assert (binary.exit_code, "第 8 个字节" in binary.output) == (2, True)


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `steward` finds this test's database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    return tmp_path


async def test_looks_into_the_database(drawn: dict[str, Any], here: Path) -> None:
    """`list`, `show` and `proof` say what took place; what there is no more of is refused."""
    import asyncio

    async def run(*words: str) -> tuple[int, str]:
        answer = await asyncio.to_thread(RUN.invoke, app, ["draw", *words])
        return answer.exit_code, answer.output

    code, said = await run("list")
    assert (code, "friday" in said, "9 人参加，3 人中奖" in said) == (0, True, True)
    code, said = await run("show", "friday")
    assert (code, "主办方" in said, said.count("还没领")) == (0, True, 3)
    code, said = await run("proof", "friday")
    assert (code, "friday-1.json" in said) == (0, True)
    code, said = await run("verify", str(here / "friday-1.json"))
    assert code == 0, said
    assert json.loads((here / "friday-1.json").read_text(encoding="utf-8")) == json.loads(json.dumps(drawn))
    code, said = await run("cancel", "friday")
    assert (code, "不能取消" in said) == (2, True)
    code, said = await run("show", "nothing")
    assert (code, "没有叫" in said) == (2, True)


async def test_cancel_gives_the_money_back(sqlite_url: str, here: Path) -> None:
    """A draw without winners is cancelled once, with its reason, and its money is free again."""
    import asyncio

    store = await Database.open(sqlite_url)
    try:
        fair = Fair(store, book_with(settings()))
        await fair.open(people=("wm1",))
        await fair.calendar()
        words = ["draw", "cancel", "friday", "--because", "门店装修"]
        answer = await asyncio.to_thread(RUN.invoke, app, words)
        assert answer.exit_code == 0, answer.output
        row = await fair.draw()
        assert (row.state, row.because) == ("cancelled", "门店装修")
        assert (await fair.month()).free == 500_000
    finally:
        await store.close()
