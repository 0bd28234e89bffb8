"""The XML that the platform posts (pages 92130, 92277, 90240), before encryption. Pure: values in, text out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass
class CallbackSettings:
    """What the documents leave open [NV], and what tests want otherwise.

    `member_list`: how MemChangeList comes: `<Item>` elements, an older comma string, or not at all.
    `option_ids_tag`: the official sample spells it `OpitonIds` in places.
    `retry_non_200`: the older text says that any answer but 200 is retried, the newer one only lost connections.
    """

    delay: timedelta = timedelta(0)
    tries: int = 3
    deadline: timedelta = timedelta(seconds=5)
    retry_after: timedelta = timedelta(seconds=5)
    retry_non_200: bool = False
    member_list: Literal["items", "string", "absent"] = "items"
    option_ids_tag: Literal["OptionIds", "OpitonIds"] = "OptionIds"


@dataclass(frozen=True)
class Callback:
    """One event on its way. `kind` is for people: `change_external_chat/update/add_member`. `number` counts from 1."""

    number: int
    kind: str
    at: datetime
    xml: str


@dataclass(frozen=True)
class Attempt:
    """The n-th try (1, 2, 3) to deliver a callback."""

    callback: Callback
    n: int = 1


@dataclass(frozen=True)
class RosterChange:
    """Who came or went. `scene` is JoinScene (0 invited, 3 scanned) or QuitScene (0 left, 1 removed)."""

    joined: bool
    scene: int
    members: Sequence[str]
    last_version: str
    version: str


def _cdata(value: str) -> str:
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _event(corp_id: str, at: datetime, event: str, *, sender: str = "sys", rest: Iterable[tuple[str, str]]) -> str:
    head = [
        ("ToUserName", _cdata(corp_id)),
        ("FromUserName", _cdata(sender)),
        ("CreateTime", str(int(at.timestamp()))),
        ("MsgType", _cdata("event")),
        ("Event", _cdata(event)),
    ]
    return "<xml>" + "".join(f"<{tag}>{value}</{tag}>" for tag, value in [*head, *rest]) + "</xml>"


def chat_event(
    corp_id: str,
    at: datetime,
    chat_id: str,
    change: str,
    *,
    detail: str = "",
    roster: RosterChange | None = None,
    member_list: str = "items",
) -> str:
    """change_external_chat: `change` is create, update or dismiss; `detail` is UpdateDetail."""
    rest = [("ChatId", _cdata(chat_id)), ("ChangeType", _cdata(change))]
    if detail:
        rest.append(("UpdateDetail", _cdata(detail)))
    if roster:
        rest += _roster_fields(roster, member_list)
    return _event(corp_id, at, "change_external_chat", rest=rest)


def _roster_fields(roster: RosterChange, member_list: str) -> list[tuple[str, str]]:
    fields = [
        ("JoinScene", str(roster.scene if roster.joined else 0)),
        ("QuitScene", str(0 if roster.joined else roster.scene)),
        ("MemChangeCnt", str(len(roster.members))),
    ]
    if member_list == "items":
        fields.append(("MemChangeList", "".join(f"<Item>{_cdata(each)}</Item>" for each in roster.members)))
    elif member_list == "string":
        fields.append(("MemChangeList", _cdata(",".join(roster.members))))
    return [*fields, ("LastMemVer", _cdata(roster.last_version)), ("CurMemVer", _cdata(roster.version))]


def contact_event(
    corp_id: str, at: datetime, change: str, *, userid: str, external_userid: str, extra: Mapping[str, str | None]
) -> str:
    """change_external_contact; of `extra` (State, WelcomeCode, Source …) what is None is left out."""
    rest = [("ChangeType", change), ("UserID", userid), ("ExternalUserID", external_userid)]
    rest += [(tag, value) for tag, value in extra.items() if value is not None]
    return _event(corp_id, at, "change_external_contact", rest=[(tag, _cdata(value)) for tag, value in rest])


@dataclass(frozen=True)
class Press:
    """A pressed button. `selected`: question key → chosen option ids."""

    userid: str
    key: str
    task_id: str
    card_type: str
    response_code: str
    agent_id: int
    selected: Mapping[str, Sequence[str]]


def card_event(corp_id: str, at: datetime, press: Press, *, option_ids_tag: str = "OptionIds") -> str:
    """template_card_event (page 90240); FromUserName is who pressed."""
    rest = [
        ("EventKey", _cdata(press.key)),
        ("TaskId", _cdata(press.task_id)),
        ("CardType", _cdata(press.card_type)),
        ("ResponseCode", _cdata(press.response_code)),
        ("AgentID", str(press.agent_id)),
    ]
    if press.selected:
        items = "".join(_selected_item(key, ids, option_ids_tag) for key, ids in press.selected.items())
        rest.append(("SelectedItems", items))
    return _event(corp_id, at, "template_card_event", sender=press.userid, rest=rest)


def _selected_item(key: str, ids: Sequence[str], tag: str) -> str:
    options = "".join(f"<OptionId>{_cdata(each)}</OptionId>" for each in ids)
    return f"<SelectedItem><QuestionKey>{_cdata(key)}</QuestionKey><{tag}>{options}</{tag}></SelectedItem>"
