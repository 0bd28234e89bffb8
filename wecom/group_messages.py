"""What the platform says of 企业群发: which there are, who has confirmed them, what each group or customer got.

Making, reminding of and stopping them are commands (wecom/commands.py). All raise PlatformError.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime

from rules.value import Value
from wecom.answers import moment, reading
from wecom.gateway import Gateway


class ListedSend(Value):
    """A 企业群发 as the list has it. `creator`: "" where an app made it; the list says not to whom it goes."""

    msgid: str
    created_at: AwareDatetime | None
    creator: str
    text: str
    attachments: tuple[str, ...]


async def listed_sends(
    gateway: Gateway, chat_type: str, *, since: datetime, until: datetime, by_staff: bool = False
) -> tuple[ListedSend, ...]:
    """What was made in that time, a month at most, by apps or by staff themselves (page 93338). The newest first."""
    path = "externalcontact/get_groupmsg_list_v2"
    body = {
        "chat_type": chat_type,
        "start_time": int(since.timestamp()),
        "end_time": int(until.timestamp()) + 1,
        "filter_type": 1 if by_staff else 0,
        "limit": 100,
    }
    rows = await _all_rows(gateway, path, body, "group_msg_list")
    with reading(path):
        return tuple(_listed_send(row) for row in rows)


def _listed_send(row: Mapping[str, Any]) -> ListedSend:
    return ListedSend(
        msgid=row["msgid"],
        created_at=moment(int(row.get("create_time") or 0)),
        creator=row.get("creator") or "",
        text=(row.get("text") or {}).get("content") or "",
        attachments=tuple(each.get("msgtype") or "" for each in row.get("attachments") or ()),
    )


async def senders(gateway: Gateway, msgid: str) -> dict[str, datetime | None]:
    """Who is to confirm a 企业群发, and when each of them did; None: not yet (page 93338)."""
    path = "externalcontact/get_groupmsg_task"
    rows = await _all_rows(gateway, path, {"msgid": msgid, "limit": 1000}, "task_list")
    with reading(path):
        return {row["userid"]: _sent_at(row, 2) for row in rows}


class Outcome(Value):
    """What one group or customer got. `status` 0 nothing yet, 1 arrived, 2 no friend, 3 had all it may get."""

    status: int
    at: AwareDatetime | None


async def send_results(gateway: Gateway, msgid: str, userid: str) -> dict[str, Outcome]:
    """By chat_id or external_userid. What was not sent yet may have no row at all: that is no failure (page 93338)."""
    path = "externalcontact/get_groupmsg_send_result"
    rows = await _all_rows(gateway, path, {"msgid": msgid, "userid": userid, "limit": 1000}, "send_list")
    with reading(path):
        return {
            row.get("chat_id") or row["external_userid"]: Outcome(
                status=int(row["status"]), at=moment(row.get("send_time"))
            )
            for row in rows
        }


def _sent_at(row: Mapping[str, Any], status: int) -> datetime | None:
    """A confirmation without its time has one all the same: the beginning of time."""
    if int(row["status"]) != status:
        return None
    return moment(row.get("send_time")) or datetime.fromtimestamp(0, UTC)


async def _all_rows(gateway: Gateway, path: str, body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The rows of all pages."""
    found: list[Mapping[str, Any]] = []
    cursor, seen = "", {""}
    while True:
        answer = await gateway.post(path, {**body, "cursor": cursor}, reads=True)
        found += answer.get(name) or ()
        cursor = answer.get("next_cursor") or ""
        if cursor in seen:
            return found
        seen.add(cursor)
