"""企业群发: add_msg_template (page 92135), lists of what became of it (93338), reminding, stopping (97610, 97611).

Also media/upload (page 90253), which is how pictures get into it.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from simulator.api.call import Call, Json, strings
from simulator.errors import ApiError
from simulator.group_messages import SENT, UNSENT, ChatType, is_good, keep_media
from simulator.world import World

MOST_TEXT = 4000  # bytes
MOST_ATTACHMENTS = 9
MOST_CHATS, MOST_PEOPLE = 2000, 10_000
A_MONTH = timedelta(days=31)
Item = TypeVar("Item")

# msgtype → fields that must be there, fields that may be, with their bytes at most; "media": a media_id of that kind.
_ATTACHMENTS: Mapping[str, Mapping[str, tuple[bool, int | str]]] = {
    "image": {"media_id": (False, "image"), "pic_url": (False, 2048)},
    "link": {"title": (True, 128), "url": (True, 2048), "picurl": (False, 2048), "desc": (False, 512)},
    "miniprogram": {"title": (True, 64), "pic_media_id": (True, "image"), "appid": (True, 128), "page": (True, 2048)},
    "video": {"media_id": (True, "video")},
    "file": {"media_id": (True, "file")},
}


def add_msg_template(world: World, call: Call) -> Json:
    """Not idempotent. `fail_list`: who cannot be sent to; where that is everybody, 41048 (for groups: [NV])."""
    chat_type = _chat_type(call)
    text, attachments = _text(call), _attachments(world, call)
    if not text and not attachments:
        raise ApiError(40063, "text and attachments")
    allow_select = call.body.get("allow_select", False)
    if not isinstance(allow_select, bool):
        raise ApiError(40058, "allow_select")
    targets, failed = _groups(world, call) if chat_type == "group" else _people(world, call)
    if not any(targets.values()):
        raise ApiError(41048)
    task = world.group_messages.add(chat_type, targets, text, attachments)
    return {"fail_list": failed, "msgid": task.msgid}


def _chat_type(call: Call) -> ChatType:
    value = call.body.get("chat_type", "single")
    if value not in ("single", "group"):
        raise ApiError(40058, "chat_type")
    return "group" if value == "group" else "single"


def _sender(world: World, call: Call) -> str:
    userid = call.text("sender")
    staff = world.staff.get(userid)
    if staff is None or staff.left:
        raise ApiError(60111, "sender")
    if not staff.visible:
        raise ApiError(60011, "sender")
    if not staff.serves:
        raise ApiError(84083, "sender")
    return userid


def _groups(world: World, call: Call) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Without a chat_id_list it goes to every group of the sender."""
    sender = _sender(world, call)
    theirs = [each.chat_id for each in world.groups.values() if each.owner == sender and not each.dismissed]
    asked = strings(call.body.get("chat_id_list") or [], "chat_id_list", MOST_CHATS)
    wanted = list(dict.fromkeys(asked)) or theirs
    good = tuple(each for each in wanted if each in set(theirs))
    return {sender: good}, [each for each in wanted if each not in good]


def _people(world: World, call: Call) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """By one sender to those who have added them; without a sender, by whoever of the staff has added each."""
    wanted = list(dict.fromkeys(strings(call.body.get("external_userid") or [], "external_userid", MOST_PEOPLE)))
    if "sender" not in call.body and not wanted:
        raise ApiError(40063, "sender and external_userid")
    sender = _sender(world, call) if "sender" in call.body else None
    if not wanted and sender:
        wanted = [each.id for each in world.customers.values() if sender in each.follows]
    targets: dict[str, tuple[str, ...]] = {}
    failed = []
    for external_userid in wanted:
        person = world.customers.get(external_userid)
        followers = [each for each in person.follows if sender in (None, each)] if person else []
        if followers:
            targets[followers[0]] = (*targets.get(followers[0], ()), external_userid)
        else:
            failed.append(external_userid)
    return targets, failed


def _text(call: Call) -> str:
    text: Any = call.body.get("text")
    if text is None:
        return ""
    content = text.get("content") if isinstance(text, Mapping) else None
    if content is None or not isinstance(content, str):
        raise ApiError(40058, "text.content must be a string")
    if len(content.encode()) > MOST_TEXT:
        raise ApiError(45002, f"text.content has {len(content.encode())} bytes")
    return content


def _attachments(world: World, call: Call) -> list[dict[str, Any]]:
    given = call.body.get("attachments") or []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ApiError(40058, "attachments")
    if len(given) > MOST_ATTACHMENTS:
        raise ApiError(40058, f"more than {MOST_ATTACHMENTS} attachments")
    for each in given:
        kind = each.get("msgtype")
        known, content = _ATTACHMENTS.get(str(kind)), each.get(str(kind))
        if known is None:
            raise ApiError(41065, str(kind))
        if not isinstance(content, dict):
            raise ApiError(40058, str(kind))
        _check_attachment(world, str(kind), known, content)
    return given


def _check_attachment(
    world: World, kind: str, known: Mapping[str, tuple[bool, int | str]], content: Mapping[str, Any]
) -> None:
    for name, (needed, most) in known.items():
        value = content.get(name)
        if not value:
            if needed:
                raise ApiError(40058, f"{kind}.{name}")
        elif not isinstance(value, str) or (isinstance(most, int) and len(value.encode()) > most):
            raise ApiError(40058, f"{kind}.{name}")
        elif isinstance(most, str) and not is_good(world, value, most):
            raise ApiError(40007, f"{kind}.{name}")
    if kind == "image" and not (content.get("media_id") or content.get("pic_url")):
        raise ApiError(40058, "image: media_id or pic_url")


# --- what became of it ------------------------------------------------------------------------------------------------


def groupmsg_list(world: World, call: Call) -> Json:
    """Tasks made by apps have no creator (page 96355). Says neither who sends them nor to whom."""
    chat_type = _chat_type(call)
    start, end = _moment(call, "start_time"), _moment(call, "end_time")
    if end < start or end - start > A_MONTH:
        raise ApiError(40058, "start_time, end_time: at most a month")
    filter_type = call.number("filter_type", 0, 2, default=2)
    creator = call.body.get("creator")
    listed = world.group_messages.listed(chat_type, start, end)
    found = [
        task
        for task in listed
        if filter_type in (2, int(task.by_staff)) and (not creator or (task.by_staff and creator in task.targets))
    ]
    page, cursor = _page(found, call, most=100)
    rows = []
    for task in page:
        row: Json = {
            "msgid": task.msgid,
            "create_time": str(int(task.at.timestamp())),
            "create_type": int(task.by_staff),
            "text": {"content": task.text},
            "attachments": task.attachments,
        }
        if task.by_staff:
            row["creator"] = next(iter(task.targets))
        rows.append(row)
    return {"group_msg_list": rows, "next_cursor": cursor}


def groupmsg_task(world: World, call: Call) -> Json:
    """Of each sender whether they have confirmed."""
    task = _task(world, call)
    rows: list[Json] = []
    for userid in task.targets:
        at = task.confirmed.get(userid)
        row: Json = {"userid": userid, "status": SENT if at else UNSENT}
        if at:
            row["send_time"] = int(at.timestamp())
        rows.append(row)
    page, cursor = _page(rows, call, most=1000)
    return {"task_list": page, "next_cursor": cursor}


def groupmsg_send_result(world: World, call: Call) -> Json:
    """What each group or customer of one sender got. A group that was not sent to yet has no row (page 93338)."""
    task = _task(world, call)
    page, cursor = _page(list(world.group_messages.rows(task, call.text("userid"))), call, most=1000)
    return {"send_list": page, "next_cursor": cursor}


def remind(world: World, call: Call) -> Json:
    _settled(world)
    world.group_messages.remind(call.text("msgid"))
    return {}


def cancel(world: World, call: Call) -> Json:
    _settled(world)
    world.group_messages.cancel(call.text("msgid"))
    return {}


def _task(world: World, call: Call) -> Any:
    _settled(world)
    return world.group_messages.task(call.text("msgid"))


def _settled(world: World) -> None:
    """A task that is being dispatched can neither be asked about nor changed."""
    if world.strikes("dispatching"):
        raise ApiError(41063)


def _moment(call: Call, name: str) -> datetime:
    return datetime.fromtimestamp(call.number(name, 1, 4_000_000_000), UTC)


def _page(found: Sequence[Item], call: Call, *, most: int) -> tuple[list[Item], str]:
    limit = call.number("limit", 1, most, default=min(50, most) if most == 100 else 500)
    start = _position(call.body.get("cursor") or "")
    more = start + limit < len(found)
    return list(found[start : start + limit]), _cursor(start + limit) if more else ""


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def _position(cursor: object) -> int:
    try:
        return int(base64.urlsafe_b64decode(str(cursor))) if cursor else 0
    except (binascii.Error, ValueError):
        raise ApiError(40058, "cursor") from None


# --- files ------------------------------------------------------------------------------------------------------------

_SIZES = {"image": 10, "voice": 2, "video": 10, "file": 20}  # MB at most; more than 5 bytes each
_ENDINGS = {"image": (".jpg", ".jpeg", ".png"), "video": (".mp4",), "voice": (".amr",)}


def media_upload(world: World, call: Call) -> Json:
    """multipart/form-data with one file called `media`; `type` in the query. `created_at` is a string."""
    kind = call.query.get("type", "")
    if kind not in _SIZES:
        raise ApiError(40004, "type")
    name, content = call.body.get("filename"), call.body.get("content")
    if not isinstance(name, str) or not isinstance(content, bytes):
        raise ApiError(44001)
    if not 5 < len(content) <= _SIZES[kind] * 1024 * 1024:
        raise ApiError(40006, f"{len(content)} bytes")
    if kind in _ENDINGS and not name.lower().endswith(_ENDINGS[kind]):
        raise ApiError(40005, name)
    made = keep_media(world, kind, name, len(content))
    return {"type": kind, "media_id": made.media_id, "created_at": str(int(made.at.timestamp()))}


def parse_upload(body: bytes) -> Json:
    """The file in a multipart body, as {"filename", "content"}; {} where there is none."""
    boundary, _, rest = body.partition(b"\r\n")
    head, _, content = rest.partition(b"\r\n\r\n")
    disposition = head.decode(errors="replace")
    if not boundary.startswith(b"--") or 'name="media"' not in disposition or 'filename="' not in disposition:
        return {}
    content, found, _ = content.partition(b"\r\n" + boundary)
    if not found:
        return {}
    return {"filename": disposition.split('filename="', 1)[1].split('"', 1)[0], "content": content}
