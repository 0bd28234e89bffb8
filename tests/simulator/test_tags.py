"""The corp's tags: made, listed, given to contacts, and seen with them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

ADD, LIST, MARK = (f"externalcontact/{each}" for each in ("add_corp_tag", "get_corp_tag_list", "mark_tag"))


async def made(desk: "Desk", group: str, *names: str) -> "Json":
    answer = await desk.post(ADD, {"group_name": group, "tag": [{"name": name} for name in names]})
    return {each["name"]: each["id"] for each in answer["tag_group"]["tag"]}


async def test_tags_are_made_with_their_group_and_once_by_name(desk: "Desk") -> None:
    """A group that is not there is made with its tags; the same name again is refused; the list shows all."""
    first = await made(desk, "喜好", "绿茶", "红茶")
    second = await made(desk, "喜好", "白茶")
    assert (await desk.post(ADD, {"group_name": "喜好", "tag": [{"name": "绿茶"}]}))["errcode"] == 40071
    [group] = (await desk.post(LIST, {}))["tag_group"]
    assert group["group_name"] == "喜好"
    assert {each["name"]: each["id"] for each in group["tag"]} == first | second
    assert (await desk.post(LIST, {"tag_id": [first["绿茶"]]}))["tag_group"][0]["tag"][0]["name"] == "绿茶"


async def test_a_tag_is_given_to_ones_own_contacts_only(desk: "Desk") -> None:
    """Who has not added the person is refused; what was given is shown with the follower who gave it, once."""
    ids = await made(desk, "喜好", "绿茶")
    person = desk.world.add_customer("小陈")
    body = {"userid": "wangwu", "external_userid": person.id, "add_tag": [ids["绿茶"]]}
    assert (await desk.post(MARK, body))["errcode"] == 84061
    desk.world.make_contact("wangwu", person)
    assert [(await desk.post(MARK, body))["errcode"] for _ in range(2)] == [0, 0]
    [follow] = (await desk.get("externalcontact/get", external_userid=person.id))["follow_user"]
    assert [each["tag_name"] for each in follow["tags"]] == ["绿茶"]
    assert desk.world.tags.names_of(person.id) == ["绿茶"]


async def test_what_is_wrong_is_refused(desk: "Desk") -> None:
    """No tag at all, a tag that is none, an empty group."""
    person = desk.world.add_customer("小陈")
    desk.world.make_contact("wangwu", person)
    who = {"userid": "wangwu", "external_userid": person.id}
    assert (await desk.post(MARK, who))["errcode"] == 40058
    assert (await desk.post(MARK, {**who, "add_tag": ["et-none"]}))["errcode"] == 40068
    assert (await desk.post(MARK, {**who, "userid": "nobody", "add_tag": ["et-none"]}))["errcode"] == 60111
    assert (await desk.post(ADD, {"group_name": "空", "tag": []}))["errcode"] == 40058


async def test_a_deleted_tag_is_nobodys(desk: "Desk") -> None:
    """What is deleted in the console goes from everybody, and its group with the last one."""
    ids = await made(desk, "喜好", "绿茶")
    person = desk.world.add_customer("小陈")
    desk.world.make_contact("wangwu", person)
    await desk.post(MARK, {"userid": "wangwu", "external_userid": person.id, "add_tag": [ids["绿茶"]]})
    desk.world.tags.delete(ids["绿茶"])
    assert desk.world.tags.names_of(person.id) == []
    assert (await desk.post(LIST, {}))["tag_group"] == []
