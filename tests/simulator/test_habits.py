"""How staff answer cards, on virtual time."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.groups import Group
    from simulator.habits import HabitName
    from simulator.people import Customer
    from tests.simulator.conftest import Desk, Json

AFTER = timedelta(seconds=40)


def _poached(desk: "Desk") -> "tuple[Group, Customer]":
    """静安1群 of 王五 with a rival inside."""
    group = desk.world.create_group("静安1群", "wangwu")
    rival = desk.world.add_rival("孙强", "隔壁茶业")
    desk.world.join(group, rival)
    return group, rival


@pytest.mark.parametrize(
    ("deed", "gone", "key"),
    [
        ("removes_and_presses", True, "removed"),
        ("removes_without_pressing", True, None),
        ("presses_without_removing", False, "removed"),
        ("says_mistake", False, "mistake"),
        ("says_later", False, "later"),
        ("ignores", False, None),
    ],
)
async def test_each_deed(desk: "Desk", removal_card: "Json", deed: "HabitName", gone: bool, key: str | None) -> None:
    """Each does what its name says, `after` its time and not before."""
    group, rival = _poached(desk)
    desk.world.staff["wangwu"].does(deed, after=AFTER)
    await desk.send_card("wangwu", removal_card)
    desk.clock.advance(AFTER - timedelta(milliseconds=1))
    await desk.world.run_due()
    assert rival.id in group.members
    assert desk.ear.kinds() == ["create", "add_member"]
    await desk.until_quiet()
    assert (rival.id not in group.members) is gone
    presses = [each.findtext("EventKey") for each in desk.ear.heard if each.findtext("Event") == "template_card_event"]
    assert presses == ([key] if key else [])


async def test_the_deeds_come_one_after_the_other(desk: "Desk", removal_card: "Json") -> None:
    """says_later, then removes_and_presses: the reminder is what brings the second."""
    group, rival = _poached(desk)
    desk.world.staff["wangwu"].does("says_later", "removes_and_presses", after=AFTER)
    await desk.send_card("wangwu", removal_card)
    await desk.until_quiet()
    assert rival.id in group.members
    await desk.send_text("wangwu", "提醒：还有 1 张卡片")
    await desk.until_quiet()
    assert rival.id not in group.members
    assert desk.ear.kinds()[2:] == ["template_card_event", "del_member", "template_card_event"]


async def test_the_first_messages_may_be_ignored(desk: "Desk", removal_card: "Json") -> None:
    """ignores_first=1: the card is let pass, the reminder is answered."""
    group, rival = _poached(desk)
    desk.world.staff["wangwu"].does("removes_and_presses", after=AFTER, ignores_first=1)
    await desk.send_card("wangwu", removal_card)
    await desk.until_quiet()
    assert rival.id in group.members
    await desk.send_text("wangwu", "提醒：还有 1 张卡片")
    await desk.until_quiet()
    assert rival.id not in group.members


async def test_a_reminder_does_not_make_anybody_answer_twice(desk: "Desk", removal_card: "Json") -> None:
    """Who is already about to answer presses once."""
    _poached(desk)
    desk.world.staff["wangwu"].does("says_mistake", after=AFTER)
    await desk.send_card("wangwu", removal_card)
    await desk.send_text("wangwu", "提醒：还有 1 张卡片")
    await desk.until_quiet()
    assert desk.ear.kinds().count("template_card_event") == 1


async def test_the_right_person_is_removed(desk: "Desk", removal_card: "Json") -> None:
    """A customer who shares the name's beginning, one who invited, and the same rival elsewhere are left alone."""
    world = desk.world
    group, rival = _poached(desk)
    other = world.create_group("静安2群", "wangwu")
    world.join(other, rival)
    longer, inviter = world.add_customer("孙强强"), world.add_customer("林琳")
    world.join_together(group, [longer, inviter])
    lines = [{"keyname": "姓名", "value": "孙强"}, {"keyname": "邀请人", "value": "林琳"}]
    world.staff["wangwu"].does("removes_and_presses", after=AFTER)
    await desk.send_card("wangwu", removal_card | {"horizontal_content_list": lines})
    await desk.until_quiet()
    assert group.now().external_ids == {longer.id, inviter.id}
    assert rival.id in other.members


async def test_somebody_on_wechat_is_removed_where_the_card_names_nobody_else(
    desk: "Desk", removal_card: "Json"
) -> None:
    """A rival on WeChat is found by name, without a line that says who invited them."""
    world = desk.world
    group = world.create_group("静安1群", "wangwu")
    hidden, inviter = world.add_rival("孙强", "隔壁茶业", on="wechat"), world.add_customer("林琳")
    world.join_together(group, [hidden, inviter])
    lines = [{"keyname": "姓名", "value": "孙强"}, {"keyname": "邀请人", "value": "林琳"}]
    world.staff["wangwu"].does("removes_and_presses", after=AFTER)
    await desk.send_card("wangwu", removal_card | {"horizontal_content_list": lines})
    await desk.until_quiet()
    assert group.now().external_ids == {inviter.id}


async def test_who_cannot_remove_removes_nobody(desk: "Desk", removal_card: "Json") -> None:
    """A manager without rights in the group presses only."""
    group, rival = _poached(desk)
    desk.world.staff["lihua"].does("removes_and_presses", after=AFTER)
    await desk.send_card("lihua", removal_card)
    await desk.until_quiet()
    assert rival.id in group.members
    assert desk.ear.kinds()[-1] == "template_card_event"


async def test_the_drop_down_is_set_to_all(desk: "Desk", removal_card: "Json") -> None:
    """Where the card offers "all" that is chosen, unless they were told to choose something else."""
    _poached(desk)
    options = [{"id": "p1", "text": "孙强"}, {"id": "all", "text": "全部"}]
    selection = {"question_key": "choice", "option_list": options}
    path = "SelectedItems/SelectedItem/OptionIds/OptionId"
    desk.world.staff["wangwu"].does("says_mistake", after=AFTER)
    await desk.send_card("wangwu", removal_card | {"button_selection": selection})
    await desk.until_quiet()
    assert desk.ear.heard[-1].findtext(path) == "all"
    desk.world.staff["wangwu"].does("says_mistake", after=AFTER, choose="p1")
    await desk.send_card("wangwu", removal_card | {"button_selection": selection, "task_id": "case-2"})
    await desk.until_quiet()
    assert desk.ear.heard[-1].findtext(path) == "p1"


async def test_a_button_that_is_gone_is_not_pressed(desk: "Desk", removal_card: "Json") -> None:
    """Replaced in the meantime: no press, no error."""
    _poached(desk)
    desk.world.staff["wangwu"].does("says_mistake", after=AFTER)
    code = (await desk.send_card("wangwu", removal_card))["response_code"]
    body = {"userids": ["wangwu"], "agentid": desk.world.agent_id, "response_code": code}
    await desk.post("message/update_template_card", body | {"button": {"replace_name": "已移出"}})
    await desk.until_quiet()
    assert "template_card_event" not in desk.ear.kinds()


async def test_a_rival_comes_back(desk: "Desk") -> None:
    """Removed, they scan the code again after their time, as often as was said."""
    group, rival = _poached(desk)
    rival.comes_back(timedelta(minutes=5), times=1)
    desk.world.remove(group, rival, by="wangwu")
    start = desk.clock.now()
    await desk.until_quiet()
    assert rival.id in group.members
    assert desk.clock.now() - start == timedelta(minutes=5)
    desk.world.remove(group, rival, by="wangwu")
    await desk.until_quiet()
    assert rival.id not in group.members


async def test_a_rival_finds_the_group_gone(desk: "Desk") -> None:
    """Coming back to a group that was dismissed is a line of the story, not an error."""
    group, rival = _poached(desk)
    rival.comes_back(timedelta(minutes=5))
    desk.world.remove(group, rival, by="wangwu")
    desk.world.dismiss(group)
    await desk.until_quiet()
    assert "群已解散" in desk.world.on_story[-1].text_zh


@pytest.mark.parametrize(("deed", "key"), [("reassigns", "reassign"), ("transfers", "transfer")])
async def test_a_manager_chooses_somebody(desk: "Desk", removal_card: "Json", deed: "HabitName", key: str) -> None:
    """On a card that offers it, they reassign or transfer to whom they were told to choose, by id or by words."""
    options = [{"id": "zhaoliu", "text": "赵六（能移出）"}, {"id": "sunqi", "text": "孙七"}]
    buttons = [{"text": "改派给TA", "key": "reassign"}, {"text": "转让群主给TA", "key": "transfer"}]
    selection = {"question_key": "choice", "option_list": options}
    for number, choose in enumerate(("sunqi", "孙七")):
        desk.world.staff["lihua"].does(deed, after=AFTER, choose=choose)
        card = removal_card | {"task_id": f"case-{number}", "button_list": buttons, "button_selection": selection}
        await desk.send_card("lihua", card)
        await desk.until_quiet()
        assert desk.ear.heard[-1].findtext("EventKey") == key
        assert desk.ear.heard[-1].findtext("SelectedItems/SelectedItem/OptionIds/OptionId") == "sunqi"
