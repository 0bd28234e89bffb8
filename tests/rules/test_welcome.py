"""Welcomes in the config: what fits, which group gets which, and the words about them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules import native_controls
from rules.facts import Group
from rules.native_controls import CONTROLS, month_of, next_check, say_check
from rules.welcome import Welcome, say_attach, say_missing


def welcome(**settings: Any) -> Welcome:
    return Welcome.model_validate(settings)


def reasons(**settings: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        welcome(**settings)
    return "；".join(each["msg"] for each in refused.value.errors())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("好" * 1000, None, id="3,000 bytes fit"),
        pytest.param("%NICKNAME% 欢迎", None, id="the nickname stays"),
        pytest.param("好" * 1001, "超出 3 字节", id="one character over"),
        pytest.param("a" * 3000 + "😀", "超出 4 字节", id="an emoji over"),
        pytest.param("  ", "欢迎语是空的", id="nothing but blanks"),
    ],
)
def test_a_group_text_has_3000_bytes(text: str, says: str | None) -> None:
    """Bytes of UTF-8 are counted, and the error says how many are over."""
    if says is None:
        assert welcome(group=[{"text": text}]).group[0].text == text
    else:
        assert says in reasons(group=[{"text": text}])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("好" * 1333 + "a", None, id="4,000 bytes fit"),
        pytest.param("好" * 1334, "超出 2 字节", id="over"),
        pytest.param("全场 5% 优惠，100%", None, id="percents are no placeholders"),
        pytest.param("%NICKNAME% 你好", "%NICKNAME% 不会被替换", id="a placeholder that nobody fills in"),
    ],
)
def test_a_contact_text_is_plain_and_has_4000_bytes(text: str, says: str | None) -> None:
    """What the platform would send as it stands is refused before a customer sees it."""
    if says is None:
        assert welcome(contact={"text": text}).contact is not None
    else:
        assert says in reasons(contact={"text": text})


def test_two_texts_cannot_be_the_same_one() -> None:
    """A text is known by its name, or by its groups: two of one name would take each other's template."""
    twice: list[dict[str, Any]] = [{"groups": "vip", "text": "甲"}, {"groups": ["vip"], "text": "乙"}]
    assert "都叫「vip」" in reasons(group=twice)
    named = [twice[0], {**twice[1], "name": "第二段"}]
    assert [each.title for each in welcome(group=named).group] == ["vip", "第二段"]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("VIP·王女士", "vip", "vip"),
        ("会员静安1群", "members", "静安"),
        ("会员徐汇1群", "members", "others"),
        ("闲聊", "other", "others"),
    ],
)
def test_the_first_that_covers_a_group_is_its_own(name: str, kind: str, expected: str) -> None:
    """Kinds and patterns, in the order written."""
    book = welcome(
        group=[
            {"groups": "vip", "text": "甲"},
            {"name": "静安", "groups": "*静安*", "text": "乙"},
            {"name": "others", "text": "丙"},
        ]
    )
    found = book.of_group(Group(chat_id="wr1", name=name, kind=kind, owner="wangwu"))
    assert found is not None
    assert found.title == expected


def test_a_group_that_no_text_covers_has_none() -> None:
    """Nobody is asked to attach anything to it."""
    group = Group(chat_id="wr1", name="闲聊", kind="other", owner="wangwu")
    assert welcome(group=[{"groups": "vip", "text": "甲"}]).of_group(group) is None


def test_the_owner_reads_how_to_attach_it() -> None:
    """Group, clicks and the beginning of the text by which it is known in the list."""
    said = say_attach("会员1群", "欢迎  新朋友！\n本群每天早上八点有茶")
    assert "「会员1群」" in said
    assert "「欢迎 新朋友！ 本群每天…」" in said
    assert "入群欢迎语" in said


def test_the_managers_read_whose_groups_have_none() -> None:
    """By owner, those with the most first; a long list is cut and says how many there are."""
    said = say_missing({"王五": ["甲群"], "赵六": ["乙群", "丙群"]})
    assert said.index("赵六：「乙群」、「丙群」") < said.index("王五：「甲群」")
    many = say_missing({"王五": [f"{n}群" for n in range(30)]})
    assert "这 30 个群" in many
    assert "「19群」" in many
    assert "「20群」" not in many


# --- native controls --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param("2026-11-22 00:00", "2026-12-01 02:00", id="a Tuesday the first"),
        pytest.param("2026-12-01 01:59", "2026-12-01 02:00", id="a minute before"),
        pytest.param("2026-12-01 02:00", "2027-01-01 02:00", id="at the minute: the next"),
        pytest.param("2026-07-31 20:00", "2026-08-03 02:00", id="a Saturday the first: the Monday after, in Beijing"),
        pytest.param("2026-10-31 20:00", "2026-11-02 02:00", id="a Sunday the first"),
        pytest.param("2026-11-01 05:00", "2026-11-02 02:00", id="on that Sunday"),
        pytest.param("2026-12-31 17:00", "2027-01-01 02:00", id="the year turns in Beijing"),
    ],
)
def test_the_managers_are_asked_in_the_first_working_hours_of_a_month(now: str, expected: str) -> None:
    """Ten o'clock in Beijing on the first Monday to Friday."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_check(moment) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_the_month_is_beijings() -> None:
    """What is asked at the turn of a month belongs to the month that people are in."""
    assert month_of(datetime(2026, 11, 30, 16, 0, tzinfo=UTC)) == "2026-12"


def test_every_control_has_its_clicks() -> None:
    """Names by which they are confirmed are told apart, and the monthly list names all of them."""
    assert len({each.name for each in CONTROLS}) == len(CONTROLS)
    said = say_check()
    for each in native_controls.CONTROLS:
        assert each.name in said
        assert each.clicks.rstrip("。") in said
    assert "。。" not in said
