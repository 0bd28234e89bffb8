"""Events: what they say, how they are sealed, how often they are tried."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from tests.simulator.conftest import Desk


def _values(event: "ET.Element") -> dict[str, str]:
    return {each.tag: each.text or "" for each in event if len(each) == 0}


async def test_a_join_says_who_how_and_which_version(desk: "Desk") -> None:
    """add_member carries the documented fields, decrypted by wechatpy."""
    world = desk.world
    group, person = world.create_group("一群", "lihua"), world.add_customer("陈晨")
    before = group.version
    world.join(group, person)
    await world.run_due()
    created, joined = desk.ear.heard
    assert _values(created) == {
        "ToUserName": world.corp_id,
        "FromUserName": "sys",
        "CreateTime": str(int(desk.clock.now().timestamp())),
        "MsgType": "event",
        "Event": "change_external_chat",
        "ChatId": group.chat_id,
        "ChangeType": "create",
    }
    assert _values(joined) == _values(created) | {
        "ChangeType": "update",
        "UpdateDetail": "add_member",
        "JoinScene": "3",
        "QuitScene": "0",
        "MemChangeCnt": "1",
        "LastMemVer": before,
        "CurMemVer": group.version,
    }
    assert [each.text for each in joined.findall("MemChangeList/Item")] == [person.id]


@pytest.mark.parametrize(("scene", "join_scene"), [(1, "0"), (2, "0"), (3, "3")])
async def test_join_scene_of_the_event_differs_from_the_roster(desk: "Desk", scene: int, join_scene: str) -> None:
    """1 and 2 on the roster are 0 in the event, 3 is 3."""
    desk.world.join(desk.world.create_group("一群", "lihua"), desk.world.add_customer("陈晨"), scene=scene)
    await desk.world.run_due()
    assert desk.ear.heard[-1].findtext("JoinScene") == join_scene


async def test_leaving_and_being_removed_differ_by_quit_scene(desk: "Desk") -> None:
    """QuitScene 0 for who left, 1 for who was removed; nothing says who removed them."""
    world = desk.world
    group = world.create_group("一群", "lihua")
    one, two = world.add_customer("陈晨"), world.add_customer("林琳")
    world.join_together(group, [one, two])
    world.leave(group, one)
    world.remove(group, two, by="lihua")
    await world.run_due()
    assert [each.findtext("QuitScene") for each in desk.ear.heard[-2:]] == ["0", "1"]
    assert desk.ear.heard[1].findtext("MemChangeCnt") == "2"
    assert "lihua" not in "".join(desk.ear.heard[-1].itertext())


async def test_the_member_list_comes_in_other_shapes(desk: "Desk") -> None:
    """As a comma string, or not at all."""
    world = desk.world
    group = world.create_group("一群", "lihua")
    people = [world.add_customer("陈晨"), world.add_customer("林琳")]
    world.callbacks.member_list = "string"
    world.join_together(group, people)
    world.callbacks.member_list = "absent"
    world.leave(group, people[0])
    await world.run_due()
    assert desk.ear.heard[1].findtext("MemChangeList") == f"{people[0].id},{people[1].id}"
    assert desk.ear.heard[2].find("MemChangeList") is None


async def test_other_changes_of_a_group(desk: "Desk") -> None:
    """Name, notice, owner and end of a group are told, with no fields of the roster."""
    world = desk.world
    group = world.create_group("一群", "lihua", ["wangwu"])
    world.rename(group, "新名字")
    world.change_notice(group, "公告")
    world.change_owner(group, "wangwu")
    world.dismiss(group)
    await world.run_due()
    assert desk.ear.kinds() == ["create", "change_name", "change_notice", "change_owner", "dismiss"]
    assert all(each.find("CurMemVer") is None for each in desk.ear.heard)


async def test_contacts_bring_state_and_welcome_code(desk: "Desk") -> None:
    """WeChat people have a WelcomeCode, people of other companies' WeCom have none; State only where there is one."""
    world = desk.world
    world.make_contact("lihua", world.add_customer("陈晨"), state="a<b]]>c")
    world.make_contact("lihua", world.add_rival("孙强", "隔壁茶业"), half=True)
    await world.run_due()
    wechat, wecom = desk.ear.heard
    assert (wechat.findtext("State"), wechat.findtext("UserID")) == ("a<b]]>c", "lihua")
    assert wechat.findtext("WelcomeCode")
    assert wecom.findtext("ChangeType") == "add_half_external_contact"
    assert wecom.find("WelcomeCode") is None
    assert wecom.find("State") is None


async def test_groups_and_staff_out_of_range_are_silent(desk: "Desk") -> None:
    """Nothing is told of a group or contact whose owner is not in the app's visible range."""
    desk.world.add_staff("hidden", "外人", visible=False)
    group = desk.world.create_group("一群", "hidden")
    desk.world.join(group, desk.world.add_customer("陈晨"))
    desk.world.make_contact("hidden", desk.world.add_customer("林琳"))
    await desk.world.run_due()
    assert desk.ear.tries == 0


async def test_the_address_can_be_verified(desk: "Desk") -> None:
    """The echostr is sealed by wechatpy and the answer compared; a wrong status is a no."""
    assert await desk.world.verify_url()
    desk.ear.statuses = [403]
    assert not await desk.world.verify_url()


async def test_three_tries_in_total(desk: "Desk") -> None:
    """A bot that is away gets three tries, `retry_after` apart, then the event is lost for good."""
    desk.ear.statuses = [0, 0, 0, 0]
    desk.world.create_group("一群", "lihua")
    start = desk.clock.now()
    await desk.until_quiet()
    assert desk.ear.tries == 3
    assert desk.clock.now() - start == 2 * desk.world.callbacks.retry_after
    assert [each.kind for each in desk.world.undelivered] == ["change_external_chat/create"]


async def test_a_bot_that_comes_back_gets_the_event(desk: "Desk") -> None:
    """Answered at the third try: acknowledged once, nothing is lost, and the event is the same."""
    desk.ear.statuses = [0, 0, 200]
    desk.world.create_group("一群", "lihua")
    await desk.until_quiet()
    assert desk.ear.kinds() == ["create"]
    assert len(desk.world.acknowledged) == 1
    assert desk.world.undelivered == []


@pytest.mark.parametrize(("retried", "tries"), [(False, 1), (True, 3)])
async def test_other_answers_than_200(desk: "Desk", retried: bool, tries: int) -> None:
    """503 is tried again only where the setting says so; either way it is not acknowledged."""
    desk.world.callbacks.retry_non_200 = retried
    desk.ear.statuses = [503] * 3
    desk.world.create_group("一群", "lihua")
    await desk.until_quiet()
    assert desk.ear.tries == tries
    assert desk.world.acknowledged == []
    assert len(desk.world.undelivered) == 1


async def test_a_delay_is_kept_and_order_is_kept(desk: "Desk") -> None:
    """With a delay nothing comes before its time, and what happened first comes first."""
    desk.world.callbacks.delay = timedelta(seconds=1)
    group = desk.world.create_group("一群", "lihua")
    desk.world.rename(group, "新名字")
    assert await desk.world.run_due() == 0
    assert desk.world.next_due() == desk.clock.now() + timedelta(seconds=1)
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.world.run_due() == 2
    assert desk.ear.kinds() == ["create", "change_name"]
