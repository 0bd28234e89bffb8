"""externalcontact/groupchat/onjob_transfer as page 95703 has it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator import ImpossibleError
from simulator.transfers import AN_OWNER_A_DAY

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

PATH = "externalcontact/groupchat/onjob_transfer"


async def hand_over(desk: "Desk", *chat_ids: str, to: Any = "wangwu") -> "Json":
    return await desk.post(PATH, {"chat_id_list": list(chat_ids), "new_owner": to})


async def failed(desk: "Desk", chat_id: str, to: str = "wangwu") -> list[int]:
    return [each["errcode"] for each in (await hand_over(desk, chat_id, to=to))["failed_chat_list"]]


async def test_the_new_owner_becomes_a_member_and_no_callback_tells_of_it(desk: "Desk") -> None:
    """What the API changes raises nothing; who owns the group now can remove, who did cannot."""
    rival = desk.world.add_rival("孙强", "隔壁茶业")
    group = desk.world.create_group("静安1群", "lihua", members=[rival])
    version = group.version
    await desk.until_quiet()
    heard = len(desk.ear.heard)
    assert await failed(desk, group.chat_id) == []
    await desk.until_quiet()
    assert len(desk.ear.heard) == heard
    assert (group.owner, "wangwu" in group.members, group.version != version) == ("wangwu", True, True)
    with pytest.raises(ImpossibleError):
        desk.world.remove(group, rival, by="lihua")
    desk.world.remove(group, rival, by="wangwu")


async def test_a_group_changes_hands_twice_in_ninety_days(desk: "Desk") -> None:
    """The third time is refused, until ninety days after the first."""
    group = desk.world.create_group("静安1群", "lihua")
    assert await failed(desk, group.chat_id, "wangwu") == []
    assert await failed(desk, group.chat_id, "lihua") == []
    assert await failed(desk, group.chat_id, "wangwu") == [90505]
    desk.clock.advance(timedelta(days=90))
    assert await failed(desk, group.chat_id, "wangwu") == []


async def test_an_owner_gives_away_so_many_a_day(desk: "Desk") -> None:
    """300 groups of one owner in a day, and more on the next."""
    groups = [desk.world.create_group(f"{number}群", "lihua") for number in range(AN_OWNER_A_DAY + 1)]
    for first in range(0, AN_OWNER_A_DAY, 100):
        answer = await hand_over(desk, *[group.chat_id for group in groups[first : first + 100]])
        assert answer["failed_chat_list"] == []
    assert await failed(desk, groups[-1].chat_id) == [90505]
    desk.clock.advance(timedelta(days=1))
    assert await failed(desk, groups[-1].chat_id) == []


async def test_what_cannot_change_hands_is_listed_with_its_code(desk: "Desk") -> None:
    """No such group, dismissed, an owner who has left, the same owner; the others are handed over all the same."""
    world = desk.world
    world.add_staff("gone", "旧人")
    dismissed, left, same, good = (
        world.create_group(name, owner)
        for name, owner in (("一", "lihua"), ("二", "gone"), ("三", "wangwu"), ("四", "lihua"))
    )
    world.dismiss(dismissed)
    world.staff["gone"].left = True
    answer = await hand_over(desk, "wrNOBODY", dismissed.chat_id, left.chat_id, same.chat_id, good.chat_id)
    assert [each["errcode"] for each in answer["failed_chat_list"]] == [90501, 90501, 90502, 90504]
    assert good.owner == "wangwu"


@pytest.mark.parametrize(("to", "errcode"), [("nobody", 60111), ("hidden", 60011), ("silent", 84083), (7, 40058)])
async def test_the_new_owner_must_serve_customers(desk: "Desk", to: Any, errcode: int) -> None:
    """Unknown, outside the visible range, or without 客户联系: the whole call is refused."""
    desk.world.add_staff("hidden", "外人", visible=False)
    desk.world.add_staff("silent", "内勤", serves=False)
    group = desk.world.create_group("静安1群", "lihua")
    assert (await hand_over(desk, group.chat_id, to=to))["errcode"] == errcode
    assert group.owner == "lihua"


@pytest.mark.parametrize("chat_ids", [[], ["wr"] * 101, "wr", [1], None])
async def test_one_to_a_hundred_groups(desk: "Desk", chat_ids: Any) -> None:
    """Another list than that is refused."""
    assert (await desk.post(PATH, {"chat_id_list": chat_ids, "new_owner": "wangwu"}))["errcode"] == 40058
