"""What a message source delivers (docs/messages.md): the shape of a batch, read item by item.

One bad item never stops the others. `Batch` is the shape as a whole: docs/messages.schema.json is made of it.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from rules.events import MessagePosted
from store.inbox import DIGESTS_KEPT

MOST_ITEMS = 1_000
MOST_TEXT = 5_000
"""Characters; what comes after them is dropped."""

OLDEST = DIGESTS_KEPT
"""A message older than this may have been worked on and forgotten: sent again, it would count twice."""

AHEAD = timedelta(minutes=10)
"""How far a source's clock may be ahead of ours."""

_MOST_MSGID = 256
_MOST_ERROR = 300  # characters: an unknown field's name may be as long as the sender likes
_SECONDS = (datetime(2001, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp())
"""A number between these is a time in seconds: as milliseconds it would be a day in January 1970."""


class BadBatch(Exception):  # noqa: N818  # says what it is
    """The whole cannot be read; the text says why, in English."""


class TooMany(BadBatch):
    """More than MOST_ITEMS."""


class BadItem(Exception):  # noqa: N818  # likewise
    """One item cannot be read; the text says why, in English, and quotes no value."""


def _moment(value: Any) -> Any:
    """Text or milliseconds → an aware moment. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("must be text (ISO 8601 with a time zone) or a whole number (milliseconds)")
    if isinstance(value, int) and _SECONDS[0] < value < _SECONDS[1]:
        raise ValueError("is in seconds; milliseconds are wanted")
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value // 1000, UTC) + timedelta(milliseconds=value % 1000)
        moment = datetime.fromisoformat(value)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("is no time (write 2026-11-25T20:00:00+08:00, or milliseconds)") from None
    if moment.tzinfo is None:
        raise ValueError("has no time zone (write 2026-11-25T20:00:00+08:00, or milliseconds)")
    return utc


def _cut(text: str) -> str:
    return text[:MOST_TEXT]


def _storable(value: Any) -> Any:
    """Half an emoji and NUL, which no database keeps, are replaced."""
    return value.encode(errors="replace").decode().replace("\x00", "?") if isinstance(value, str) else value


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")]
"""An id of the platform's: printable ASCII without spaces."""

Time = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time", "examples": ["2026-11-25T20:00:00+08:00"]},
                {"type": "integer", "description": "milliseconds since 1970, as the archive's msgtime"},
            ]
        }
    ),
]


class Message(BaseModel):
    """One message in a customer group."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    msgid: Annotated[str, Field(min_length=1, max_length=_MOST_MSGID, pattern=r"^[!-~]+$")] = Field(
        description="Unique for ever; a message that comes again under its msgid has no second effect."
    )
    chat_id: Id = Field(description="The customer group (wr…); the archive's roomid.")
    sender: Id = Field(description="external_userid (wm…, wo…) or the userid of a member of staff; the archive's from.")
    time: Time = Field(
        description=f"When it was sent: ISO 8601 with a time zone, or milliseconds. Not older than {OLDEST.days} days."
    )
    type: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")] = Field(
        "text", description="As the archive names it: text, link, weapp, image, card … An open list."
    )
    text: Annotated[str, BeforeValidator(_storable), AfterValidator(_cut)] = Field(
        "",
        description="What there is to read: of a link its title, description and address, a line each. "
        f"What comes after {MOST_TEXT} characters is dropped.",
    )


class Batch(BaseModel):
    """The body of POST /ingest/messages."""

    model_config = ConfigDict(strict=True, extra="forbid", title="Messages for POST /ingest/messages")

    messages: Annotated[list[Message], Field(max_length=MOST_ITEMS)] = Field(
        description="In the order in which they were sent, as far as that is known."
    )


def read_batch(body: bytes) -> list[Any]:
    """The items, not looked at yet. Raises BadBatch."""
    try:
        whole = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise BadBatch("the body is not JSON in UTF-8") from None
    if not isinstance(whole, dict) or set(whole) != {"messages"} or not isinstance(whole["messages"], list):
        raise BadBatch('the body must be {"messages": [ … ]}, with nothing beside it')
    items: list[Any] = whole["messages"]
    if len(items) > MOST_ITEMS:
        raise TooMany(f"{len(items)} messages at once; at most {MOST_ITEMS}: send them in several calls")
    return items


def read_item(item: Any, now: datetime) -> MessagePosted:
    """One item as what happened. Raises BadItem."""
    try:
        message = Message.model_validate(item)
    except ValidationError as error:
        raise BadItem(_reasons(error)) from None
    if message.time < now - OLDEST:
        raise BadItem(f"time: is more than {OLDEST.days} days ago")
    if message.time > now + AHEAD:
        raise BadItem("time: is in the future; is the clock right?")
    return MessagePosted(
        at=message.time,
        chat_id=message.chat_id,
        msgid=message.msgid,
        sender=message.sender,
        type=message.type,
        text=message.text,
    )


def msgid_of(item: Any) -> str | None:
    """The msgid of an item that was refused, where it has one."""
    msgid = item.get("msgid") if isinstance(item, dict) else None
    return str(_storable(msgid[:_MOST_MSGID])) if isinstance(msgid, str) else None


def _reasons(error: ValidationError) -> str:
    reasons = [_reason(problem) for problem in error.errors(include_url=False, include_input=False)]
    return str(_storable("; ".join(reasons)[:_MOST_ERROR]))


def _reason(problem: Any) -> str:
    field = ".".join(map(str, problem["loc"]))
    said = _REASONS.get(problem["type"])
    words = said.format(**problem.get("ctx", {})) if said else str(problem["msg"]).removeprefix("Value error, ")
    return f"{field}: {words}" if field else words


_REASONS = {
    "model_type": "a message must be an object",
    "model_attributes_type": "a message must be an object",
    "missing": "is missing",
    "extra_forbidden": f"unknown field (there are {', '.join(Message.model_fields)})",
    "string_type": "must be text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "must be printable ASCII without spaces",
    "string_unicode": "must be printable ASCII without spaces",
}
