"""How planned posts are told on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bot import say
from bot.posts.look import Bubble, Planned, Sent, Shown, Upcoming
from rules.clock import BEIJING
from rules.content import Attachment
from rules.post_report import FATES, OwnerWeek, Report, say_days, say_late, say_not_out, say_reason
from rules.sends import WAYS
from rules.template import say_date, say_weekday

MOST_GROUPS = 12
MOST_NAMES = 3
_PERIODS = {"days_of_month": "本月", "7_a_week": "本周", "1_a_day": "当天"}
_STATES = {
    "out": "已请群主确认",
    "done": "已发完",
    "skipped": "没有发",
    "cancelled": "已取消",
    "failed": "没发成",
    "withdrawn": "已撤回",
}
_KINDS = {"image": "图片", "link": "网页", "miniprogram": "小程序", "video": "视频", "file": "文件"}


def show_upcoming(found: Upcoming, console: Console) -> None:
    """By day, then what meets, what each group has left, and what cannot be planned."""
    if found.paused:
        say.line(console, f"停着的：{'、'.join(found.paused)}", "yellow")
    if not found.real:
        say.line(console, "还没有读到群，下面用示例群来排。", "dim")
    for day, planned in groupby(found.planned, key=lambda each: each.at.astimezone(BEIJING).date()):
        say.title(console, f"{say_date(day)} {say_weekday(day)}")
        say.rows(console, [_row(each) for each in planned])
    if not found.planned:
        say.line(console, "这些天没有要发的。")
    _show_meetings(found, console)
    _show_groups(found, console)
    for held in found.held:
        say.line(console, f"\n排不出来 {held}", "bold red")
    say.then(console, "steward posts show 名字", "看发出去的样子；steward check 看哪里要改")


def _row(each: Planned) -> Sequence[str | Text]:
    local = each.at.astimezone(BEIJING)
    how = list(_how(each))
    return f"{local:%H:%M}", Text(each.post, style="bold"), Text("；").join(how)


def _how(each: Planned) -> Iterator[Text]:
    if each.state in _STATES:
        why = f"（{each.why}）" if each.why else ""
        yield Text(f"{_STATES[each.state]}{why}", style="green" if each.state in ("out", "done") else "yellow")
    if each.state == "planned" and each.why:
        yield Text(each.why, style="yellow")
    if each.staff:
        yield Text(f"提醒同事 {_some(each.staff)}")
        return
    ways = "、".join(f"{WAYS[way]} {count}" for way, count in each.ways.items())
    yield Text(f"{each.groups} 个群" + (f"：{ways}" if ways else ""))
    if each.ask_at != each.at and not each.state:
        yield Text(f"{_clock(each.ask_at, each.at)} 请群主确认", style="dim")
    if each.taps and max(each.taps.values()) > 1:
        yield Text(f"群主每次要点 {max(each.taps.values())} 下", style="dim")
    for because, count in each.becauses.items():
        yield Text(f"{count} 个群：{because}", style="yellow")
    for reason, count in each.broken.items():
        yield Text(f"{count} 个群发不了：{reason}", style="red")


def _clock(moment: datetime, at: datetime) -> str:
    local = moment.astimezone(BEIJING)
    return (
        f"{local:%H:%M}" if local.date() == at.astimezone(BEIJING).date() else f"{say_date(local.date())} {local:%H:%M}"
    )


def _some(names: Sequence[str]) -> str:
    more = f"等 {len(names)} 个" if len(names) > MOST_NAMES else ""
    return "、".join(names[:MOST_NAMES]) + more


def _show_meetings(found: Upcoming, console: Console) -> None:
    if not found.meetings:
        return
    say.title(console, "撞在一起的（相隔不到半小时）")
    for each in found.meetings:
        local = each.at.astimezone(BEIJING)
        who = f"「{each.group}」" + (f"等 {each.groups} 个群" if each.groups > 1 else "")
        say.line(console, f"  {say_date(local.date())} {local:%H:%M}  {each.first} 和 {each.second}：{who}", "yellow")


def _show_groups(found: Upcoming, console: Console) -> None:
    """The groups that have least left; of those that are all alike, one line."""
    if not found.groups:
        return
    say.title(console, f"各群的额度（{_PERIODS[found.sends]}）")
    alike: dict[tuple[object, ...], list[Sent]] = {}
    for each in found.groups:
        key = (each.start, each.used, each.need, each.posts, tuple(sorted(each.over.items())))
        alike.setdefault(key, []).append(each)
    lines = [_group(each) for each in alike.values()]
    say.rows(console, lines[:MOST_GROUPS])
    if len(lines) > MOST_GROUPS:
        say.line(
            console, f"  …… 还有 {len(lines) - MOST_GROUPS} 行，用 --group 群名 看一个群，或用 --json 看全部", "dim"
        )


def _group(same: Sequence[Sent]) -> Sequence[str | Text]:
    one = same[0]
    names = _some([each.group for each in same]) + (" 群" if len(same) > MOST_NAMES else "")
    budget = f"{one.start.month}月：已用 {one.used}，还要 {one.need}，额度 {one.allowance}"
    if one.over:
        over = "、".join(f"{post} {count} 条" for post, count in one.over.items())
        return names, Text(f"{budget}，不够：{over} 改走别的路", style="red")
    return names, Text(f"{budget}，剩 {one.left}")


# --- one post ---------------------------------------------------------------------------------------------------------


def show_post(name: str, shown: Sequence[Shown], lines: Mapping[str, str], console: Console) -> None:
    """What it is, then each time as in a chat."""
    say.heading(console, name)
    say.facts(console, dict(lines))
    for each in shown:
        local = each.at.astimezone(BEIJING)
        say.title(console, f"{say_date(local.date())} {say_weekday(local.date())} {local:%H:%M}")
        if not each.bubbles and not each.broken:
            say.line(console, "  没有群会收到", "yellow")
        for number, bubble in enumerate(each.bubbles, 1):
            _show_bubble(bubble, number, len(each.bubbles), console)
        for reason, groups in each.broken.items():
            say.line(console, f"  发不了（{_some(groups)}）：{reason}", "red")
    if not shown:
        say.line(console, "以后没有要发的了。", "yellow")


def _show_bubble(bubble: Bubble, number: int, of: int, console: Console) -> None:
    which = f"第 {number} 种，共 {of} 种 · " if of > 1 else ""
    say.line(console, f"  {which}{_some(bubble.groups)}", "dim")
    width = min(46, console.width - 4)
    if bubble.content.text:
        text = Text("\n").join(part for part in say.fold(Text(bubble.content.text), width - 4))
        console.print(Padding(Panel(text, width=_fitting(text, width), border_style="green"), (0, 0, 0, 2)))
    for each in bubble.content.attachments:
        say.line(console, f"    [{_KINDS[each.kind]}] {_attached(each)}", "cyan")


def _fitting(text: Text, most: int) -> int:
    return min(most, max(cell_len(line) for line in text.plain.split("\n")) + 4)


def _attached(each: Attachment) -> str:
    return " · ".join(part for part in (each.title, each.description, each.url, each.page, each.file) if part)


# --- the week that is over --------------------------------------------------------------------------------------------


def show_report(found: Report, console: Console) -> None:
    """Sums, who did not confirm, why, what was late, and the owners' groups."""
    say.heading(console, "群发情况", say_days(found))
    if not found.planned and not found.not_out:
        say.line(console, "这几天没有群发。")
        say.then(console, "steward posts", "看接下来发什么")
        return
    say.line(console, f"{found.posts} 条，{found.delivered}/{found.planned} 群次发到了")
    counts = [(what, str(found.counts[fate])) for fate, what in FATES.items() if found.counts.get(fate)]
    say.rows(console, counts)
    parts = {
        "谁没点": [f"{name}：{count} 群次" for name, count in found.undone.items()],
        "没发到的，为什么": [say_reason(each) for each in found.reasons],
        "整条没有发的": [say_not_out(each) for each in found.not_out],
        "晚了半小时以上的": [say_late(each) for each in found.late],
    }
    for title, lines in parts.items():
        if lines:
            say.title(console, title)
            say.rows(console, [("", each) for each in lines])
    if found.owners:
        say.title(console, "各位群主的群（企业微信的统计）")
        say.rows(console, [(each.name, _lively(each)) for each in found.owners])
    say.then(console, "steward posts", "看接下来发什么")


def _lively(each: OwnerWeek) -> str:
    return (
        f"{each.groups} 个群，新成员 {each.new_members}，说话的 {each.active}/{each.members} 人，消息 {each.messages}"
    )
