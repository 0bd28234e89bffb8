"""The words of the cards: what somebody reads who has ten seconds for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rules.removal import PEOPLE_A_CARD, Suspect, how_joined, say_closed, say_escalation, say_reminder, write_card

AT_NOON = datetime(2026, 11, 23, 4, 5, tzinfo=UTC)


def suspect(number: int = 12, **given: Any) -> Suspect:
    known: dict[str, Any] = {
        "case_id": number,
        "external_userid": f"wo{number}",
        "name": f"张三{number}",
        "company": "对手茶业有限公司",
        "joined_at": AT_NOON,
        "join_scene": 3,
        "invited_by": "",
        "because": "联系人资料显示是「对手茶业有限公司」的企业微信用户",
        "doubt": "",
    }
    return Suspect(**{**known, **given})


def test_a_card_says_who_it_is_about() -> None:
    """Name, company, group, when and how they came, the number of the case, and why."""
    card = write_card("静安茶友1群", (suspect(),))
    assert card.title == "请移出「张三12」"
    assert card.description == "#12"
    assert [(line.label, line.value) for line in card.lines] == [
        ("群", "静安茶友1群"),
        ("公司", "对手茶业有限公司"),
        ("进群", "11-23 12:05 扫码进群"),
    ]
    assert "对手茶业有限公司" in card.text
    assert [(button.key, button.text) for button in card.buttons] == [
        ("removed", "已移出"),
        ("release", "误判，放行"),
        ("later", "稍后"),
    ]
    assert card.choices == ()


def test_a_card_about_several_lets_choose() -> None:
    """One line and one choice for each person, and one choice for all; never more lines than a card has."""
    people = tuple(suspect(number) for number in range(1, PEOPLE_A_CARD + 1))
    card = write_card("静安茶友1群", people)
    assert card.title == "请移出 5 个人"
    assert [choice.id for choice in card.choices] == ["all", "1", "2", "3", "4", "5"]
    assert len(card.lines) == 6


def test_who_came_back_is_named() -> None:
    """A card about somebody who was removed before says so."""
    assert "被移出后又回来" in write_card("群", (suspect(times=2),)).text


@pytest.mark.parametrize(
    ("scene", "inviter", "words"),
    [
        (3, "", "11-23 12:05 扫码进群"),
        (2, "", "11-23 12:05 点邀请链接"),
        (1, "", "11-23 12:05 被直接邀请"),
        (1, "赵六", "11-23 12:05 由 赵六 邀请"),
        (9, "", "11-23 12:05 进群"),
        (None, "", "11-23 12:05 进群"),
    ],
)
def test_how_somebody_came_is_told(scene: int | None, inviter: str, words: str) -> None:
    """In Beijing time, by whom where known; a scene that we do not know says nothing."""
    assert how_joined(AT_NOON, scene, inviter) == words


def test_a_finished_card_says_how_it_ended() -> None:
    """One word where all ended alike."""
    assert say_closed(["removed"]) == "已移出"
    assert say_closed(["removed", "removed"]) == "已移出"
    assert say_closed(["removed", "released"]) == "全部处理完毕"
    assert say_closed(["left"]) == "已自行退群"


def test_reminders_speak_of_minutes() -> None:
    """Nobody wants to read seconds."""
    text = say_reminder("#1「张三」", "静安1群", timedelta(minutes=10, seconds=3))
    assert "已等了10分钟。" in text


def test_an_escalation_says_who_was_asked_or_why_nobody_was() -> None:
    """Managers learn whether somebody sleeps, cannot be reached, or does not exist."""
    hour = timedelta(hours=1)
    assert "已请王五移出，1小时没有处理" in say_escalation("#1「张三」", "群", ("王五",), hour, delivered=True)
    assert "卡片没能发给王五" in say_escalation("#1「张三」", "群", ("王五",), hour, delivered=False)
    assert "没有人可以问" in say_escalation("#1「张三」", "群", (), hour, delivered=False)
