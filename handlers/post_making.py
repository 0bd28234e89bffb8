"""A post goes out: what is said to each group, in which way, by whom, in as few sends as can be.

Groups that get nothing of their own are written down with the reason; so every group of every post is accounted for.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from handlers import asking, by_hand, sends
from handlers.calendar import post_group
from handlers.post_budget import Share, share
from rules.actions import SendText
from rules.book import Book
from rules.content import Content, ContentError, as_message, together
from rules.post_plan import SOMEBODY, Fire, plan, render
from rules.posts import Post, staff_named
from store import posts, roster
from store.database import Tx
from store.posts import PostRow
from store.roster import GroupRow
from store.sends import MOST_TARGETS, SendRow

AT_LEAST = timedelta(hours=1)
"""How long an owner has to confirm, however late it is."""

LOOK_BACK = timedelta(seconds=1)


@dataclass(frozen=True)
class Piece:
    """What one group is to get."""

    group: GroupRow
    via: str
    content: Content


class Batch(NamedTuple):
    """What one owner is to send to some groups, in the same words."""

    owner: str
    via: str
    content: Content
    chat_ids: Sequence[str]


@dataclass(frozen=True)
class Going:
    """One post that goes out now."""

    book: Book
    settings: Post
    row: PostRow
    fire: Fire


def too_late(settings: Post, row: PostRow, now: datetime) -> bool:
    """Whether it was missed by more than its own rule lets pass."""
    return now > row.say_at + settings.late_at_most


def until(settings: Post, row: PostRow, now: datetime) -> datetime:
    """When it is too late to confirm it."""
    return max(row.say_at, now) + max(settings.late_at_most, AT_LEAST)


def fire_of(book: Book, row: PostRow, groups: Sequence[GroupRow]) -> Fire | None:
    """The fire behind a row with the groups it goes to as they are today; None where the calendar has none."""
    known = [post_group(each) for each in groups if each.read_at]
    found = plan(book, known, row.fire_at - LOOK_BACK, row.fire_at).fires
    fire = next((each for each in found if each.key == row.key), None)
    return fire.model_copy(update={"at": row.say_at}) if fire else None


async def make(tx: Tx, book: Book, settings: Post, row: PostRow, *, now: datetime) -> None:
    """Have everything of this post sent, once: the row says that it is out."""
    groups = await roster.groups(tx)
    fire = fire_of(book, row, groups)
    if fire is None:
        posts.end(row, "withdrawn", "日历里没有这一条了（设置改了、暂停了，或者没有合适的群）", now=now)
    elif "" in (paused := await posts.paused(tx)):
        posts.end(row, "skipped", "定时内容全部暂停了", now=now)
    elif settings.to_staff:
        await _tell_staff(tx, book, settings, row, fire, now=now)
    else:
        wanted = [each for each in groups if each.chat_id in set(fire.chat_ids)]
        pieces = await _pieces(tx, Going(book, settings, row, fire), wanted, paused, now=now)
        made = await _order(tx, settings, row, pieces, now=now)
        row.state, row.out_at, row.due_at = "out", now, None
        if not made:
            posts.end(row, "done", now=now)


async def _tell_staff(tx: Tx, book: Book, settings: Post, row: PostRow, fire: Fire, *, now: datetime) -> None:
    """No confirmation is needed: it is a message of ours."""
    to = await asking.called(tx, staff_named(settings, book), "staff")
    try:
        text = as_message(render(settings, SOMEBODY, fire, book), settings.where)
    except ContentError as error:
        posts.end(row, "failed", str(error), now=now)
        return
    if to:
        deed = SendText(to=tuple(to), text=text)
        await asking.post(tx, deed, f"{row.key}:staff", about=row.about, now=now)
    row.out_at, row.reached = now, len(to)
    posts.end(row, "done" if to else "failed", "" if to else "设置里写的同事一个也找不到", now=now)


# --- what each group gets ---------------------------------------------------------------------------------------------


async def _pieces(tx: Tx, going: Going, groups: Sequence[GroupRow], paused: set[str], *, now: datetime) -> list[Piece]:
    """Whatever goes out; whoever gets nothing is left out, and it is written why."""
    row = going.row
    already = {each.chat_id for each in await posts.left_out(tx, [row.key])}
    said: list[tuple[GroupRow, Content]] = []
    for group in groups:
        if group.chat_id in already:
            continue
        if group.chat_id in paused:
            await posts.leave_out(tx, row.key, group.chat_id, "paused", "这个群暂停了", now=now)
        elif not group.owner or group.out_of_sight_at is not None:
            why = "群主不在应用的可见范围里，没有人可以请"
            await posts.leave_out(tx, row.key, group.chat_id, "unreachable", why, now=now)
        else:
            try:
                said.append((group, render(going.settings, group.facts(), going.fire, going.book)))
            except ContentError as error:
                await posts.leave_out(tx, row.key, group.chat_id, "failed", str(error), now=now)
    shares = await share(tx, going.book, row, {group.chat_id: (group, content) for group, content in said}, now=now)
    pieces = [await _piece(tx, row, group, content, shares[group.chat_id], now=now) for group, content in said]
    return [each for each in pieces if each is not None]


async def _piece(
    tx: Tx, row: PostRow, group: GroupRow, content: Content, share_: Share, *, now: datetime
) -> Piece | None:
    """What this group gets, other posts that are merged into this one included."""
    if share_.way in ("drop", "merge"):
        way, into = ("merged", share_.into) if share_.way == "merge" else ("dropped", "")
        await posts.leave_out(tx, row.key, group.chat_id, way, share_.because, into_key=into, now=now)  # type: ignore[arg-type]  # one of two
        return None
    for other, theirs in share_.merged.items():
        try:
            content = together((content, theirs))
        except ContentError as error:
            await posts.leave_out(tx, other, group.chat_id, "dropped", f"{share_.because}；{error}", now=now)
        else:
            why = f"并到「{row.name}」里一起发"
            await posts.leave_out(tx, other, group.chat_id, "merged", why, into_key=row.key, now=now)
    for rider in share_.riders:
        with suppress(ContentError):  # too much for one: it goes by itself, by hand
            content = together((content, Content(text=rider.text, attachments=tuple(by_hand.attachments_of(rider)))))
            await sends.cancel(tx, rider, f"并到「{row.name}」里一起发", now=now)
    return Piece(group, "hand" if share_.way == "by_hand" else "task", content)


async def _order(tx: Tx, settings: Post, row: PostRow, pieces: Sequence[Piece], *, now: datetime) -> int:
    """One send for each owner, way and wording, 2,000 groups at most; says how many."""
    batches: dict[tuple[str, str, Content], list[str]] = {}
    for each in pieces:
        batches.setdefault((each.group.owner, each.via, each.content), []).append(each.group.chat_id)
    number = 0
    for (owner, via, content), chat_ids in batches.items():
        for first in range(0, len(chat_ids), MOST_TARGETS):
            number += 1
            batch = Batch(owner, via, content, chat_ids[first : first + MOST_TARGETS])
            key = f"{row.key}:{owner}:{number}"
            await sends.begin(tx, new_send(settings, row, key, batch, now=now), now=now)
    return number


def new_send(settings: Post, row: PostRow, key: str, batch: Batch, *, now: datetime) -> SendRow:
    """A send of this post, not yet ordered."""
    return SendRow(
        key=key,
        about=row.about,
        via=batch.via,
        sender=batch.owner,
        targets=list(batch.chat_ids),
        title=row.name,
        text=batch.content.text,
        attachments=[each.model_dump(exclude_defaults=True) for each in batch.content.attachments],
        say_at=row.say_at,
        until=until(settings, row, now),
    )


def contents_by_group(
    book: Book, settings: Post, fire: Fire, groups: Sequence[GroupRow]
) -> Mapping[str, Content | ContentError]:
    """What each group would get to read, for whoever looks before it goes out."""
    found: dict[str, Content | ContentError] = {}
    for group in groups:
        if group.chat_id in fire.chat_ids:
            try:
                found[group.chat_id] = render(settings, group.facts(), fire, book)
            except ContentError as error:
                found[group.chat_id] = error
    return found
