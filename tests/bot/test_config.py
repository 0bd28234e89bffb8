"""Reading the config: every mistake is found at once, at its place, in Chinese; and good files mean what they say."""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.config.problems import Problem
from bot.config.read import ConfigError, config_hash, parse_config, read_config
from rules.book import Book

GOLDEN = Path(__file__).parent / "golden"


def complaints(text: str, model: type[BaseModel]) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml", model)
    return caught.value.problems


def said(text: str, model: type[BaseModel]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "c.yaml", model)
    return str(caught.value).splitlines()


# --- values -----------------------------------------------------------------------------------------------------------


class Anything(BaseModel):
    it: Any


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("22:00", "22:00"),
        ("22:00-09:00", "22:00-09:00"),
        ("on", "on"),
        ("yes", "yes"),
        ("否", "否"),
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("007", "007"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".nan", ".nan"),
        ("3%", "3%"),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ("10分钟", "10分钟"),
        ("每周三 20:00", "每周三 20:00"),
        ("VIP·*", "VIP·*"),
        ("[a, 1, {b: c}]", ["a", 1, {"b": "c"}]),
        ("{1: 一, 07: 七}", {"1": "一", "07": "七"}),
        ("|\n  第一行：好\n\n  \t第三行\n", "第一行：好\n\n\t第三行\n"),
    ],
)
def test_values_mean_what_a_manager_thinks(written: str, meant: object) -> None:
    """Times are no numbers of base 60, `on` is a word, ids keep their zeros; numbers and true/false are themselves."""
    assert parse_config(f"it: {written}", "c.yaml", Anything).it == meant


def test_a_good_config_becomes_the_typed_book() -> None:
    """The shape of the guide is read without complaint, by strict models."""
    book = parse_config(
        "managers: [李华]\nshops:\n  静安店: {groups: '*静安*', staff: [王五, 赵六]}\n"
        "groups:\n  vip: VIP·*\nrules:\n  - rule: other_company\n    groups: all\n    then: 移出\n"
        "removal: {remind_after: 10分钟, escalate_after: 1小时}\n",
        "config.yaml",
        Book,
    )
    assert book.managers == ("李华",)
    assert book.shops["静安店"].staff == ("王五", "赵六")
    assert book.rules[0].then == ("remove",)
    assert book.removal.remind_after.total_seconds() == 600


def test_the_version_of_a_config_is_the_hash_of_its_text() -> None:
    """The same text has the same version, another text another."""
    assert config_hash("managers: []") == config_hash("managers: []")
    assert config_hash("managers: []") != config_hash("managers: [ ]")
    assert len(config_hash("")) == 64


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_named_with_its_likely_neighbour(tmp_path: Path) -> None:
    """Where there is no such file, the folder that was searched and a similar name are shown."""
    (tmp_path / "config.yml").touch()
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path / "config.yaml", Book)
    assert str(caught.value).startswith("config.yaml  找不到这个文件")
    assert str(tmp_path) in str(caught.value)
    assert "您是不是想写「config.yml」" in str(caught.value)


def test_a_folder_is_no_config(tmp_path: Path) -> None:
    """What cannot be opened as a file is explained, not raised."""
    with pytest.raises(ConfigError, match="打不开这个文件"):
        read_config(tmp_path, Book)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Files saved by Notepad, mark and line ends included, are read; places in them are right."""
    path = tmp_path / "config.yaml"
    path.write_bytes("\ufeffmanagers: [李华]\r\nx: 1\r\n".encode())
    with pytest.raises(ConfigError) as caught:
        read_config(path, Book)
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(2, 1)]


# --- every kind of mistake that the models can find -------------------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Pay(StrEnum):
    OWNER = "owner"
    DIRECT = "direct"


class Cash(Strict):
    type: Literal["红包"]
    total: int = Field(gt=0, description="总金额。单位是元。")


class Ticket(Strict):
    type: Literal["奖券"]
    text: str = Field(min_length=2, max_length=6)


class Step(Strict):
    do: Literal["提醒", "移出"]
    times: int = 1


class Draw(Strict):
    name: str
    prize: Annotated[Cash | Ticket, Field(discriminator="type")]
    pay_by: Pay = Pay.OWNER
    share: float = Field(default=0.5, ge=0, le=1)
    price: Decimal = Decimal(1)
    open: bool = True
    then: Literal["移出", "提醒"] | tuple[Step, ...] = "移出"
    rewards: dict[int, str] = {}
    days: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)


class Lot(Strict):
    draws: tuple[Draw, ...]


def draw(**changes: str) -> str:
    fields = {"name": "a", "prize": "{type: 红包, total: 1}"} | changes
    return "draws:\n- " + "\n  ".join(f"{name}: {value}" for name, value in fields.items())


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"share": "2"}, "share", "「2」不对：不能大于 1"),
        ({"share": "-0.5"}, "share", "「-0.5」不对：不能小于 0"),
        ({"share": "一半"}, "share", "「一半」不对：应当是一个数字"),
        ({"open": "on"}, "open", "「on」不对：应当写 true（是）或 false（否），不加引号"),
        ({"pay_by": "ownr"}, "pay_by", "可以写 owner、direct。您是不是想写「owner」？"),
        ({"prize": "{type: 红包, total: 0}"}, "prize.total", "应当大于 0"),
        ({"prize": "{type: 红包, total: '5'}"}, "prize.total", "应当是一个整数，不加引号"),
        ({"prize": "{type: 红包, total: 1.5}"}, "prize.total", "应当是一个整数"),
        ({"prize": "{type: 红包}"}, "prize.total", "缺少「total」（总金额）"),
        ({"prize": "{total: 1}"}, "prize.type", "缺少「type」：可以写 红包、奖券"),
        ({"prize": "{type: 红色包}"}, "prize.type", "可以写 红包、奖券。您是不是想写「红包」？"),
        ({"prize": "{type: 奖券, text: 一}"}, "prize.text", "太短，至少要 2 个字"),
        ({"prize": "{type: 奖券, text: 一二三四五六七}"}, "prize.text", "太长，最多 6 个字"),
        ({"prize": "{type: 奖券, text: 两个字, totl: 1}"}, "prize.totl", "不认识「totl」：这里可以写 type、text"),
        ({"prize": "红包"}, "prize", "应当是一组「名称: 值」"),
        ({"then": "移走"}, "then", "「移走」不是可用的值：可以写 移出、提醒。您是不是想写「移出」？"),
        ({"then": "[{do: 提醒, tims: 2}]"}, "then[0].tims", "您是不是想写「times」？"),
        ({"then": "[{do: 踢}]"}, "then[0].do", "「踢」不是可用的值：可以写 提醒、移出"),
        ({"rewards": "{一: 糖}"}, "rewards.一", "名称「一」不对：应当是一个整数"),
        ({"rewards": "{1: 2}"}, "rewards.1", '应当是文字：请加引号，写成 "2"'),
        ({"days": "[]"}, "days", "至少要有 1 项"),
        ({"days": "[1, 2, 3]"}, "days", "最多只能有 2 项"),
        ({"price": "很贵"}, "price", "应当是一个数字"),
    ],
)
def test_each_kind_of_mistake_has_its_own_words(changes: dict[str, str], path: str, words: str) -> None:
    """One mistake gives one problem, at its path, in words that say what to write instead."""
    (line,) = said(draw(**changes), Lot)
    assert f"  draws[0].{path}  " in line
    assert words in line


def test_the_place_is_that_of_the_value_or_of_the_unknown_name() -> None:
    """Line and column count from 1 and point at what has to be changed."""
    text = draw(share="2", prize="{type: 红包, total: 1, x: 2}")
    assert [(problem.line, problem.column, problem.value) for problem in complaints(text, Lot)] == [
        (3, 31, "x"),
        (4, 10, "2"),
    ]


class Crosschecked(Strict):
    names: tuple[str, ...]
    nested: dict[str, int] = {}

    @model_validator(mode="after")
    def _points_inside(self) -> "Crosschecked":
        if self.names == ("one",):
            raise PydanticCustomError("doubled", "「one」不够", {"at": ("names", 0)})
        if self.names == ("many",):
            error = PydanticCustomError("doubled", "不能这样")
            places: list[tuple[str | int, ...]] = [("names", 0), ("nested", "键")]
            raise ValidationError.from_exception_data("", [{"type": error, "loc": at, "input": 0} for at in places])
        if self.names == ("plain",):
            raise ValueError("整体不对。")
        return self


def test_a_validator_of_ours_can_point_at_a_place_inside() -> None:
    """`at` in a custom error, or several located errors at once, lead to the right line; plain errors to the top."""
    assert said("x: 1\nnames: [one]", Crosschecked)[0].startswith("c.yaml:1:1  x")
    assert said("nested: {}\nnames: [one]", Crosschecked) == ["c.yaml:2:9  names[0]  「one」不对：「one」不够。"]
    many = said("nested:\n  键: 1\nnames: [many]", Crosschecked)
    assert many == ["c.yaml:2:6  nested.键  「1」不对：不能这样。", "c.yaml:3:9  names[0]  「many」不对：不能这样。"]
    assert said("names: [plain]", Crosschecked) == ["c.yaml:1:1  整体不对。"]


def test_no_english_of_the_libraries_reaches_a_manager() -> None:
    """An error type that nobody foresaw still gets a Chinese sentence."""

    class Odd(Strict):
        it: Annotated[str, Field(pattern="^a$")] | None = None
        when: bytes = b""

    for line in said("it: b\nwhen: 3", Odd):
        assert "Input" not in line
        assert "不对" in line


# --- a wrong config never takes the bot down --------------------------------------------------------------------------

SAMPLE = (Path(__file__).parent / "golden" / "30-many-at-once.yaml").read_text(encoding="utf-8")


def survives(text: str) -> None:
    problems: list[Problem] | None = None
    try:
        parse_config(text, "c.yaml", Book)
    except ConfigError as error:
        problems = error.problems
    assert problems != []
    for problem in problems or ():
        assert problem.line <= text.count("\n") + 1
        assert problem.column >= (1 if problem.line else 0)
        assert any("\u4e00" <= letter <= "\u9fff" for letter in problem.reason)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=" \t\n-:：[]{},，'\"#&*!|>%@`?<~.a1李", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever stands in the file, the answer is a book or a list of problems inside the file, never another error."""
    survives(text)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(SAMPLE)),
    st.integers(0, 3),
    st.sampled_from([*" \t\n-:：[]{},，'\"#&*!|>%@`?<~", "\u3000", "\x00"]),
)
def test_any_slip_of_the_pen_is_read_or_refused(at: int, deleted: int, inserted: str) -> None:
    """A few characters lost and one too many, anywhere: the same."""
    survives(SAMPLE[:at] + inserted + SAMPLE[at + deleted :])


@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000, "a: [" + "[" * 60 + "]" * 60 + "]"])
def test_absurd_nesting_is_refused(text: str) -> None:
    """Depth does not bring the reader down either."""
    with pytest.raises(ConfigError, match="嵌套太深"):
        parse_config(text, "c.yaml", Anything)
