"""Pressing buttons, response codes, and message/update_template_card."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import ImpossibleError

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

UPDATE = "message/update_template_card"


def _update(desk: "Desk", code: str, *userids: str, **more: Any) -> "Json":
    body = {"userids": list(userids), "agentid": desk.world.agent_id, "response_code": code}
    return body | {"button": {"replace_name": "已移出"}} | more


async def test_buttons_are_replaced_for_those_named(desk: "Desk", removal_card: "Json") -> None:
    """The named ones see the text in place of the buttons, the others still have them; no callback tells of it."""
    code = (await desk.send_card("lihua|wangwu", removal_card))["response_code"]
    answer = await desk.post(UPDATE, _update(desk, code, "lihua", "nobody"))
    assert (answer["errcode"], answer["invaliduser"]) == (0, ["nobody"])
    [mine], [other] = desk.world.inbox("lihua"), desk.world.inbox("wangwu")
    assert (mine.replaced, mine.buttons) == ("已移出", [])
    assert (other.replaced, len(other.buttons)) == (None, 3)
    await desk.world.run_due()
    assert desk.ear.heard == []


async def test_a_code_is_used_once(desk: "Desk", removal_card: "Json") -> None:
    """The second use of a response code is refused (42022), an unknown one too (42016)."""
    code = (await desk.send_card("lihua", removal_card))["response_code"]
    assert (await desk.post(UPDATE, _update(desk, code, "lihua")))["errcode"] == 0
    assert (await desk.post(UPDATE, _update(desk, code, "lihua")))["errcode"] == 42022
    assert (await desk.post(UPDATE, _update(desk, "made-up", "lihua")))["errcode"] == 42016


async def test_a_code_lives_72_hours(desk: "Desk", removal_card: "Json") -> None:
    """A second before it works, at 72 hours it does not; a press brings a fresh one."""
    code = (await desk.send_card("lihua|wangwu", removal_card))["response_code"]
    desk.clock.advance(timedelta(hours=72))
    assert (await desk.post(UPDATE, _update(desk, code, "lihua")))["errcode"] == 42016
    fresh = desk.world.press("lihua", "case-1", "later")
    desk.clock.advance(timedelta(hours=71, minutes=59, seconds=59))
    assert (await desk.post(UPDATE, _update(desk, fresh, "lihua")))["errcode"] == 0


async def test_a_press_brings_a_code_for_everybody(desk: "Desk", removal_card: "Json") -> None:
    """The ResponseCode of one person's press updates the card of all of them (atall)."""
    await desk.send_card("lihua|wangwu", removal_card)
    desk.world.press("lihua", "case-1", "removed")
    await desk.world.run_due()
    [event] = desk.ear.heard
    code = event.findtext("ResponseCode", "")
    assert (await desk.post(UPDATE, _update(desk, code, atall=1)))["errcode"] == 0
    assert [desk.world.inbox(each)[0].replaced for each in ("lihua", "wangwu")] == ["已移出", "已移出"]


async def test_a_card_can_be_swapped(desk: "Desk", removal_card: "Json") -> None:
    """With template_card the whole card is another one, under the same task_id, and can be pressed again."""
    code = (await desk.send_card("lihua", removal_card))["response_code"]
    other = {key: value for key, value in removal_card.items() if key != "task_id"}
    other["button_list"] = [{"text": "知道了", "key": "ok"}]
    body = _update(desk, code, "lihua", template_card=other)
    del body["button"]
    assert (await desk.post(UPDATE, body))["errcode"] == 0
    assert [each.text for each in desk.world.inbox("lihua")[0].buttons] == ["知道了"]
    desk.world.press("lihua", "case-1", "ok")


async def test_a_refused_update_spends_no_code(desk: "Desk", removal_card: "Json") -> None:
    """Nobody named 40063, wrong app 40056, nothing to show 42020; the code is still good afterwards."""
    code = (await desk.send_card("lihua", removal_card))["response_code"]
    assert (await desk.post(UPDATE, _update(desk, code)))["errcode"] == 40063
    assert (await desk.post(UPDATE, _update(desk, code, "lihua", agentid=1)))["errcode"] == 40056
    assert (await desk.post(UPDATE, _update(desk, code, "lihua", button={})))["errcode"] == 42020
    assert (await desk.post(UPDATE, _update(desk, code, "lihua")))["errcode"] == 0


async def test_what_cannot_be_pressed(desk: "Desk", removal_card: "Json") -> None:
    """No such card, no such button, no such option, or buttons that were replaced: ImpossibleError, no event."""
    code = (await desk.send_card("lihua", removal_card))["response_code"]
    with pytest.raises(ImpossibleError, match="没有收到过"):
        desk.world.press("wangwu", "case-1", "removed")
    with pytest.raises(ImpossibleError, match="没有这个按钮"):
        desk.world.press("lihua", "case-1", "no-such")
    await desk.post(UPDATE, _update(desk, code, "lihua"))
    with pytest.raises(ImpossibleError, match="已移出"):
        desk.world.press("lihua", "case-1", "removed")
    await desk.world.run_due()
    assert desk.ear.heard == []


@pytest.mark.parametrize("tag", ["OptionIds", "OpitonIds"])
async def test_the_chosen_option_comes_with_the_press(desk: "Desk", removal_card: "Json", tag: Any) -> None:
    """SelectedItems names question and option, in both spellings; without a choice it is the first option."""
    desk.world.callbacks.option_ids_tag = tag
    options = [{"id": "all", "text": "全部"}, {"id": "p1", "text": "孙强"}]
    selection = {"question_key": "choice", "title": "谁", "option_list": options}
    await desk.send_card("lihua", removal_card | {"button_selection": selection})
    desk.world.press("lihua", "case-1", "removed")
    desk.world.press("lihua", "case-1", "removed", {"choice": ["p1"]})
    with pytest.raises(ImpossibleError, match="没有这个选项"):
        desk.world.press("lihua", "case-1", "removed", {"choice": ["p9"]})
    await desk.world.run_due()
    path = f"SelectedItems/SelectedItem/{tag}/OptionId"
    assert [each.findtext(path) for each in desk.ear.heard] == ["all", "p1"]
    assert desk.ear.heard[0].findtext("SelectedItems/SelectedItem/QuestionKey") == "choice"
    assert desk.ear.heard[0].findtext("FromUserName") == "lihua"
    assert desk.ear.heard[0].findtext("EventKey") == "removed"
    assert desk.ear.heard[0].findtext("CardType") == "button_interaction"
