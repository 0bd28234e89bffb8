"""What is wrong with a file that a manager wrote: where, what, why (in Chinese), and what was perhaps meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

Kind = Literal["error", "warning", "note"]
"""error: the file cannot be used. warning: it can, but hardly means what was meant. note: good to know."""

_MARKS: dict[Kind, str] = {"error": "", "warning": "提醒：", "note": "说明："}


class Problem(NamedTuple):
    """`line` and `column` count from 1; line 0 = the file as a whole. `path`: `rules[0].then`, "" = the top.

    `reason`: a Chinese sentence without its full stop. `value`: what stands there, as written. `meant`: "" = no idea.
    """

    file: str
    line: int
    column: int
    path: str
    value: str
    reason: str
    meant: str = ""
    kind: Kind = "error"

    @property
    def where(self) -> str:
        """`config.yaml:12:5`, as editors and terminals make it a link; of a sheet the cell: `content/早报.xlsx!C3`."""
        if self.file.endswith(".xlsx") and self.line:
            return f"{self.file}!{_column(self.column)}{self.line}"
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def says(self) -> str:
        """The reason and, where there is a guess, what was meant: whole sentences."""
        meant = f"您是不是想写「{self.meant}」？" if self.meant else ""
        return f"{_MARKS[self.kind]}{self.reason}。{meant}"


def _column(number: int) -> str:
    """A column's letters in Excel: 1 → A, 28 → AB."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def render(problems: Iterable[Problem]) -> str:
    """One line each: `config.yaml:12:5  rules[0].then  「移走」不是可用的值：…。您是不是想写「移出」？`"""
    return "\n".join(map(_line, problems))


def in_order(problem: Problem) -> tuple[bool, str, int, int]:
    """The config's first, then those in sheets, each by their place."""
    in_sheet = problem.file.endswith(".xlsx")
    return in_sheet, problem.file if in_sheet else "", problem.line, problem.column


def _line(problem: Problem) -> str:
    return "  ".join(part for part in (problem.where, problem.path, problem.says) if part)


def written(path: Iterable[str | int]) -> str:
    """`("rules", 0, "then")` → `rules[0].then`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def closest(word: str, allowed: Sequence[str]) -> str:
    """The allowed word that was probably meant, or ""."""
    # Two Chinese words of two characters are alike when they share one of them.
    cutoff = 0.5 if not word.isascii() or len(word) <= 3 else 0.6
    folded = {candidate.lower(): candidate for candidate in allowed}
    found = get_close_matches(word.strip().lower(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else ""


def short(text: str, most: int = 40) -> str:
    """What stands there, on one line and cut to a readable length."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[:most]}…"
