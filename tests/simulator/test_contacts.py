"""externalcontact/get, get_follow_user_list, user/get."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk


async def test_a_stranger_in_our_own_group_is_no_contact(desk: "Desk") -> None:
    """Who is only a member of a group is 84061; once staff have added them the company is told."""
    rival = desk.world.add_rival("孙强", "隔壁茶业")
    desk.world.join(desk.world.create_group("一群", "lihua"), rival)
    assert (await desk.get("externalcontact/get", external_userid=rival.id))["errcode"] == 84061
    desk.world.make_contact("lihua", rival)
    told = await desk.get("externalcontact/get", external_userid=rival.id)
    assert told["external_contact"]["type"] == 2
    assert told["external_contact"]["corp_name"] == "隔壁茶业"
    assert told["external_contact"]["corp_full_name"] == "隔壁茶业"
    assert [each["userid"] for each in told["follow_user"]] == ["lihua"]


async def test_a_wechat_contact_has_no_company(desk: "Desk") -> None:
    """Type 1 tells a unionid and the state they came by, and no company, even where the person has one."""
    hidden_rival = desk.world.add_rival("孙强", "隔壁茶业", on="wechat")
    desk.world.make_contact("lihua", hidden_rival, state="poster-1")
    told = await desk.get("externalcontact/get", external_userid=hidden_rival.id)
    assert hidden_rival.id.startswith("wm")
    assert told["external_contact"]["type"] == 1
    assert told["external_contact"]["unionid"] == hidden_rival.unionid
    assert "corp_name" not in told["external_contact"]
    assert told["follow_user"][0]["state"] == "poster-1"


async def test_ids_that_cannot_be(desk: "Desk") -> None:
    """No id 41035, a malformed one 40096, one that nobody has 84061."""
    assert (await desk.get("externalcontact/get"))["errcode"] == 41035
    assert (await desk.get("externalcontact/get", external_userid="lihua"))["errcode"] == 40096
    assert (await desk.get("externalcontact/get", external_userid="wm" + "a" * 30))["errcode"] == 84061


async def test_a_new_contact_may_not_be_readable_yet(desk: "Desk") -> None:
    """With lagging reads the relation is 84061 right after the event, and there when the lag is over."""
    desk.world.faults.lagging_reads = 1.0
    person = desk.world.add_customer("陈晨")
    desk.world.make_contact("lihua", person)
    assert (await desk.get("externalcontact/get", external_userid=person.id))["errcode"] == 84061
    desk.clock.advance(desk.world.read_lag)
    assert (await desk.get("externalcontact/get", external_userid=person.id))["errcode"] == 0


async def test_a_contact_that_was_deleted_is_none(desk: "Desk") -> None:
    """Deleted by either side: 84061 again, and the event says who did."""
    person = desk.world.add_customer("陈晨")
    for by_staff in (True, False):
        desk.world.make_contact("lihua", person)
        desk.world.end_contact("lihua", person, by_staff=by_staff)
    assert (await desk.get("externalcontact/get", external_userid=person.id))["errcode"] == 84061
    await desk.world.run_due()
    assert desk.ear.kinds() == [
        "add_external_contact",
        "del_external_contact",
        "add_external_contact",
        "del_follow_user",
    ]


async def test_who_serves_customers(desk: "Desk") -> None:
    """get_follow_user_list names visible staff with 客户联系."""
    desk.world.add_staff("hidden", "外人", visible=False)
    desk.world.add_staff("cook", "厨师", serves=False)
    assert (await desk.get("externalcontact/get_follow_user_list"))["follow_user"] == ["lihua", "wangwu"]


async def test_names_of_staff(desk: "Desk") -> None:
    """user/get tells the name; unknown 60111, out of range 60011, no userid 40063."""
    desk.world.add_staff("hidden", "外人", visible=False)
    assert (await desk.get("user/get", userid="wangwu"))["name"] == "王五"
    assert (await desk.get("user/get", userid="nobody"))["errcode"] == 60111
    assert (await desk.get("user/get", userid="hidden"))["errcode"] == 60011
    assert (await desk.get("user/get"))["errcode"] == 40063
