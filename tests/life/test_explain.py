"""What `steward explain` tells of a life that was lived: of its cases, people and groups."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.explain.stories import CaseFile, GroupStory, PersonStory, Story
from bot.explain.tell import NotFoundError, find, tell
from bot.prune import prune
from rules.book import Book
from simulator import Customer, World
from tests.life.conftest import Life, StartLife

SECONDS, MINUTES = timedelta(seconds=1), timedelta(minutes=1)
BOOK = Book.model_validate({"managers": ["李华"], "rules": [{"rule": "other_company", "name": "不要外人"}]})


@dataclass
class Told:
    """A shop where things have happened, and somebody who asks about them."""

    life: Life
    group: str

    @property
    def world(self) -> World:
        return self.life.world

    async def story(self, typed: str) -> Story:
        async with self.life.bot.store.read() as tx:
            [found] = await find(tx, typed)
            return await tell(tx, found)

    async def enters(self, name: str, wait: timedelta = 5 * SECONDS) -> Customer:
        rival = self.world.add_rival(name, "对手公司")
        self.world.join(self.group, rival)
        await self.life.run(wait)
        return rival

    def press(self, button: str, by: str = "wangwu") -> None:
        card = [each for each in self.world.inbox(by) if each.kind == "card"][-1]
        self.world.press(by, card.task_id or "", button)


@pytest.fixture
async def told(start_life: StartLife) -> AsyncIterator[Told]:
    async with start_life(BOOK) as life:
        life.world.add_staff("lihua", "李华")
        life.world.add_staff("wangwu", "王五")
        life.world.add_staff("zhaoliu", "赵六")
        group = life.world.create_group("静安1群", owner="wangwu", admins=["zhaoliu"])
        await life.bot.read_roster("start")
        await life.run(10 * SECONDS)
        yield Told(life, group.chat_id)


async def test_a_case_is_told_from_its_opening_to_its_evidence(told: Told) -> None:
    """Who was asked, who was reminded, who pressed what, how it closed and on what evidence: in that order."""
    rival = await told.enters("张三", wait=12 * MINUTES)
    told.press("removed", by="zhaoliu")
    told.world.remove(told.group, rival, by="zhaoliu")
    await told.life.run(MINUTES)
    file = await told.story("#1")
    assert isinstance(file, CaseFile)
    said = [moment.what for moment in file.case.timeline]
    expected = ["开案：编号以 wo 开头", "卡片发给 王五、赵六", "提醒 王五、赵六", "赵六 按了「已移出」", "结案：已移出"]
    assert [what[: len(begins)] for what, begins in zip(said[:5], expected, strict=True)] == expected
    assert "QuitScene 1" in file.case.closed_on
    assert "赵六 按过" in file.case.closed_on
    assert [(each.rule, each.verdict, each.evidence) for each in file.answers] == [("不要外人", "hit", "strong")]
    assert file.answers[0].actions[0] == "ask_for_removal"


async def test_a_press_after_the_end_is_told_too(told: Told) -> None:
    """Who removes first and presses then is on record, though the case was closed by the roster before the press."""
    rival = await told.enters("张三")
    told.world.remove(told.group, rival, by="wangwu")
    told.press("removed")
    await told.life.run(MINUTES)
    file = await told.story("1")
    assert isinstance(file, CaseFile)
    assert any(moment.what == "王五 按了「已移出」" for moment in file.case.timeline)


async def test_what_is_past_keeping_is_told_without_its_words(told: Told) -> None:
    """Months later the messages are forgotten: that there was a card, a reminder and a report is told all the same."""
    rival = await told.enters("张三", wait=120 * MINUTES)
    told.world.remove(told.group, rival, by="zhaoliu")
    await told.life.run(MINUTES)
    await prune(told.life.bot.store, told.life.clock.now() + timedelta(days=100))
    file = await told.story("1")
    assert isinstance(file, CaseFile)
    said = [moment.what for moment in file.case.timeline]
    past = "（内容已过保存期）"
    assert said[0].startswith("开案")
    assert said[1:4] == [f"安排过{what}{past}" for what in ("卡片", "消息", "卡片")]
    assert any(what.startswith("结案：已移出") for what in said)


async def test_what_was_not_delivered_is_told(told: Told) -> None:
    """A card that did not reach somebody says whom."""
    told.world.staff["zhaoliu"].visible = False
    await told.enters("张三")
    file = await told.story("1")
    assert isinstance(file, CaseFile)
    assert any("没有送到 赵六" in moment.what for moment in file.case.timeline)


async def test_a_person_is_told_with_groups_cases_releases_and_every_answer(told: Told) -> None:
    """Groups now and before, the contact's record, who released them and when, and what each rule said, hit or miss."""
    rival = await told.enters("张三")
    told.press("release")
    await told.life.run(5 * SECONDS)
    told.world.leave(told.group, rival)
    other = told.world.create_group("静安2群", owner="wangwu")
    told.world.join(other, rival)
    told.world.make_contact("wangwu", rival)
    await told.life.run(MINUTES)
    story = await told.story("张三")
    assert isinstance(story, PersonStory)
    assert [(stay.group, stay.left_at is None) for stay in story.stays] == [("静安2群", True), ("静安1群", False)]
    assert (story.account, story.company) == ("wecom", "对手公司")
    assert [(each.by, each.rule, each.case) for each in story.releases] == [("王五", "不要外人", 1)]
    assert [(each.number, each.outcome) for each in story.cases] == [(1, "released")]
    verdicts = {(each.group, each.verdict): each.because for each in story.answers}
    assert verdicts.keys() >= {("静安1群", "hit"), ("静安2群", "miss")}
    assert "王五 已放行" in verdicts["静安2群", "miss"]


async def test_what_is_said_again_and_again_is_told_once(told: Told) -> None:
    """Somebody who is asked about every day has one answer with a count, not thirty."""
    await told.enters("张三")
    await told.life.stride(timedelta(hours=30), 20)
    story = await told.story("张三")
    assert isinstance(story, PersonStory)
    [answer] = story.answers
    assert answer.times > 4
    assert answer.last_at - answer.at > timedelta(days=1)


async def test_a_group_is_told_with_its_people_and_cases(told: Told) -> None:
    """Owner, admins, how many are in it, when it was read, open cases first, and what was decided lately."""
    await told.enters("张三")
    await told.enters("李四", wait=2 * MINUTES)
    told.world.join(told.group, told.world.add_customer("顾客"))
    await told.life.run(5 * SECONDS)
    story = await told.story("静安1群")
    assert isinstance(story, GroupStory)
    assert (story.owner, story.admins, story.members) == ("王五", ("赵六",), 3)
    assert {case.person for case in story.cases} == {"张三", "李四"}
    assert {(each.person, each.verdict) for each in story.answers} == {
        ("张三", "hit"),
        ("李四", "hit"),
        ("顾客", "miss"),
    }
    assert story.read_at is not None
    assert story.version == told.world.group_now(told.group).version


async def test_a_name_that_several_bear_is_not_guessed(told: Told) -> None:
    """Two people of one name are both offered, with the ids that tell them apart."""
    first, second = await told.enters("张三"), await told.enters("张三")
    async with told.life.bot.store.read() as tx:
        assert {each.id for each in await find(tx, "张三")} == {first.id, second.id}
        assert [each.id for each in await find(tx, first.id)] == [first.id]


@pytest.mark.parametrize(
    ("typed", "says", "meant"),
    [
        ("静安", "没有叫「静安」", ("静安1群",)),
        ("张四", "没有叫「张四」", ("张三",)),
        ("7", "最新的是 #1", ()),
        ("王五", "自己的同事", ()),
    ],
)
async def test_what_is_unknown_is_met_with_what_was_perhaps_meant(
    told: Told, typed: str, says: str, meant: tuple[str, ...]
) -> None:
    """A slip of the hand is answered with the nearest name; a colleague with why no rule ever asked about them."""
    await told.enters("张三")
    async with told.life.bot.store.read() as tx:
        with pytest.raises(NotFoundError) as refused:
            await find(tx, typed)
    assert says in str(refused.value)
    assert refused.value.meant == meant


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def steward(start_life: StartLife, sqlite_url: str, tmp_path: Path) -> Any:
    """`steward("explain", "1")` in an installation where 张三 is in 静安1群 and 王五 has been asked to remove them."""

    async def live() -> None:
        async with start_life(BOOK) as life:
            life.world.add_staff("wangwu", "王五")
            group = life.world.create_group("静安1群", owner="wangwu")
            await life.bot.read_roster("start")
            await life.run(10 * SECONDS)
            life.world.join(group, life.world.add_rival("张三", "对手公司"))
            await life.run(5 * SECONDS)

    asyncio.run(live())

    def run(*words: str) -> Result:
        with contextlib.chdir(tmp_path):  # there is no .env here
            return CliRunner().invoke(app, list(words), env={"DATABASE_URL": sqlite_url, "COLUMNS": "80"})

    return run


@pytest.mark.parametrize("typed", ["1", "张三", "静安1群"])
def test_a_story_fits_into_80_columns_and_says_what_next(steward: Any, typed: str) -> None:
    """Chinese takes two columns a character: no line is longer than a terminal, and the last one says what to do."""
    told = steward("explain", typed)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert "下一步" in told.output
    assert "编号以 wo 开头" in told.output


@pytest.mark.parametrize(("words", "code"), [(["1"], 0), (["张三"], 0), (["王二麻子"], 1), (["99"], 1)])
def test_what_is_told_can_be_read_by_programs(steward: Any, words: list[str], code: int) -> None:
    """--json is one JSON object with a kind, also where nothing was found; the exit code says which."""
    told = steward("explain", *words, "--json")
    assert told.exit_code == code
    assert '"kind"' in told.output
    assert "下一步" not in told.output


def test_the_status_of_a_shop(steward: Any) -> None:
    """Open cases with what comes next; exit code 0 where nothing was given up."""
    told = steward("status")
    assert told.exit_code == 0, told.output
    assert "张三 在「静安1群」；还没移出就提醒" in told.output
    assert max(map(cell_len, told.output.splitlines())) <= 80
