"""What can be said of draws before they take place: what a month of them comes to, and whether anybody is in them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bot.config.problems import Kind, Problem, written
from bot.config.yaml_tree import Node, Path, key_place, value_place, written_part
from rules.book import Book
from rules.draw_outlook import as_post, moments, of_month
from rules.holidays import UnknownYearError
from rules.money import say_money
from rules.posts import PostGroup, audience

AHEAD = timedelta(days=400)


def draw_findings(
    book: Book, root: Node, file: str, now: datetime, groups: Sequence[PostGroup] | None
) -> list[Problem]:
    """Warnings about draws. `groups`: None where no database is there to ask."""
    return [
        Problem(file, *_place(root, path), written(written_part(root, path)), "", reason, kind=kind)
        for path, reason, kind in _findings(book, now, groups)
    ]


def _place(root: Node, path: Path) -> tuple[int, int]:
    there = written_part(root, path)
    return key_place(root, there) if len(there) < 3 else value_place(root, there)


def _findings(book: Book, now: datetime, groups: Sequence[PostGroup] | None) -> Iterator[tuple[Path, str, Kind]]:
    for place, draw in enumerate(book.draws):
        try:
            if not draw.pause and not moments(draw, book, now, now + AHEAD):
                yield ("draws", place, "when"), f"「{draw.name}」以后不会再办：时间已经过了", "warning"
        except UnknownYearError as error:
            yield ("draws", place, "when"), f"「{draw.name}」排不出来：{error}", "warning"
        if groups is not None and not audience(as_post(draw.model_copy(update={"pause": False})), groups, book):
            yield ("draws", place, "to"), f"「{draw.name}」现在没有一个群：to 写的群都不在", "warning"
    months = of_month(book, now, groups)
    total = sum(each.fen for each in months)
    if book.budget is not None and total > book.budget.cap:
        parts = "，".join(
            f"{each.draw} {each.times} 次"
            + (f" × {each.groups} 个群" if each.groups > 1 else "")
            + f" {say_money(each.fen)}"
            for each in months
            if each.fen
        )
        reason = f"这个月的抽奖要 {say_money(total)}（{parts}），预算只有 {book.budget.say()}：用完以后的几期不会办"
        yield ("budget",), reason, "warning"
