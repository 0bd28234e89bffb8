"""Posts: each is shown to somebody first where that is wanted, goes out when its time comes, and ends with its sends.

planned → (asked → passed) → out → done; or skipped (too late, paused, nobody answered), cancelled, failed, withdrawn.
"""

from datetime import datetime, timedelta

from handlers import asking, by_hand, matters, post_making
from handlers import sends as send_handler
from handlers.calendar import begins_at, first_step
from handlers.post_making import Batch, new_send, too_late
from rules.actions import CardLine, Link, SendNotice
from rules.book import Book
from rules.clock import BEIJING
from rules.content import Content
from rules.decision import Decision
from rules.events import PostDecided, PostDue
from rules.post_words import say_ask, say_failed, say_silent, say_too_late
from rules.posts import Post
from store import posts, sends, staff
from store.database import Database, Tx
from store.posts import PostRow
from store.sends import SendRow
from wecom.gateway import Gateway

TO_ANSWER = timedelta(minutes=30)
"""How long somebody has at least to look at a post of which they heard late."""

FARTHEST = timedelta(days=31)


async def look_up(event: PostDue | PostDecided, wecom: Gateway, store: Database, now: datetime) -> None:
    """Nothing is asked of the platform."""


async def handle(event: PostDue | PostDecided, seen: None, tx: Tx, book: Book, now: datetime) -> list[Decision]:
    """The next step of a post."""
    if isinstance(event, PostDecided):
        await _decided(tx, book, event, now=now)
    else:
        await _due(tx, book, event.post_id, now=now)
    return []


async def _due(tx: Tx, book: Book, post_id: int, *, now: datetime) -> None:
    row = await posts.post(tx, post_id, lock=True)
    if row is None or row.state != "planned":
        return
    settings = book.post(row.name)
    if settings is None:
        posts.end(row, "withdrawn", "设置里没有这一条了", now=now)
    elif too_late(settings, row, now):
        posts.end(row, "skipped", say_too_late(now - row.say_at, settings.late_at_most), now=now)
    elif now < first_step(settings, row, book):
        row.due_at = first_step(settings, row, book)
    elif settings.approval is not None and row.approval == "":
        await _ask(tx, book, settings, row, now=now)
    elif settings.approval is not None and row.approval == "asked" and settings.approval.if_silent == "skip":
        posts.end(row, "skipped", say_silent(), now=now)
    else:
        await post_making.make(tx, book, settings, row, now=now)


# --- somebody looks at it first ---------------------------------------------------------------------------------------


async def deciders(tx: Tx, book: Book, settings: Post) -> list[str]:
    """Who may let a post go out."""
    named = settings.approval.by if settings.approval else ()
    return (await asking.called(tx, named, "approval.by") if named else []) or await asking.managers(tx, book)


async def _ask(tx: Tx, book: Book, settings: Post, row: PostRow, *, now: datetime) -> None:
    """A card that opens the post as it will look; it waits for an answer until it has to be made."""
    row.approval, row.due_at = "asked", max(begins_at(settings, row, book), now + TO_ANSWER)
    to = await deciders(tx, book, settings)
    title, description = say_ask(row.name)
    silent = "不发" if settings.approval is not None and settings.approval.if_silent == "skip" else "照发"
    for userid in to:
        notice = SendNotice(
            to=(userid,),
            title=title,
            description=description,
            lines=(
                CardLine(label="时间", value=clock(row.say_at)),
                CardLine(label="不答复", value=f"到 {clock(row.due_at)} 就{silent}"),
            ),
            link=Link(page="preview", userid=userid, issued_at=now, post_id=row.id),
            open_words="先看一看",
        )
        key = f"post-ask:{row.key}:{row.say_at.isoformat()}:{userid}"
        await asking.post(tx, notice, key, about=row.about, now=now)


async def _decided(tx: Tx, book: Book, event: PostDecided, *, now: datetime) -> None:
    """通过, 改期 or 取消, by somebody who may; a post that is out already can only be stopped."""
    row = await posts.post(tx, event.post_id, lock=True)
    settings = book.post(row.name) if row else None
    if row is None or settings is None or event.userid not in await deciders(tx, book, settings):
        return
    name = (await staff.names(tx, [event.userid]))[event.userid]
    if event.verdict == "cancel" and row.state in ("planned", "out"):
        row.decided_by = event.userid
        for each in await sends.about(tx, row.about):
            await send_handler.cancel(tx, each, f"{name}取消了", now=now)
        posts.end(row, "cancelled", f"{name}取消了", now=now)
    elif row.state != "planned":
        return
    elif event.verdict == "pass":
        row.approval, row.decided_by, row.due_at = "passed", event.userid, max(now, begins_at(settings, row, book))
    elif event.verdict == "move" and may_move_to(event.say_at, now):
        row.say_at, row.approval, row.decided_by = event.say_at or row.say_at, "passed", event.userid
        row.due_at = max(now, begins_at(settings, row, book))


def may_move_to(say_at: datetime | None, now: datetime) -> bool:
    """Not into the past, and not so far that everybody has forgotten."""
    return say_at is not None and now < say_at < now + FARTHEST


# --- its end ----------------------------------------------------------------------------------------------------------


async def send_over(tx: Tx, book: Book, post_id: int, send: SendRow, *, now: datetime) -> None:
    """A send has ended: what it could not do is done otherwise, where the post says how; the last one ends the post."""
    row = await posts.post(tx, post_id, lock=True)
    if row is None:
        return
    settings = book.post(row.name)
    if settings is not None and send.via == "task" and row.state == "out":
        await _by_hand_instead(tx, settings, row, send, now=now)
    if send.state == "failed":
        await _tell_failed(tx, book, row, send, now=now)
    everything = await sends.about(tx, row.about)
    if row.state == "out" and all(each.is_over for each in everything):
        posts.end(row, "done", now=now)


async def _by_hand_instead(tx: Tx, settings: Post, row: PostRow, send: SendRow, *, now: datetime) -> None:
    """Groups that had all the 企业群发 they may get are sent to by hand, while there is time."""
    if "by_hand" not in settings.if_no_sends or now >= send.until:
        return
    capped = [target for target, each in (await sends.results(tx, send.id)).items() if each.got == "capped"]
    if capped:
        content = Content(text=send.text, attachments=tuple(by_hand.attachments_of(send)))
        batch = Batch(send.sender, "hand", content, capped)
        made = new_send(settings, row, f"{send.key}:hand", batch, now=now)
        made.until = max(send.until, now + TO_ANSWER)
        await send_handler.begin(tx, made, now=now)


async def _tell_failed(tx: Tx, book: Book, row: PostRow, send: SendRow, *, now: datetime) -> None:
    """The platform would not have it: somebody has to put something right."""
    name = (await staff.names(tx, [send.sender]))[send.sender]
    title, text = say_failed(row.name, clock(row.say_at), name, len(send.targets), send.why)
    await matters.raise_one(tx, book, f"post-failed:{send.id}", audience="managers", title=title, text=text, now=now)


def clock(at: datetime) -> str:
    """12-25 20:00, Beijing."""
    return at.astimezone(BEIJING).strftime("%m-%d %H:%M")
