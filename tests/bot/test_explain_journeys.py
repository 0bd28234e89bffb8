"""`steward explain PERSON`: what it says of their check-ins."""

import asyncio
import contextlib
import json
from pathlib import Path

from typer.testing import CliRunner

from bot.cli import app
from store import own_tags, people
from store.database import Database
from tests.bot.travellers import BEGAN, fill


async def prepare(url: str) -> None:
    store = await Database.open(url)
    async with store.write() as tx:
        await fill(tx)
        for number in (0, 2, 5):
            (await people.known_or_new(tx, f"wm{number}")).name = f"客户{number}"
        await own_tags.give(tx, 1, "喜欢绿茶", why="第 2 天：您最常喝哪一种茶？ 绿茶", now=BEGAN)
    await store.close()


def test_it_tells_a_persons_days(sqlite_url: str, tmp_path: Path) -> None:
    """Every day has its mark, with what they answered, what they got, how it stands and the tags we keep of them."""
    asyncio.run(prepare(sqlite_url))

    def told(*words: str) -> str:
        with contextlib.chdir(tmp_path):
            answer = CliRunner().invoke(app, ["explain", *words], env={"DATABASE_URL": sqlite_url, "COLUMNS": "80"})
        assert answer.exit_code == 0, answer.output
        return answer.output

    first = told("wm0")
    for words in ("newcomer-7", "✓✓✓✓✓✓✓", "第 2 天：绿茶", "满 7 天：券已发", "毕业", "喜欢绿茶"):
        assert words in first, words
    assert "✓✓假✓✓✓✓✓" in told("wm2")
    assert "还没有打过" in told("wm5")
    data = json.loads(told("wm2", "--json"))
    assert [day["kind"] for day in data["journeys"]["lines"][0]["days"]][:3] == ["tap", "tap", "leave"]
