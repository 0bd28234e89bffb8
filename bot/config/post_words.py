"""What scheduled posts do, in a manager's words: when, to whom, what, and the next five times."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.config.walk import Setting, walk
from rules.book import Book
from rules.clock import BEIJING
from rules.post_plan import Fire, next_fires, plan
from rules.posts import Post, PostGroup, audience
from rules.template import say_date, say_weekday
from rules.when import say_duration

TIMES = 5
WITHIN = timedelta(days=400)
_KINDS = {"image": "图片", "link": "网页", "miniprogram": "小程序", "video": "视频", "file": "文件"}
_TOLD = {"name", "to", "not_to", "staff", "when", "text", "series", "steps", "since", *_KINDS}


def describe_post(
    book: Book, post: Post, now: datetime | None, groups: Sequence[PostGroup] | None
) -> Iterator[tuple[str, str, bool]]:
    """(what it is called, what it says, whether it is a default) of everything worth saying."""
    yield "什么时候", _when(post), False
    if now is not None:
        yield "接下来", _next(book, post, now, groups or ()), False
    yield "发给", _to(book, post, groups), False
    yield "说什么", _said(post), False
    for setting in walk(post):
        if setting.path[0] not in _TOLD and setting.written and setting.value not in (None, "", [], {}, False):
            yield setting.label, _say(setting), False
    if "ask_before" not in post.model_fields_set and not post.to_staff:
        yield "提前多久请群主确认", say_duration(post.ask_before), True


def _when(post: Post) -> str:
    if post.steps:
        start = "建群那天" if post.since == "birth" else str(post.since)
        said = "、".join(f"第 {step.day} 天 {step.at:%H:%M}" for step in post.steps)
        return f"{said}（{start}是第 1 天）"
    return post.when.text if post.when else f"照表格 {post.series} 里的日期和时间"


def _next(book: Book, post: Post, now: datetime, groups: Sequence[PostGroup]) -> str:
    if post.pause or book.posting.pause:
        return "停着（pause）"
    if post.steps:
        only = book.model_copy(update={"posts": (post,)})
        found = plan(only, groups, now, now + WITHIN).fires[:TIMES]
        return _times(found) or "等新的群"
    return _times(next_fires(post, now, TIMES, book, within=WITHIN)) or "没有了"


def _times(fires: Sequence[Fire]) -> str:
    """`11月25日（周三）08:30 · 20:00 · 11月26日（周四）08:30`; the year where it is another."""
    said, before = list[str](), None
    for fire in fires:
        local = fire.at.astimezone(BEIJING)
        day = local.date()
        year = f"{day.year}年" if before and day.year != before.year else ""
        said.append(f"{local:%H:%M}" if day == before else f"{year}{say_date(day)}（{say_weekday(day)}）{local:%H:%M}")
        before = day
    return " · ".join(said)  # a terminal breaks lines at spaces


def _to(book: Book, post: Post, groups: Sequence[PostGroup] | None) -> str:
    said = "、".join(post.to)
    if post.to_staff:
        return f"同事：{'、'.join(post.staff) or '所有门店的店员'}"
    if post.not_to:
        said += f"，除了 {'、'.join(post.not_to)}"
    return said if groups is None else f"{said}（现有 {len(audience(post, groups, book))} 个群）"


def _said(post: Post) -> str:
    if post.in_sheet:
        return f"{post.series}，{len(post.rows)} 条"
    if post.steps:
        return f"{len(post.steps)} 步"
    if post.series:
        return f"{len(post.series)} 条轮流"
    beginning = " ".join(post.text.split())
    attached = "、".join(f"{_KINDS[each.kind]} {each.file or each.title}" for each in post.attachments)
    return "；".join(part for part in (beginning, attached) if part)


def _say(setting: Setting) -> str:
    def one(value: Any) -> str:
        return str(setting.spellings.get(value, value)) if not isinstance(value, bool) else "是" if value else "否"

    return "、".join(map(one, setting.value)) if isinstance(setting.value, list) else one(setting.value)
