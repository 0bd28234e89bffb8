"""Codes for groups: add, get, update, del, and what happens to whoever scans them."""

from typing import TYPE_CHECKING

import pytest

from simulator import ImpossibleError, Limits

if TYPE_CHECKING:
    from simulator.groups import Group
    from tests.simulator.conftest import Desk, Json

ADD, GET, UPDATE, DEL = (f"externalcontact/groupchat/{each}_join_way" for each in ("add", "get", "update", "del"))


async def made(desk: "Desk", *groups: "Group", **more: object) -> "tuple[str, str]":
    """A join way: its config_id, and the address of its picture."""
    body = {"scene": 2, "auto_create_room": 0, "chat_id_list": [each.chat_id for each in groups], **more}
    config_id: str = (await desk.post(ADD, body))["config_id"]
    return config_id, (await desk.post(GET, {"config_id": config_id}))["join_way"]["qr_code"]


def fill(desk: "Desk", group: "Group", size: int) -> None:
    """Invite people until the group has `size` members."""
    people = [desk.world.add_customer(f"客户{n}") for n in range(size - len(group.members))]
    desk.world.join_together(group, people, invitor=group.owner)


async def test_a_join_way_tells_what_it_was_made_with(desk: "Desk") -> None:
    """Everything that was sent comes back, with the address of a picture; a long remark is cut at 30 characters."""
    group = desk.world.create_group("VIP·1", "wangwu")
    body = {"scene": 2, "remark": "长" * 31, "auto_create_room": 1, "room_base_name": "VIP·", "room_base_id": 7}
    body |= {"chat_id_list": [group.chat_id], "state": "seat-1.1", "mark_source": False}
    config_id = (await desk.post(ADD, body))["config_id"]
    told = (await desk.post(GET, {"config_id": config_id}))["join_way"]
    assert told.pop("qr_code").startswith("http")
    assert told == body | {"config_id": config_id, "remark": "长" * 30}


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"scene": None}, 40058),
        ({"chat_id_list": []}, 40058),
        ({"chat_id_list": None}, 40058),
        ({"chat_id_list": [f"wr{n}" for n in range(6)]}, 40058),
        ({"chat_id_list": ["wrNOBODY"]}, 90501),
        ({"state": "s" * 31}, 40058),
        ({"state": "好" * 30}, 0),
        ({"room_base_name": "n" * 41}, 40058),
        ({"auto_create_room": 2}, 40058),
        ({"mark_source": 1}, 40058),
    ],
)
async def test_what_may_be_sent(desk: "Desk", wrong: "Json", errcode: int) -> None:
    """1 to 5 existing customer groups, state of 30 and base name of 40 characters at most."""
    group = desk.world.create_group("VIP·1", "wangwu")
    body = {"scene": 2, "chat_id_list": [group.chat_id], **wrong}
    assert (await desk.post(ADD, body))["errcode"] == errcode


async def test_groups_that_have_no_code(desk: "Desk") -> None:
    """No join way leads into an internal group, a dismissed one, or one whose owner is out of sight."""
    desk.world.add_staff("hidden", "外人", visible=False)
    internal = desk.world.create_group("VIP·1", "wangwu", internal=True)
    gone, unseen = desk.world.create_group("VIP·2", "wangwu"), desk.world.create_group("VIP·3", "hidden")
    desk.world.dismiss(gone)
    codes = [
        (await desk.post(ADD, {"scene": 2, "chat_id_list": [each.chat_id]}))["errcode"]
        for each in (internal, gone, unseen)
    ]
    assert codes == [90501, 90501, 60011]


async def test_an_update_overwrites(desk: "Desk") -> None:
    """What an update does not send is gone; the code on the poster stays the same."""
    one, two = desk.world.create_group("一群", "wangwu"), desk.world.create_group("二群", "wangwu")
    config_id, picture = await made(desk, one, state="poster", remark="门店")
    assert (await desk.post(UPDATE, {"config_id": config_id, "scene": 2, "chat_id_list": [two.chat_id]}))[
        "errcode"
    ] == 0
    told = (await desk.post(GET, {"config_id": config_id}))["join_way"]
    assert (told["chat_id_list"], told["state"], told["remark"], told["auto_create_room"]) == ([two.chat_id], "", "", 1)
    assert told["qr_code"] == picture
    assert (await desk.post(UPDATE, {"config_id": config_id, "scene": 2}))["errcode"] == 40058


async def test_they_cannot_be_listed_and_others_not_seen(desk: "Desk") -> None:
    """There is no list, and a config of another app is as good as none."""
    group = desk.world.create_group("一群", "wangwu")
    config_id, _ = await made(desk, group)
    assert (await desk.post("externalcontact/groupchat/list_join_way", {}))["errcode"] == 40066
    desk.world.codes.join_ways[config_id].app += 1
    for call in (GET, DEL):
        assert (await desk.post(call, {"config_id": config_id}))["errcode"] == 40058
    assert config_id in desk.world.codes.join_ways


async def test_a_corp_has_only_so_many(desk: "Desk") -> None:
    """Join ways and contact ways share one allowance; a deleted one makes room."""
    desk.world.limits = Limits(codes=2)
    group = desk.world.create_group("一群", "wangwu")
    config_id, _ = await made(desk, group)
    person = {"type": 1, "scene": 2, "user": ["wangwu"]}
    assert (await desk.post("externalcontact/add_contact_way", person))["errcode"] == 0
    assert (await desk.post(ADD, {"scene": 2, "chat_id_list": [group.chat_id]}))["errcode"] == 45029
    assert (await desk.post(DEL, {"config_id": config_id}))["errcode"] == 0
    assert (await desk.post("externalcontact/add_contact_way", person))["errcode"] == 0


async def test_a_scan_brings_the_state(desk: "Desk") -> None:
    """Who comes through a join way has its state on the roster, is said to have scanned, and an event tells of them."""
    group, person = desk.world.create_group("VIP·1", "wangwu"), desk.world.add_customer("陈晨")
    _, picture = await made(desk, group, state="seat-1.1")
    assert desk.world.scan(person, picture).group is group
    assert (group.members[person.id].state, group.members[person.id].join_scene) == ("seat-1.1", 3)
    await desk.world.run_due()
    assert desk.ear.kinds() == ["create", "add_member"]
    with pytest.raises(ImpossibleError):
        desk.world.scan(person, picture)


async def test_the_picture_says_what_is_scanned(desk: "Desk") -> None:
    """The picture's address answers with a PNG, whose content is as good as the picture's address."""
    group, person = desk.world.create_group("VIP·1", "wangwu"), desk.world.add_customer("陈晨")
    _, picture = await made(desk, group)
    answer = await desk.http.get(picture)
    assert (answer.status_code, answer.headers["content-type"], answer.content[:4]) == (200, "image/png", b"\x89PNG")
    desk.world.scan(person, desk.world.codes.content(picture.rpartition("/")[2]))
    assert person.id in group.members


async def test_a_full_group_hands_over_to_the_next(desk: "Desk") -> None:
    """Scanning stops at 200 members; the code leads into the next group of its list, then nowhere."""
    one, two = desk.world.create_group("一群", "wangwu"), desk.world.create_group("二群", "wangwu")
    _, picture = await made(desk, one, two)
    fill(desk, one, 199)
    last, next_, late = (desk.world.add_customer(name) for name in ("陈晨", "林琳", "周舟"))
    assert desk.world.scan(last, picture).group is one
    assert desk.world.scan(next_, picture).group is two
    fill(desk, two, 200)
    with pytest.raises(ImpossibleError, match="上限"):
        desk.world.scan(late, picture)
    desk.world.join(one, late, invitor="wangwu")
    assert late.id in one.members


async def test_a_new_group_makes_itself(desk: "Desk") -> None:
    """Where it may, a code whose groups are full makes the next: base name and number, a create callback, its state."""
    group = desk.world.create_group("会员1群", "wangwu")
    config_id, picture = await made(
        desk, group, auto_create_room=1, room_base_name="会员群", room_base_id=2, state="poster"
    )
    fill(desk, group, 200)
    await desk.until_quiet()
    desk.ear.heard.clear()
    new = desk.world.scan(desk.world.add_customer("陈晨"), picture).group
    assert new is not None
    assert (new.name, new.owner) == ("会员群2", "wangwu")
    assert [each.state for each in new.members.values() if each.type == 2] == ["poster"]
    await desk.until_quiet()
    assert desk.ear.kinds() == ["create", "add_member"]
    told = (await desk.post(GET, {"config_id": config_id}))["join_way"]
    assert told["chat_id_list"] == [group.chat_id, new.chat_id]
    desk.world.codes.appends = False
    assert (await desk.post(GET, {"config_id": config_id}))["join_way"]["chat_id_list"] == [group.chat_id]
    fill(desk, new, 200)
    later = desk.world.scan(desk.world.add_customer("林琳"), picture).group
    assert later is not None
    assert later.name == "会员群3"


async def test_dead_codes(desk: "Desk") -> None:
    """A deleted code, and one whose only group was dismissed, let nobody in; their read-back differs."""
    one, two = desk.world.create_group("一群", "wangwu"), desk.world.create_group("二群", "wangwu")
    deleted, first = await made(desk, one)
    kept, second = await made(desk, two)
    await desk.post(DEL, {"config_id": deleted})
    desk.world.dismiss(two)
    for picture in (first, second):
        with pytest.raises(ImpossibleError, match="失效"):
            desk.world.scan(desk.world.add_customer("陈晨"), picture)
    assert (await desk.post(GET, {"config_id": deleted}))["errcode"] == 40058
    assert (await desk.post(GET, {"config_id": kept}))["errcode"] == 0


async def test_deleting_a_code_does_not_stop_invitations(desk: "Desk") -> None:
    """Members go on inviting after our code is gone."""
    group, first, second = (
        desk.world.create_group("一群", "wangwu"),
        *(desk.world.add_customer(name) for name in ("陈晨", "林琳")),
    )
    config_id, picture = await made(desk, group)
    desk.world.scan(first, picture)
    await desk.post(DEL, {"config_id": config_id})
    desk.world.join(group, second, invitor=first)
    assert second.id in group.members


async def test_with_confirmation_the_owner_decides(desk: "Desk") -> None:
    """With 群聊邀请确认 on a scan only asks, no API tells of it, and the owner's consent lets them in by the code."""
    world = desk.world
    group, person = world.create_group("一群", "wangwu", confirms=True), world.add_customer("陈晨")
    _, picture = await made(desk, group, state="seat-1.1")
    assert world.scan(person, picture).asked
    assert world.scan(person, picture).asked
    assert person.id not in group.members
    told = await desk.post("externalcontact/groupchat/get", {"chat_id": group.chat_id})
    assert "confirm" not in str(told)
    [asking] = world.joins.asking
    with pytest.raises(ImpossibleError, match="群主"):
        world.joins.approve(asking, by="lihua")
    world.joins.approve(asking, by="wangwu")
    assert (group.members[person.id].state, group.members[person.id].join_scene) == ("seat-1.1", 3)
    with pytest.raises(ImpossibleError):
        world.joins.approve(asking, by="wangwu")


async def test_an_internal_group_is_seen_by_nobody(desk: "Desk") -> None:
    """No event, not in the list, not to be read, and customers cannot enter it even when invited."""
    world = desk.world
    group = world.create_group("VIP·1", "wangwu", ["lihua"], internal=True)
    await world.run_due()
    assert desk.ear.heard == []
    assert (await desk.post("externalcontact/groupchat/list", {"limit": 10}))["group_chat_list"] == []
    assert (await desk.post("externalcontact/groupchat/get", {"chat_id": group.chat_id}))["errcode"] == 90501
    for invitor in (None, "wangwu"):
        with pytest.raises(ImpossibleError, match="内部群"):
            world.join(group, world.add_customer("陈晨"), invitor=invitor)


async def test_an_answer_can_get_lost_after_a_code_was_made(desk: "Desk") -> None:
    """The fault cuts the connection after the join way was made: it is there, and nobody knows its config_id."""
    group = desk.world.create_group("一群", "wangwu")
    token = await desk.token()
    desk.world.faults.code_answer_lost = 1.0
    body = {"scene": 2, "chat_id_list": [group.chat_id]}
    with pytest.raises(Exception, match="cut"):
        await desk.http.post(f"/cgi-bin/{ADD}", params={"access_token": token}, json=body)
    assert len(desk.world.codes.join_ways) == 1
    assert desk.world.faults.injected["code_answer_lost"] == 1
    assert (await desk.post("externalcontact/groupchat/list", {"limit": 1}))["errcode"] == 0
