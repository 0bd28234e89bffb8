"""联系我 codes: add, get, update, del, list, and what happens to whoever scans them."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from simulator import ImpossibleError

if TYPE_CHECKING:
    from tests.simulator.conftest import Desk, Json

ADD, GET, UPDATE, DEL, LIST = (
    f"externalcontact/{each}_contact_way" for each in ("add", "get", "update", "del", "list")
)


def one(user: str = "wangwu", **more: object) -> "Json":
    return {"type": 1, "scene": 2, "user": [user], **more}


async def test_a_contact_way_lives_through_its_calls(desk: "Desk") -> None:
    """Made with a picture, read, changed in part, listed and deleted."""
    made = await desk.post(ADD, one(state="door", remark="门口"))
    told = (await desk.post(GET, {"config_id": made["config_id"]}))["contact_way"]
    assert (told["qr_code"], told["state"], told["user"], told["skip_verify"]) == (
        made["qr_code"],
        "door",
        ["wangwu"],
        True,
    )
    assert (await desk.post(UPDATE, {"config_id": made["config_id"], "user": ["lihua"]}))["errcode"] == 0
    told = (await desk.post(GET, {"config_id": made["config_id"]}))["contact_way"]
    assert (told["user"], told["state"], told["remark"]) == (["lihua"], "door", "门口")
    assert (await desk.post(LIST, {}))["contact_way"] == [{"config_id": made["config_id"]}]
    assert (await desk.post(DEL, {"config_id": made["config_id"]}))["errcode"] == 0
    assert (await desk.post(GET, {"config_id": made["config_id"]}))["errcode"] == 40058
    assert (await desk.post(LIST, {}))["contact_way"] == []


async def test_the_list_has_pages_and_times(desk: "Desk") -> None:
    """Pages by cursor; what is older than 90 days is only shown where a start is given."""
    old = (await desk.post(ADD, one()))["config_id"]
    desk.clock.advance(timedelta(days=91))
    new = [(await desk.post(ADD, one()))["config_id"] for _ in range(3)]
    first = await desk.post(LIST, {"limit": 2})
    second = await desk.post(LIST, {"limit": 2, "cursor": first["next_cursor"]})
    assert [each["config_id"] for page in (first, second) for each in page["contact_way"]] == new
    assert "next_cursor" not in second
    everything = await desk.post(LIST, {"start_time": 0})
    assert everything["contact_way"][0] == {"config_id": old}


@pytest.mark.parametrize(
    ("wrong", "errcode"),
    [
        ({"type": 3}, 40058),
        ({"scene": None}, 40058),
        ({"user": []}, 40058),
        ({"user": ["wangwu", "lihua"]}, 40058),
        ({"type": 2, "user": ["wangwu", "lihua"]}, 0),
        ({"user": ["nobody"]}, 60111),
        ({"user": ["hidden"]}, 60011),
        ({"user": ["serves-not"]}, 41054),
        ({"state": "s" * 31}, 40058),
        ({"remark": "r" * 31}, 40058),
        ({"is_temp": True}, 40058),
        ({"skip_verify": "yes"}, 40058),
    ],
)
async def test_what_may_be_sent(desk: "Desk", wrong: "Json", errcode: int) -> None:
    """One visible member of staff who has 客户联系 for type 1; state and remark of 30 characters at most."""
    desk.world.add_staff("hidden", "外人", visible=False)
    desk.world.add_staff("serves-not", "新人", serves=False)
    assert (await desk.post(ADD, one() | wrong))["errcode"] == errcode


async def test_a_scan_makes_a_contact(desk: "Desk") -> None:
    """The event brings State and WelcomeCode; scanning again opens the chat and tells nobody."""
    person = desk.world.add_customer("陈晨")
    picture = (await desk.post(ADD, one(state="door")))["qr_code"]
    scanned = desk.world.scan(person, picture)
    assert (scanned.staff, scanned.asked) == (desk.world.staff["wangwu"], False)
    desk.world.scan(person, picture)
    await desk.world.run_due()
    [event] = desk.ear.heard
    assert (event.findtext("ChangeType"), event.findtext("UserID"), event.findtext("State")) == (
        "add_external_contact",
        "wangwu",
        "door",
    )
    assert event.findtext("WelcomeCode")
    told = await desk.get("externalcontact/get", external_userid=person.id)
    assert told["follow_user"][0]["state"] == "door"


async def test_a_rival_brings_no_welcome_code(desk: "Desk") -> None:
    """Somebody on another company's WeCom becomes a contact without a WelcomeCode."""
    rival = desk.world.add_rival("孙强", "隔壁茶业")
    desk.world.scan(rival, (await desk.post(ADD, one(state="door")))["qr_code"])
    await desk.world.run_due()
    assert [each.findtext("WelcomeCode") for each in desk.ear.heard] == [None]


async def test_with_verification_staff_accept(desk: "Desk") -> None:
    """Without skip_verify nothing happens until that person accepts."""
    person = desk.world.add_customer("陈晨")
    picture = (await desk.post(ADD, one(state="door", skip_verify=False)))["qr_code"]
    assert desk.world.scan(person, picture).asked
    assert person.follows == {}
    [friend] = desk.world.joins.friends
    desk.world.joins.accept(friend)
    assert person.follows["wangwu"].state == "door"
    with pytest.raises(ImpossibleError):
        desk.world.joins.accept(friend)


async def test_a_code_whose_people_have_left_is_dead(desk: "Desk") -> None:
    """As is one that was deleted."""
    left, deleted = await desk.post(ADD, one()), await desk.post(ADD, one("lihua"))
    desk.world.staff["wangwu"].left = True
    await desk.post(DEL, {"config_id": deleted["config_id"]})
    for each in (left, deleted):
        with pytest.raises(ImpossibleError, match="失效"):
            desk.world.scan(desk.world.add_customer("陈晨"), each["qr_code"])
