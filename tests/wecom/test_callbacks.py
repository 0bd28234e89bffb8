"""Decrypted callbacks → events, and their place in the queue."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import events
from rules.lanes import NORMAL, REMOVAL, WELCOME
from wecom.callbacks import read_event, route
from wecom.xml import BadXml

AT = datetime.fromtimestamp(1403610513, UTC)
OLD, NEW = "9c3f97c2ada667dfb5f6d03308d963e1", "71217227bbd112ecfe3a49c482195cb4"


def sample(name: str) -> bytes:
    return (Path(__file__).parent / "samples" / f"{name}.xml").read_bytes()


def joined(
    members: tuple[str, ...] | None, count: int | None, scene: int | None, *, versions: bool = True
) -> events.Event:
    return events.MembersJoined(
        at=AT,
        chat_id="wrAbc",
        members=members,
        count=count,
        last_version=OLD if versions else None,
        version=NEW if versions else None,
        join_scene=scene,
    )


def contact(kind: type[events.ContactEvent], **more: object) -> events.ContactEvent:
    return kind.model_validate({"at": AT, "userid": "zhangsan", "external_userid": "wmXyz", **more})


def pressed(selected: dict[str, tuple[str, ...]]) -> events.CardPressed:
    return events.CardPressed(
        at=AT,
        userid="zhangsan",
        task_id="case-7_1@a",
        button="removed",
        card_type="button_interaction",
        response_code="CODE",
        selected=selected,
    )


GROUP, PERSON, CARD = "group:wrAbc", "person:wmXyz", "card:case-7_1@a"
GREETED = "welcome:wmXyz"

# sample → the event it is, and its lane and ordering key
TABLE: dict[str, tuple[events.Event, int, str | None]] = {
    "group_create": (events.GroupCreated(at=AT, chat_id="wrAbc"), NORMAL, GROUP),
    "group_dismiss": (events.GroupDismissed(at=AT, chat_id="wrAbc"), NORMAL, GROUP),
    "group_join_items": (joined(("Jack", "wmRose"), 2, 3), REMOVAL, GROUP),
    "group_join_one_item": (joined(("Jack",), 1, 0), REMOVAL, GROUP),
    "group_join_string": (joined(("Jack", "wmRose"), 2, 7), REMOVAL, GROUP),
    "group_join_unnamed": (joined(None, None, None, versions=False), REMOVAL, GROUP),
    "group_leave": (
        events.MembersLeft(
            at=AT, chat_id="wrAbc", members=("wmRose",), count=1, last_version=OLD, version=NEW, quit_scene=1
        ),
        REMOVAL,
        GROUP,
    ),
    "group_change_owner": (events.GroupChanged(at=AT, chat_id="wrAbc", detail="change_owner"), NORMAL, GROUP),
    "group_change_name": (events.GroupChanged(at=AT, chat_id="wrAbc", detail="change_name"), NORMAL, GROUP),
    "group_change_notice": (events.GroupChanged(at=AT, chat_id="wrAbc", detail="change_notice"), NORMAL, GROUP),
    "group_something_new": (events.GroupChanged(at=AT, chat_id="wrAbc", detail="something_new"), NORMAL, GROUP),
    "contact_add": (
        contact(events.ContactAdded, half=False, state="door-1", welcome_code="WELCOME"),
        WELCOME,
        GREETED,
    ),
    "contact_add_partner": (contact(events.ContactAdded, half=False, state=None, welcome_code=None), NORMAL, PERSON),
    "contact_add_half": (
        contact(events.ContactAdded, half=True, state="door-1", welcome_code="WELCOME"),
        WELCOME,
        GREETED,
    ),
    "contact_edit": (contact(events.ContactEdited), NORMAL, PERSON),
    "contact_delete": (contact(events.ContactDeleted, source="DELETE_BY_TRANSFER"), NORMAL, PERSON),
    "contact_left_us": (contact(events.StaffDeletedByContact), NORMAL, PERSON),
    "contact_transfer_fail": (contact(events.TransferFailed, reason="customer_refused"), NORMAL, PERSON),
    "contact_audit": (contact(events.ArchiveApproved, welcome_code="WELCOME"), WELCOME, GREETED),
    "contact_unknown": (
        events.UnknownEvent(
            at=AT, event="change_external_contact", change="something_new", xml=sample("contact_unknown").decode()
        ),
        NORMAL,
        PERSON,
    ),
    "card_press": (pressed({"choice": ("one", "two"), "other": ("three",)}), REMOVAL, CARD),
    "card_press_opiton": (pressed({"choice": ("one",)}), REMOVAL, CARD),
    "card_press_plain": (pressed({}), REMOVAL, CARD),
    "tag": (
        events.TagChanged(at=AT, change="create", tag_id="etTag", tag_type="tag", strategy_id="1"),
        NORMAL,
        None,
    ),
    "staff_update": (
        events.StaffChanged(
            at=AT, change="update_user", userid="zhangsan", new_userid="zhangsan1", fields={"Department": "1,2"}
        ),
        NORMAL,
        None,
    ),
    "staff_text": (
        events.UnknownEvent(at=AT, event="text", change="", xml=sample("staff_text").decode()),
        NORMAL,
        None,
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_callback_becomes_its_event(name: str) -> None:
    """Every documented callback, in every spelling that was seen, becomes exactly its typed event."""
    assert read_event(sample(name)) == TABLE[name][0]


@pytest.mark.parametrize("name", TABLE)
def test_each_callback_has_its_place_in_the_queue(name: str) -> None:
    """Welcome codes come first, removals next; what happens to one group, person or card keeps its order."""
    assert route(sample(name)) == TABLE[name][1:]


def test_every_sample_is_in_the_table() -> None:
    """No sample lies there unread."""
    assert {path.stem for path in (Path(__file__).parent / "samples").glob("*.xml")} == set(TABLE)


NEEDED = {
    "group_create": [b"ChatId", b"CreateTime", b"ChangeType"],
    "group_dismiss": [b"ChatId", b"CreateTime", b"ChangeType"],
    "group_join_items": [b"ChatId", b"CreateTime", b"ChangeType"],
    "contact_add": [b"UserID", b"ExternalUserID", b"CreateTime", b"ChangeType"],
    "contact_edit": [b"UserID", b"ExternalUserID", b"CreateTime"],
    "card_press": [b"TaskId", b"FromUserName", b"CreateTime"],
    "tag": [b"ChangeType", b"CreateTime"],
    "staff_update": [b"ChangeType", b"CreateTime"],
}


@pytest.mark.parametrize(("name", "tag"), [(name, tag) for name, tags in NEEDED.items() for tag in tags])
def test_what_lacks_something_is_unknown_and_kept_whole(name: str, tag: bytes) -> None:
    """A callback without a field that its event cannot do without is kept, every byte of it, as unknown."""
    xml = sample(name).replace(b"<" + tag + b">", b"<Other>").replace(b"</" + tag + b">", b"</Other>")
    event = read_event(xml)
    assert isinstance(event, events.UnknownEvent)
    assert event.xml == xml.decode()
    assert event.at == (datetime.fromtimestamp(0, UTC) if tag == b"CreateTime" else AT)


@pytest.mark.parametrize("time", ["", "soon", "-1", "253402300800", "9" * 30, "1.5", "１"])
def test_times_that_cannot_be_are_unknown(time: str) -> None:
    """A CreateTime that is no time makes an unknown event and never an exception."""
    xml = sample("group_create").replace(b"1403610513", time.encode())
    assert isinstance(read_event(xml), events.UnknownEvent)


@pytest.mark.parametrize(
    ("scene", "read"), [("-1", -1), ("99", 99), ("0", 0), ("many", None), ("", None), ("9" * 30, None)]
)
def test_scenes_are_open_numbers(scene: str, read: int | None) -> None:
    """Any number is a scene; what is none is None, and the event is read all the same."""
    event = read_event(sample("group_join_items").replace(b"<JoinScene>3<", f"<JoinScene>{scene}<".encode()))
    assert isinstance(event, events.MembersJoined)
    assert event.join_scene == read


def test_two_joins_in_one_second_are_two_events() -> None:
    """Nothing of what tells two callbacks of one second apart is lost."""
    other = sample("group_join_one_item").replace(b"Jack", b"Rose")
    assert read_event(sample("group_join_one_item")) != read_event(other)


def test_what_is_not_xml_is_bad_xml_and_nobodys_turn() -> None:
    """Broken XML is BadXml for the reader, and an ordinary row for the queue."""
    with pytest.raises(BadXml):
        read_event(b"<xml><Event>change")
    assert route(b"<xml><Event>change") == (NORMAL, None)


TAGS = st.sampled_from(
    [
        "Event",
        "ChangeType",
        "UpdateDetail",
        "ChatId",
        "UserID",
        "ExternalUserID",
        "TaskId",
        "WelcomeCode",
        "CreateTime",
        "FromUserName",
        "MemChangeList",
        "Item",
        "JoinScene",
        "SelectedItems",
        "SelectedItem",
        "QuestionKey",
        "OptionIds",
        "OpitonIds",
        "OptionId",
        "Id",
    ]
)
VALUES = st.sampled_from(
    [
        "change_external_chat",
        "change_external_contact",
        "template_card_event",
        "change_external_tag",
        "change_contact",
        "update",
        "create",
        "add_member",
        "del_member",
        "add_external_contact",
        "1403610513",
        "wrAbc",
        "wmXyz",
        "zhangsan",
        "a,b",
    ]
) | st.text("abc,0 \n群é", max_size=8)
NODES: st.SearchStrategy[str] = st.recursive(
    VALUES, lambda inner: st.lists(st.tuples(TAGS, inner), max_size=8).map(lambda parts: "".join(map(element, parts)))
)


def element(part: tuple[str, str]) -> str:
    return f"<{part[0]}>{part[1]}</{part[0]}>"


@given(st.lists(st.tuples(TAGS, NODES), max_size=14))
def test_strange_callbacks_never_raise(parts: list[tuple[str, str]]) -> None:
    """Whatever well-formed callback comes, of known fields in any arrangement, is some event with an aware time."""
    xml = f"<xml>{''.join(map(element, parts))}</xml>".encode()
    assert read_event(xml).at.tzinfo is not None
    assert route(xml)[0] in (WELCOME, REMOVAL, NORMAL)


@given(st.binary(max_size=200))
def test_rubbish_is_bad_xml_or_unknown(data: bytes) -> None:
    """Bytes of any kind are BadXml or an event, and always have a place in the queue."""
    assert route(data) == (NORMAL, None)
    with contextlib.suppress(BadXml):
        read_event(data)


@given(
    st.sampled_from(["wrAbc", "wr_-09", "wmXyz-_", "case-1@x"]),
    st.sampled_from(["{}", "<![CDATA[{}]]>", " {} ", "\n<![CDATA[{}]]>\n"]),
)
def test_the_queue_and_the_reader_name_the_same_subject(subject: str, spelling: str) -> None:
    """The ordering key, found without a parser, is the id that the event carries, in either spelling of text."""
    written = spelling.format(subject).encode()
    group = sample("group_join_items").replace(b"<![CDATA[wrAbc]]>", written)
    joined_event = read_event(group)
    assert isinstance(joined_event, events.MembersJoined)
    assert route(group)[1] == f"group:{joined_event.chat_id}" == f"group:{subject}"
    card = sample("card_press").replace(b"<![CDATA[case-7_1@a]]>", written)
    card_event = read_event(card)
    assert isinstance(card_event, events.CardPressed)
    assert route(card)[1] == f"card:{card_event.task_id}" == f"card:{subject}"
