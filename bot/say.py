"""How things are written for people on the command line: Beijing time, short, Chinese, 80 columns."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rules.clock import BEIJING
from rules.when import say_duration


def at(moment: datetime | None) -> str:
    """`2026-11-23 09:05:03`, in Beijing."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"


def span(length: timedelta) -> str:
    """Two units at most: `3天2小时`, `5分钟12秒`; 0秒 where it is shorter or negative."""
    seconds = max(0, int(length.total_seconds()))
    for unit in (86_400, 3_600, 60):
        if seconds >= unit:
            coarse = {86_400: 3_600, 3_600: 60, 60: 1}[unit]
            return say_duration(timedelta(seconds=seconds // coarse * coarse))
    return f"{seconds}秒"


def version(config: str) -> str:
    """The config's hash as far as people need it to tell two apart."""
    return config[:8] if config else "（无）"


def heading(console: Console, title: str, state: str = "") -> None:
    """What all that follows is about."""
    console.print(Text.assemble((title, "bold"), "  ", state), highlight=False)


def title(console: Console, text: str) -> None:
    """The name of a part."""
    console.print(Text(f"\n{text}", style="bold"), highlight=False)


def rows(console: Console, lines: Iterable[Sequence[str | Text]]) -> None:
    """Lines of cells under each other, a little indented; only the last cell of a line wraps."""
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in line] for line in lines]
    fixed = [max(cell.cell_len for cell in column) for column in zip(*(line[:-1] for line in cells), strict=True)]
    indent = 2 + sum(fixed) + 2 * len(fixed)
    for *first, last in cells:
        head = Text("  ")
        for cell, width in zip(first, fixed, strict=True):
            head.append_text(cell).append(" " * (width - cell.cell_len + 2))
        for number, part in enumerate(fold(last, max(20, console.width - indent))):
            console.print((head if number == 0 else Text(" " * indent)) + part, soft_wrap=True, highlight=False)


def line(console: Console, text: str, style: str = "") -> None:
    """A sentence, broken where Chinese may be broken."""
    for part in fold(Text(text, style=style), console.width):
        console.print(part, soft_wrap=True, highlight=False)


_NOT_FIRST = "，。、；：！？）」』】》…,.;:!?)]}%"  # nor do these begin a line
_NOT_LAST = "（「『【《([{#"


def fold(text: Text, width: int) -> list[Text]:
    """Lines of at most `width` columns. Chinese may break between any two characters, other words at spaces."""
    breaks, start, used, possible = [], 0, 0, 0
    plain = text.plain
    for at, char in enumerate(plain):
        if char == "\n":
            breaks.append(at + 1)
            start, used, possible = at + 1, 0, at + 1
            continue
        if at > start and _may_break(plain[at - 1], char):
            possible = at
        used += cell_len(char)
        if used > width and char != " ":
            cut = possible if possible > start else at
            breaks.append(cut)
            start, used = cut, cell_len(plain[cut : at + 1])
    parts = text.divide(breaks)
    for part in parts:
        part.rstrip()
    return list(parts)


def _may_break(before: str, after: str) -> bool:
    if after in _NOT_FIRST or before in _NOT_LAST or after == " ":
        return False
    return before == " " or cell_len(before) == 2 or cell_len(after) == 2


def facts(console: Console, pairs: dict[str, str]) -> None:
    """Labels and values; what is empty is left out."""
    rows(console, [(Text(label, style="dim"), value) for label, value in pairs.items() if value])


def then(console: Console, command: str, why: str) -> None:
    """What to do next."""
    line(console, f"\n下一步：{command}  {why}", "dim")
