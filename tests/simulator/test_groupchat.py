"""groupchat/list and groupchat/get."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

LIST, GET = "externalcontact/groupchat/list", "externalcontact/groupchat/get"


async def test_list_pages_by_cursor(desk: "Desk") -> None:
    """All groups come once, in pages of `limit`; the last page has no cursor."""
    made = [desk.world.create_group(f"{number}群", "lihua").chat_id for number in range(5)]
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = await desk.post(LIST, {"limit": 2, "cursor": cursor})
        seen += [each["chat_id"] for each in page["group_chat_list"]]
        cursor = page.get("next_cursor", "")
    assert seen == made
    assert cursor == ""


async def test_list_filters_by_owner_and_status(desk: "Desk") -> None:
    """owner_filter and status_filter; groups of owners outside the visible range are not told of."""
    desk.world.add_staff("hidden", "外人", visible=False)
    mine = desk.world.create_group("一群", "lihua").chat_id
    other = desk.world.create_group("二群", "wangwu").chat_id
    desk.world.create_group("三群", "hidden")
    desk.world.dismiss(desk.world.create_group("四群", "lihua"))
    desk.world.staff["wangwu"].left = True

    async def ids(**body: object) -> "list[Json]":
        found: list[Json] = (await desk.post(LIST, {"limit": 100, **body}))["group_chat_list"]
        return found

    assert await ids() == [{"chat_id": mine, "status": 0}, {"chat_id": other, "status": 1}]
    assert await ids(owner_filter={"userid_list": ["lihua", "hidden"]}) == [{"chat_id": mine, "status": 0}]
    assert await ids(status_filter=1) == [{"chat_id": other, "status": 1}]


@pytest.mark.parametrize("limit", [None, 0, 1001, "10"])
async def test_list_wants_a_limit(desk: "Desk", limit: object) -> None:
    """limit is 1 to 1000 and a number."""
    assert (await desk.post(LIST, {"limit": limit}))["errcode"] == 40058


async def test_list_needs_an_owner_filter_in_a_large_corp(desk: "Desk") -> None:
    """More than 1,000 people in the visible range and no owner_filter: 81017."""
    for number in range(999):
        desk.world.add_staff(f"staff{number}", "员工")
    assert (await desk.post(LIST, {"limit": 10}))["errcode"] == 81017
    assert (await desk.post(LIST, {"limit": 10, "owner_filter": {"userid_list": ["lihua"]}}))["errcode"] == 0


async def test_get_tells_the_members_as_documented(desk: "Desk") -> None:
    """Types, scenes, invitor (own staff only), state, unionid (WeChat only), names, admins."""
    world = desk.world
    group = world.create_group("一群", "lihua", ["wangwu"])
    wechat, rival, friend = world.add_customer("陈晨"), world.add_rival("孙强", "隔壁茶业"), world.add_customer("林琳")
    world.join(group, wechat, state="poster-1")
    world.join(group, rival, invitor="wangwu")
    world.join(group, friend, invitor=wechat, scene=2)
    told = (await desk.post(GET, {"chat_id": group.chat_id, "need_name": 1}))["group_chat"]
    assert (told["name"], told["owner"], told["admin_list"]) == ("一群", "lihua", [{"userid": "wangwu"}])
    assert told["member_version"] == world.group_now(group.chat_id).version
    members = {each["userid"]: each for each in told["member_list"]}
    assert members["lihua"]["type"] == 1
    assert members[wechat.id] == {
        "userid": wechat.id,
        "type": 2,
        "join_time": int(desk.clock.now().timestamp()),
        "join_scene": 3,
        "unionid": wechat.unionid,
        "state": "poster-1",
        "group_nickname": "",
        "name": "陈晨",
    }
    assert (members[rival.id]["invitor"], members[rival.id]["join_scene"]) == ({"userid": "wangwu"}, 1)
    assert "unionid" not in members[rival.id]
    assert "invitor" not in members[friend.id]
    assert members[friend.id]["join_scene"] == 2


async def test_get_without_names_and_without_unionids(desk: "Desk") -> None:
    """need_name 0 tells no names; a corp without a developer id gets no unionids."""
    desk.world.gives_unionid = False
    group = desk.world.create_group("一群", "lihua")
    desk.world.join(group, desk.world.add_customer("陈晨"))
    told = await desk.post(GET, {"chat_id": group.chat_id})
    assert not any("name" in each or "unionid" in each for each in told["group_chat"]["member_list"])


async def test_get_refuses_what_is_not_there(desk: "Desk") -> None:
    """An unknown or dismissed group is 90501, one whose owner is out of range 60011, no chat_id 40058."""
    desk.world.add_staff("hidden", "外人", visible=False)
    hidden, gone = desk.world.create_group("一群", "hidden"), desk.world.create_group("二群", "lihua")
    desk.world.dismiss(gone)
    assert (await desk.post(GET, {"chat_id": "wrNOBODY"}))["errcode"] == 90501
    assert (await desk.post(GET, {"chat_id": gone.chat_id}))["errcode"] == 90501
    assert (await desk.post(GET, {"chat_id": hidden.chat_id}))["errcode"] == 60011
    assert (await desk.post(GET, {}))["errcode"] == 40058


async def test_every_change_of_membership_makes_a_new_version(desk: "Desk") -> None:
    """Joins and leaves change member_version, a rename does not."""
    world = desk.world
    group, person = world.create_group("一群", "lihua"), world.add_customer("陈晨")
    versions = [group.version]
    world.join(group, person)
    versions.append(group.version)
    world.leave(group, person)
    versions.append(group.version)
    assert len(set(versions)) == 3
    world.rename(group, "新名字")
    assert group.version == versions[-1]


async def test_reads_lag_behind_the_event(desk: "Desk") -> None:
    """With lagging reads the event is there while groupchat/get still tells the older roster and version."""
    world = desk.world
    group, person = world.create_group("一群", "lihua"), world.add_customer("陈晨")
    old_version = group.version
    world.faults.lagging_reads = 1.0
    world.join(group, person)
    await world.run_due()
    assert desk.ear.kinds() == ["create", "add_member"]
    told = (await desk.post(GET, {"chat_id": group.chat_id}))["group_chat"]
    assert (told["member_version"], len(told["member_list"])) == (old_version, 1)
    assert person.id in world.group_now(group.chat_id).external_ids
    desk.clock.advance(world.read_lag - timedelta(milliseconds=1))
    told = (await desk.post(GET, {"chat_id": group.chat_id}))["group_chat"]
    assert told["member_version"] == old_version
    desk.clock.advance(timedelta(milliseconds=1))
    told = (await desk.post(GET, {"chat_id": group.chat_id}))["group_chat"]
    assert (told["member_version"], len(told["member_list"])) == (group.version, 2)
    assert world.faults.injected["lagging_reads"] == 1


async def test_a_new_group_is_not_known_at_once(desk: "Desk") -> None:
    """With lagging reads a group's first event comes before the read API knows of it."""
    world = desk.world
    world.faults.lagging_reads = 1.0
    group = world.create_group("一群", "lihua")
    await world.run_due()
    assert desk.ear.kinds() == ["create"]
    assert (await desk.post(GET, {"chat_id": group.chat_id}))["errcode"] == 90501
    desk.clock.advance(world.read_lag)
    assert (await desk.post(GET, {"chat_id": group.chat_id}))["errcode"] == 0


async def test_reads_that_flicker_tell_one_state_after_another(desk: "Desk") -> None:
    """Servers that do not agree: any state of the time of the lag may be told, also an older one after a newer."""
    world = desk.world
    group = world.create_group("一群", "lihua")
    world.faults.lagging_reads = 1.0
    versions = [group.version]
    for name in ("陈晨", "林小满"):
        world.join(group, world.add_customer(name))
        versions.append(group.version)
    world.faults.flickering_reads = 0.5
    told = [(await desk.post(GET, {"chat_id": group.chat_id}))["group_chat"]["member_version"] for _ in range(40)]
    assert set(told) == set(versions)
    assert [versions.index(each) for each in told] != sorted(versions.index(each) for each in told)
    desk.clock.advance(world.read_lag)
    assert (await desk.post(GET, {"chat_id": group.chat_id}))["group_chat"]["member_version"] == versions[-1]


async def test_no_event_tells_what_an_api_did(desk: "Desk") -> None:
    """A transfer by API changes the owner in silence; the same by hand is told."""
    world = desk.world
    group = world.create_group("一群", "lihua")
    world.add_staff("qianqi", "钱七")
    world.join(group, "qianqi")
    world.change_owner(group, "qianqi", by_api=True)
    assert world.group_now(group.chat_id).owner == "qianqi"
    world.change_owner(group, "lihua")
    await desk.until_quiet()
    assert desk.ear.kinds() == ["create", "add_member", "change_owner"]
