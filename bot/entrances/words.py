"""`steward entrances` on 80 columns, in Chinese."""

from rich.console import Console
from rich.text import Text

from bot import say
from bot.entrances.look import EntranceNow, Line, Now

VIA = {"page": "扫码打开页面", "contact": "先加导购", "native": "企业微信群码"}


def show(now: Now, console: Console) -> None:
    """Print how the entrances stand and what may be done about it."""
    say.heading(console, "入口", f"{len(now.entrances)} 个，{say.at(now.at)}")
    for each in now.entrances:
        named = "  ".join(part for part in (each.name, each.title) if part)
        say.title(console, f"{named}（{VIA[each.via]}，{'一客一群' if each.alone else '共用'}）")
        say.rows(console, [row for line in each.lines for row in _rows(line, each)])
        say.rows(console, [("来过", f"{each.people} 人，扫码 {each.scans} 次{_channels(each)}")])
        say.rows(console, [("名额", f"已进群 {each.taken}，等着进群 {each.held}，退群后保留 {each.left}")])
        if each.problems:
            say.rows(console, [(Text("问题", style="bold red"), "；".join(each.problems))])
    lost = f"，其中 {now.orphaned} 个下落不明（作废处理，进来的人认得出）" if now.orphaned else ""
    say.line(console, f"\n企业微信里的码：{now.codes} 个（上限 500,000）{lost}")
    for problem in now.problems:
        say.line(console, f"码有问题：{problem}", "red")
    if any(each.problems for each in now.entrances):
        say.then(console, "docs/entrances.md", "群怎么建、扫码进不来怎么办")
    else:
        say.then(console, "steward status", "看积压和还开着的案件")


def _rows(line: Line, each: EntranceNow) -> list[tuple[str, str]]:
    name = f"{line.kind}·{line.shop}" if line.shop else line.kind
    left = f"还剩 {line.groups} 个群" + ("" if each.alone else f"、{line.places} 个名额")
    lasts = "" if line.days_left is None or not line.groups else f"，照这样还能用 {line.days_left:.1f} 天"
    spare = f"，备用 {line.spare}" if line.spare else ""
    waits = f"，{line.waiting} 人排队" if line.waiting else ""
    ready = f"，码已备好 {line.ready} 个" if each.via != "native" else ""
    return [(name, f"{left}{spare}{ready}；最近一天用了 {line.a_day} 个{lasts}{waits}")]


def _channels(each: EntranceNow) -> str:
    """The five that bring the most."""
    named = sorted(((n, channel) for channel, n in each.channels.items() if channel), reverse=True)[:5]
    return "；" + "、".join(f"{channel} {n} 人" for n, channel in named) if named else ""
