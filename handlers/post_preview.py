"""A post as it will look, for whoever looks at it before it goes out. Locks nothing, orders nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from handlers.post_making import contents_by_group, fire_of
from handlers.posts import deciders
from rules.book import Book
from rules.content import Attachment, Content, ContentError
from rules.post_plan import SOMEBODY, render
from store import posts, roster
from store.database import Tx
from store.posts import PostRow

STATES = {
    "planned": "还没发",
    "out": "已经交给群主",
    "done": "已结束",
    "skipped": "没有发",
    "cancelled": "已取消",
    "failed": "没发成",
    "withdrawn": "已撤下",
}


VERDICTS: Mapping[str, Sequence[str]] = {"planned": ("pass", "move", "cancel"), "out": ("cancel",)}
"""What is out already can only be stopped where nobody has confirmed it."""


class Variant(NamedTuple):
    """What some groups get to read. `error`, in Chinese: why they cannot."""

    groups: Sequence[str]
    text: str
    attachments: Sequence[Attachment]
    error: str = ""


class Preview(NamedTuple):
    """`verdicts`: what can still be decided about it."""

    name: str
    say_at: datetime
    state: str
    to_staff: bool
    total: int
    variants: Sequence[Variant]
    verdicts: Sequence[str]


async def look(tx: Tx, book: Book, post_id: int, userid: str) -> Preview | None:
    """None where there is no such post, or this is nobody who may decide about it."""
    row = await posts.post(tx, post_id)
    settings = book.post(row.name) if row else None
    if row is None or settings is None or userid not in await deciders(tx, book, settings):
        return None
    state = "已通过" if row.state == "planned" and row.approval == "passed" else STATES[row.state]
    variants = await _variants(tx, book, row)
    total = sum(len(each.groups) for each in variants)
    return Preview(row.name, row.say_at, state, settings.to_staff, total, variants, VERDICTS.get(row.state, ()))


async def _variants(tx: Tx, book: Book, row: PostRow) -> list[Variant]:
    """The wordings, that of the most groups first."""
    settings, rows = book.post(row.name), await roster.groups(tx)
    fire = fire_of(book, row, rows)
    if settings is None or fire is None:
        return []
    if settings.to_staff:
        try:
            content = render(settings, SOMEBODY, fire, book)
        except ContentError as error:
            return [Variant((), "", (), str(error))]
        return [Variant((), content.text, content.attachments)]
    names = {each.chat_id: each.name for each in rows}
    found: dict[Content | str, list[str]] = {}
    for chat_id, content_or_error in contents_by_group(book, settings, fire, rows).items():
        what = str(content_or_error) if isinstance(content_or_error, ContentError) else content_or_error
        found.setdefault(what, []).append(names[chat_id])
    variants = [
        Variant(groups, "", (), what) if isinstance(what, str) else Variant(groups, what.text, what.attachments)
        for what, groups in found.items()
    ]
    return sorted(variants, key=lambda each: (not each.error, -len(each.groups)))
