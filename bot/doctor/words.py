"""`steward doctor` on 80 columns, in Chinese."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from bot import say
from bot.doctor.finding import Finding

MARKS = {
    "ok": ("正常", "green"),
    "wrong": ("有问题", "bold red"),
    "unsure": ("未确认", "yellow"),
    "skipped": ("没有查", "dim"),
}


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print what was found, in the order in which it should be put right."""
    say.rows(console, [line for finding in findings for line in _lines(finding)])
    bad = sum(finding.state == "wrong" for finding in findings)
    if bad:
        first = next(finding for finding in findings if finding.state == "wrong")
        say.then(console, f"先改「{first.check}」，再运行 steward doctor。", f"一共 {bad} 个问题")
    else:
        say.then(console, "steward status", "没有发现问题；看看积压和还开着的案件")


def _lines(finding: Finding) -> list[tuple[Text, str, Text]]:
    word, style = MARKS[finding.state]
    lines = [(Text(word, style=style), finding.check, Text(finding.text))]
    if finding.cure:
        lines.append((Text(""), "", Text(f"→ {finding.cure}", style="bold" if finding.state == "wrong" else "")))
    return lines
