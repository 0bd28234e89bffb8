"""Sends: each is made once, followed until its sender has confirmed and every group has a result, or stopped.

Nothing tells when somebody confirms (page 93338): it is asked, again and again, ever less often. That a group has no
row yet is no failure. What for a send is made, and what follows from its end, is not known here: SendOver says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from loguru import logger

from handlers import asking
from rules.actions import (
    CancelSend,
    CardLine,
    CreateSend,
    Link,
    RemindSend,
    Sendable,
    SendNotice,
    SendText,
    UploadMedia,
)
from rules.book import Book
from rules.clock import BEIJING
from rules.decision import Decision
from rules.events import SendDue, SendOver
from rules.lanes import POSTS
from rules.send_life import RESULTS_WITHIN, SPACED, Planned, Step, next_look, passed, plan
from rules.send_words import NOT_KNOWN, NOT_TAKEN, say_by_hand, say_confirm, say_said, say_unconfirmed
from store import draws, inbox, media, outbox, roster, sends, staff
from store.database import Database, Tx
from store.sends import Got, SendResultRow, SendRow
from wecom import group_messages
from wecom.errors import PlatformError
from wecom.gateway import Gateway
from wecom.group_messages import Outcome

LAST_LOOK, LOOKS_AFTER = timedelta(hours=1), 2
"""What was stopped may have been confirmed just before: it is looked at twice more, the second time so much later."""

UPLOADS_TAKE = timedelta(seconds=10)
"""How soon to look whether a picture is uploaded."""

_GOT: Mapping[int, Got] = {1: "arrived", 2: "no_friend", 3: "capped"}


@dataclass(frozen=True)
class Seen:
    """What the platform says of a send now. `confirmed_at` None: not yet, or nobody asked."""

    confirmed_at: datetime | None = None
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


async def look_up(event: SendDue, wecom: Gateway, store: Database, now: datetime) -> Seen:
    """Has its sender confirmed, and what did the groups get? What was never made is not asked about."""
    async with store.read() as tx:
        row = await sends.send(tx, event.send_id)
    if row is None or row.msgid is None or row.state == "done":
        return Seen()
    try:
        confirmed_at = (await group_messages.senders(wecom, row.msgid)).get(row.sender)
        if confirmed_at is None:
            return Seen()
        outcomes = await group_messages.send_results(wecom, row.msgid, row.sender)
    except PlatformError as error:
        if error.treatment == "retry":
            raise
        logger.warning("what became of send {} cannot be read; it goes on without: {}", row.id, error)
        return Seen()
    return Seen(max(confirmed_at, row.made_at or confirmed_at), outcomes)


async def handle(event: SendDue, seen: Seen, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """Take the next step of it."""
    row = await sends.send(tx, event.send_id, lock=True)
    if row is None:
        return []
    results = await sends.results(tx, row.id)
    _take_in(row, results, seen, now=now)
    row.looks += 1
    match row.state:
        case "new":
            await _order(tx, book, row, now=now)
        case "ordered" if now < row.until:
            row.due_at = row.until
        case "made" | "ordered":
            await _follow(tx, book, row, results, now=now)
        case "confirmed":
            _await_results(row, results, now=now)
        case _:
            row.due_at = now + LAST_LOOK if row.msgid and row.looks < LOOKS_AFTER else None
    if row.is_over:
        await tell_over(tx, row, now=now)
    return []


async def begin(tx: Tx, row: SendRow, *, now: datetime) -> SendRow | None:
    """A new send, to be made at once; None where there is one of this key. A card's address that begins with a slash is
    a page of ours, on the address of the campaign pages.
    """
    row.due_at = now
    if any(str(each.get("url", "")).startswith("/") for each in row.attachments):
        house = await draws.house(tx)
        address = house.address if house else ""
        row.attachments = [
            each | {"url": f"{address}{each['url']}"} if str(each.get("url", "")).startswith("/") else each
            for each in row.attachments
        ]
    return await sends.add(tx, row)


def _take_in(row: SendRow, results: Mapping[str, SendResultRow], seen: Seen, *, now: datetime) -> None:
    """What the platform says goes before what we thought: a send may have been confirmed just before it was stopped."""
    if seen.confirmed_at is None:
        return
    if row.confirmed_at is None:
        row.confirmed_at, row.looks = seen.confirmed_at, 0
    for target, outcome in seen.outcomes.items():
        got = _GOT.get(outcome.status)
        if target in results and got is not None:
            results[target].got, results[target].at = got, outcome.at or now
    if row.state in ("made", "expired", "cancelled", "failed"):
        row.state, row.ended_at = "confirmed", None
        for each in results.values():  # what was taken for lost may still have a result
            each.got = "waiting" if each.got in ("expired", "cancelled", "failed") else each.got


def _await_results(row: SendRow, results: Mapping[str, SendResultRow], *, now: datetime) -> None:
    confirmed_at = row.confirmed_at or now
    if any(each.got == "waiting" for each in results.values()) and now < confirmed_at + RESULTS_WITHIN:
        row.due_at = next_look(row.looks, now)
        return
    sends.settle(results.values(), "unsent", now=now)
    sends.end(row, "done", now=now)


async def tell_over(tx: Tx, row: SendRow, *, now: datetime) -> None:
    event = SendOver(at=now, send_id=row.id, about=row.about)
    await inbox.put(
        tx,
        source="timer",
        key=f"send-over:{row.id}:{row.ended_at.isoformat() if row.ended_at else row.state}",
        event=event,
        lane=POSTS,
        ordering_key=row.about,
        due_at=now,
        now=now,
    )


# --- making -----------------------------------------------------------------------------------------------------------


async def _order(tx: Tx, book: Book, row: SendRow, *, now: datetime) -> None:
    """Have it made; first whatever goes with it is uploaded. By hand it is made when its sender is asked."""
    if now >= row.until:
        await _expire(tx, row, await sends.results(tx, row.id), now=now)
        return
    row.ordered_at = row.ordered_at or now
    if row.via == "hand":
        row.state, row.made_at = "made", now
        await _ask_by_hand(tx, row, now=now)
        row.due_at = _next_due(book, row, await _group_name(tx, row), now=now)
        return
    ready = await _with_media(tx, row, now=now)
    if ready is None:
        return
    row.number, row.state, row.due_at = row.number + 1, "ordered", row.until
    deed = CreateSend(
        send_id=row.id,
        number=row.number,
        chat_type=_chat_type(row),
        sender=row.sender,
        targets=tuple(row.targets),
        text=row.text,
        attachments=ready,
    )
    # One at a time for each sender: what is looked up for one must not be taken for another's.
    order = f"sender:{row.sender}"
    await outbox.put(tx, deed, key=_creation(row), lane=POSTS, ordering_key=order, due_at=now, now=now, about=row.about)


def _creation(row: SendRow) -> str:
    return f"create-send:{row.id}:{row.number}"


async def _with_media(tx: Tx, row: SendRow, *, now: datetime) -> tuple[Sendable, ...] | None:
    """What goes with the text, as the platform takes it; None: some of it is being uploaded, or cannot be."""
    found: list[Sendable] = []
    missing = False
    for each in row.attachments:
        kind, path = _to_upload(each)
        if not path:
            found.append(_sendable(each, ""))
            continue
        file = await media.known_or_new(tx, kind, path)
        if file.is_fresh(now):
            found.append(_sendable(each, file.media_id))
        elif file.why and file.ordered_at is None and row.looks > 1:
            row.why = file.why
            sends.settle((await sends.results(tx, row.id)).values(), "failed", now=now)
            sends.end(row, "failed", now=now)
            return None
        else:
            missing = True
            await _upload(tx, file, kind, now=now)
    if missing:
        row.due_at = min(now + UPLOADS_TAKE * min(row.looks, 30), row.until)
        return None
    return tuple(found)


async def _upload(tx: Tx, file: media.MediaRow, kind: Literal["image", "video", "file"], *, now: datetime) -> None:
    """Order it, unless it is on its way."""
    if file.ordered_at is not None:
        return
    file.number, file.ordered_at, file.why = file.number + 1, now, ""
    deed = UploadMedia(type=kind, path=file.path, number=file.number)
    key = f"upload:{kind}:{file.path}:{file.number}"
    await outbox.put(tx, deed, key=key, lane=POSTS, ordering_key=None, due_at=now, now=now)


def _to_upload(attachment: Mapping[str, Any]) -> tuple[Literal["image", "video", "file"], str]:
    """What kind of file an attachment (rules/content.py) needs at the platform, and its path; "" where none."""
    kind = attachment["kind"]
    return ("video" if kind == "video" else "file" if kind == "file" else "image"), attachment.get("file", "")


def _sendable(attachment: Mapping[str, Any], media_id: str) -> Sendable:
    """As page 92135 has it."""
    kind = attachment["kind"]
    if kind == "link":
        names = {"title": "title", "picurl": "picture_url", "desc": "description", "url": "url"}
        fields = {theirs: str(attachment.get(ours, "")) for theirs, ours in names.items() if attachment.get(ours)}
    elif kind == "miniprogram":
        fields = {name: str(attachment.get(name, "")) for name in ("title", "appid", "page")}
        fields["pic_media_id"] = media_id
    else:
        fields = {"media_id": media_id}
    return Sendable(msgtype=kind, fields=fields)


# --- following --------------------------------------------------------------------------------------------------------


async def _follow(tx: Tx, book: Book, row: SendRow, results: Mapping[str, SendResultRow], *, now: datetime) -> None:
    """Nobody has confirmed it yet: remind, tell, or let it go."""
    name = await _group_name(tx, row)
    row.steps, step = passed(_steps(book, row, name), row.steps, now)
    if now >= row.until or step == "expire":
        await _expire(tx, row, results, now=now)
        return
    if step is not None:
        await _take_step(tx, book, row, step, now=now)
    row.due_at = _next_due(book, row, name, now=now)


def _steps(book: Book, row: SendRow, group_name: str) -> tuple[Planned, ...]:
    shop = book.shop_of(group_name) if group_name else None
    begins = max(row.say_at, row.made_at or row.say_at)
    return plan(begins, row.until, by_hand=row.via == "hand", off_duty=shop.off_duty if shop else None)


def _next_due(book: Book, row: SendRow, group_name: str, *, now: datetime) -> datetime:
    """The next step; of a task the next look where that is sooner."""
    steps = [each.at for each in _steps(book, row, group_name)[row.steps :] if each.at > now]
    looks = [] if row.via == "hand" else [next_look(row.looks, now)]
    return min([*steps, *looks, row.until])


async def _group_name(tx: Tx, row: SendRow) -> str:
    if row.chat_type != "group" or not row.targets:
        return ""
    group = await roster.group(tx, row.targets[0])
    return group.name if group else ""


async def _take_step(tx: Tx, book: Book, row: SendRow, step: Step, *, now: datetime) -> None:
    if step == "remind" and now - (row.made_at or row.say_at) < SPACED:
        return  # 群发助手 has rung a moment ago, when it was made
    if step == "remind" and row.msgid is not None:
        deed = RemindSend(send_id=row.id, msgid=row.msgid)
        key = f"remind-send:{row.id}:{row.steps}"
        await outbox.put(tx, deed, key=key, lane=POSTS, ordering_key=None, due_at=now, now=now, about=row.about)
    elif step == "tell_sender" and row.via == "hand":
        await _ask_by_hand(tx, row, now=now)
    elif step == "tell_sender":
        await _tell_sender(tx, row, now=now)
    elif step == "tell_managers" and row.chat_type == "group":  # what one person is to hear is nothing for managers
        await _tell_managers(tx, book, row, now=now)


async def _tell_sender(tx: Tx, row: SendRow, *, now: datetime) -> None:
    """One message, however many tasks of one post somebody has not confirmed."""
    theirs = [each for each in await sends.about(tx, row.about) if each.sender == row.sender and each.state == "made"]
    count = sum(len(each.targets) for each in theirs)
    text = say_confirm(row.title, count, _chat_type(row), _clock(row.until))
    key = f"send-tell:{row.about}:{row.sender}:{row.steps}"
    await asking.post(tx, SendText(to=(row.sender,), text=text), key, about=row.about, now=now)


async def _tell_managers(tx: Tx, book: Book, row: SendRow, *, now: datetime) -> None:
    """One message about a post, naming everybody it waits for."""
    waiting: dict[str, int] = {}
    for each in await sends.about(tx, row.about):
        if each.state == "made":
            waiting[each.sender] = waiting.get(each.sender, 0) + len(each.targets)
    names = await staff.names(tx, waiting)
    counts = [(names[who], count) for who, count in waiting.items()]
    text = say_unconfirmed(row.title, counts, _chat_type(row), _clock(row.until))
    if to := await asking.managers(tx, book):
        key = f"send-tell:{row.about}:managers"
        await asking.post(tx, SendText(to=tuple(to), text=text), key, about=row.about, now=now)


async def _ask_by_hand(tx: Tx, row: SendRow, *, now: datetime) -> None:
    """A card that opens the page with the text and the pictures; one for all of a post that somebody is to send."""
    theirs = [each for each in await sends.about(tx, row.about) if each.sender == row.sender and each.via == "hand"]
    waiting = [
        each.target for each in await sends.results_of(tx, [each.id for each in theirs]) if each.got == "waiting"
    ]
    groups = [await roster.group(tx, chat_id) for chat_id in waiting]
    names = [group.name for group in groups if group]
    title, description = say_by_hand(row.title, names, again=row.steps > 0)
    link = Link(page="sends", userid=row.sender, issued_at=row.ordered_at or now)
    notice = SendNotice(
        to=(row.sender,),
        title=title,
        description=description,
        lines=(CardLine(label="怎么发", value=say_said()), CardLine(label="最晚", value=_clock(row.until))),
        link=link,
        open_words="打开页面",
    )
    key = f"send-hand:{row.about}:{row.sender}:{row.steps}"
    await asking.post(tx, notice, key, about=row.about, now=now)


async def _expire(tx: Tx, row: SendRow, results: Mapping[str, SendResultRow], *, now: datetime) -> None:
    """It is too late for it: nobody is to send yesterday's news today. What the platform never took has failed."""
    if row.via == "task" and row.msgid is None:
        called = await outbox.was_called(tx, _creation(row))
        sends.settle(results.values(), "failed", now=now)
        sends.end(row, "failed", why=NOT_KNOWN if called else NOT_TAKEN, now=now)
        return
    sends.settle(results.values(), "expired", now=now)
    sends.end(row, "expired", now=now)
    await _stop(tx, row, now=now)


async def cancel(tx: Tx, row: SendRow, why: str, *, now: datetime) -> None:
    """It is not wanted any more."""
    if row.is_over or row.state == "confirmed":
        return
    sends.settle((await sends.results(tx, row.id)).values(), "cancelled", now=now)
    sends.end(row, "cancelled", why=why, now=now)
    await _stop(tx, row, now=now)
    await tell_over(tx, row, now=now)


async def _stop(tx: Tx, row: SendRow, *, now: datetime) -> None:
    if row.via != "task" or row.msgid is None:
        return
    row.looks = 0
    deed = CancelSend(send_id=row.id, msgid=row.msgid)
    key = f"cancel-send:{row.msgid}"
    await outbox.put(tx, deed, key=key, lane=POSTS, ordering_key=None, due_at=now, now=now, about=row.about)


def _chat_type(row: SendRow) -> Literal["group", "single"]:
    return "single" if row.chat_type == "single" else "group"


def _clock(at: datetime) -> str:
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M")
