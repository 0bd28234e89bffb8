"""Decrypted callback → Event, and decrypted callback → its place in the queue. Pure (pages 92130, 92277, 90240).

`read_event` believes nothing to be there: a callback that lacks what its event needs becomes an UnknownEvent, which
keeps the whole text. To support a new kind: add its class to `rules/events/` and one line to a table below.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from rules import events
from rules.lanes import NORMAL, REMOVAL, WELCOME
from wecom.xml import Child, Node, read_xml

# --- bytes → Event ----------------------------------------------------------------------------------------------------

Reader = Callable[[Node, datetime], events.AnyEvent]


class _Strange(Exception):  # noqa: N818 - says what the callback is, not that we failed
    """The callback lacks what its event needs."""


def read_event(xml: bytes) -> events.AnyEvent:
    """What happened. Raises BadXml where `xml` is not XML, and nothing else.

    `at` is the platform's CreateTime; 1970-01-01 for an unknown event without one.
    """
    node = read_xml(xml)
    event = _text(node, "Event") or _text(node, "MsgType") or ""
    change = _text(node, "ChangeType") or ""
    at = _time(node)
    reader = _READERS.get((event, change)) or _READERS.get((event, None))
    if reader is not None and at is not None:
        try:
            return reader(node, at)
        except _Strange:
            pass
    whole = xml.decode("utf-8", "replace")
    return events.UnknownEvent(at=at or datetime.fromtimestamp(0, UTC), event=event, change=change, xml=whole)


def _group_created(node: Node, at: datetime) -> events.AnyEvent:
    return events.GroupCreated(at=at, chat_id=_need(node, "ChatId"))


def _group_dismissed(node: Node, at: datetime) -> events.AnyEvent:
    return events.GroupDismissed(at=at, chat_id=_need(node, "ChatId"))


def _group_updated(node: Node, at: datetime) -> events.AnyEvent:
    chat_id, detail = _need(node, "ChatId"), _text(node, "UpdateDetail") or ""
    if detail == "add_member":
        return events.MembersJoined(
            at=at,
            chat_id=chat_id,
            members=_members(node),
            count=_number(node, "MemChangeCnt"),
            last_version=_text(node, "LastMemVer"),
            version=_text(node, "CurMemVer"),
            join_scene=_number(node, "JoinScene"),
        )
    if detail == "del_member":
        return events.MembersLeft(
            at=at,
            chat_id=chat_id,
            members=_members(node),
            count=_number(node, "MemChangeCnt"),
            last_version=_text(node, "LastMemVer"),
            version=_text(node, "CurMemVer"),
            quit_scene=_number(node, "QuitScene"),
        )
    return events.GroupChanged(at=at, chat_id=chat_id, detail=detail)


def _contact_added(node: Node, at: datetime) -> events.AnyEvent:
    return events.ContactAdded(
        at=at,
        userid=_need(node, "UserID"),
        external_userid=_need(node, "ExternalUserID"),
        half=_text(node, "ChangeType") == "add_half_external_contact",
        state=_text(node, "State"),
        welcome_code=_text(node, "WelcomeCode"),
    )


def _contact_edited(node: Node, at: datetime) -> events.AnyEvent:
    return events.ContactEdited(at=at, userid=_need(node, "UserID"), external_userid=_need(node, "ExternalUserID"))


def _contact_deleted(node: Node, at: datetime) -> events.AnyEvent:
    return events.ContactDeleted(
        at=at,
        userid=_need(node, "UserID"),
        external_userid=_need(node, "ExternalUserID"),
        source=_text(node, "Source"),
    )


def _staff_deleted(node: Node, at: datetime) -> events.AnyEvent:
    return events.StaffDeletedByContact(
        at=at, userid=_need(node, "UserID"), external_userid=_need(node, "ExternalUserID")
    )


def _transfer_failed(node: Node, at: datetime) -> events.AnyEvent:
    return events.TransferFailed(
        at=at,
        userid=_need(node, "UserID"),
        external_userid=_need(node, "ExternalUserID"),
        reason=_text(node, "FailReason"),
    )


def _archive_approved(node: Node, at: datetime) -> events.AnyEvent:
    return events.ArchiveApproved(
        at=at,
        userid=_need(node, "UserID"),
        external_userid=_need(node, "ExternalUserID"),
        welcome_code=_text(node, "WelcomeCode"),
    )


def _card_pressed(node: Node, at: datetime) -> events.AnyEvent:
    return events.CardPressed(
        at=at,
        userid=_need(node, "FromUserName"),
        task_id=_need(node, "TaskId"),
        button=_text(node, "EventKey") or "",
        card_type=_text(node, "CardType") or "",
        response_code=_text(node, "ResponseCode"),
        selected=_selected(node),
    )


def _tag_changed(node: Node, at: datetime) -> events.AnyEvent:
    return events.TagChanged(
        at=at,
        change=_need(node, "ChangeType"),
        tag_id=_text(node, "Id"),
        tag_type=_text(node, "TagType"),
        strategy_id=_text(node, "StrategyId"),
    )


_HEADER = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "ChangeType", "UserID", "NewUserID"}


def _staff_changed(node: Node, at: datetime) -> events.AnyEvent:
    return events.StaffChanged(
        at=at,
        change=_need(node, "ChangeType"),
        userid=_text(node, "UserID"),
        new_userid=_text(node, "NewUserID"),
        fields={tag: value for tag, value in node.items() if isinstance(value, str) and tag not in _HEADER},
    )


# (Event, ChangeType) → its reader; None stands for every ChangeType that has no line of its own.
_READERS: dict[tuple[str, str | None], Reader] = {
    ("change_external_chat", "create"): _group_created,
    ("change_external_chat", "update"): _group_updated,
    ("change_external_chat", "dismiss"): _group_dismissed,
    ("change_external_contact", "add_external_contact"): _contact_added,
    ("change_external_contact", "add_half_external_contact"): _contact_added,
    ("change_external_contact", "edit_external_contact"): _contact_edited,
    ("change_external_contact", "del_external_contact"): _contact_deleted,
    ("change_external_contact", "del_follow_user"): _staff_deleted,
    ("change_external_contact", "transfer_fail"): _transfer_failed,
    ("change_external_contact", "msg_audit_approved"): _archive_approved,
    ("template_card_event", None): _card_pressed,
    ("change_external_tag", None): _tag_changed,
    ("change_contact", None): _staff_changed,
}


# --- fields -----------------------------------------------------------------------------------------------------------


def _text(node: Node, tag: str) -> str | None:
    """The tag's text; None where it is absent, empty, doubled or not text."""
    value = node.get(tag)
    return value.strip() or None if isinstance(value, str) else None


def _need(node: Node, tag: str) -> str:
    value = _text(node, tag)
    if value is None:
        raise _Strange
    return value


_NUMBER = re.compile(r"-?[0-9]{1,18}")


def _number(node: Node, tag: str) -> int | None:
    value = _text(node, tag)
    return int(value) if value and _NUMBER.fullmatch(value) else None


def _time(node: Node) -> datetime | None:
    """CreateTime, in seconds since 1970; None where it is absent or beyond the year 9999."""
    seconds = _number(node, "CreateTime")
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds < 253_402_300_800 else None


def _each(value: Child | None) -> Iterable[str | Node]:
    """A tag that came once or several times, as one list."""
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _texts(value: Child | None) -> tuple[str, ...]:
    """The texts of an element's children, whatever these are called; or its own text."""
    found: list[str] = []
    for part in _each(value):
        children = part.values() if isinstance(part, dict) else (part,)
        found += [text.strip() for child in children for text in _each(child) if isinstance(text, str)]
    return tuple(text for text in found if text)


def _members(node: Node) -> tuple[str, ...] | None:
    """MemChangeList: a list of <Item>, or the older `id1,id2`; None where the platform named nobody."""
    ids = [part.strip() for text in _texts(node.get("MemChangeList")) for part in text.split(",")]
    return tuple(part for part in ids if part) or None


def _selected(node: Node) -> dict[str, tuple[str, ...]]:
    """SelectedItems: question → chosen options. The platform spells OptionIds in two ways."""
    chosen: dict[str, tuple[str, ...]] = {}
    for items in _each(node.get("SelectedItems")):
        for item in _each(items.get("SelectedItem")) if isinstance(items, dict) else ():
            if isinstance(item, dict) and (question := _text(item, "QuestionKey")):
                chosen[question] = _texts(item.get("OptionIds")) + _texts(item.get("OpitonIds"))
    return chosen


# --- bytes → lane and ordering key ------------------------------------------------------------------------------------

# The fields that decide, wherever they stand. The callback was checked to be the platform's own: no parser is needed.
_DECIDING = re.compile(
    rb"<(Event|UpdateDetail|ChatId|ExternalUserID|TaskId|WelcomeCode)>\s*(?:<!\[CDATA\[)?\s*([^\s<>\]]+)"
)


def route(xml: bytes) -> tuple[int, str | None]:
    """The lane, and the key whose rows are worked on in the order they came: `group:…`, `person:…`,
    `welcome:…`, `card:…` or None.

    Never raises: what it does not understand is (NORMAL, None).
    """
    field = dict(_DECIDING.findall(xml))
    event = field.get(b"Event")
    if event == b"change_external_chat":
        lane = REMOVAL if field.get(b"UpdateDetail") in (b"add_member", b"del_member") else NORMAL
        return lane, _key("group", field.get(b"ChatId"))
    if event == b"change_external_contact":
        person = field.get(b"ExternalUserID")
        if b"WelcomeCode" in field:  # a key of its own: nothing else about the person may hold it up
            return WELCOME, _key("welcome", person)
        return NORMAL, _key("person", person)
    if event == b"template_card_event":
        return REMOVAL, _key("card", field.get(b"TaskId"))
    return NORMAL, None


def _key(kind: str, value: bytes | None) -> str | None:
    return f"{kind}:{value.decode('utf-8', 'replace')}" if value else None
