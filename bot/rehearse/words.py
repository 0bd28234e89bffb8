"""What a rehearsal found, on 80 columns, in Chinese."""

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from bot import say
from bot.rehearse.found import Line, Rehearsal, RuleCount
from rules.decision import Came

LINES_SHOWN = 40
PEOPLE_SHOWN = 10

STEPS: Mapping[Came, str] = {
    "warn": "提醒",
    "remove": "移出",
    "block": "拉黑",
    "held": "到了上限，先问负责人",
    "repeat": "不久前提过，只记录",
    "observe": "仅观察，只记录",
}


def show(found: Rehearsal, console: Console) -> None:
    """Print what was found, what could not be taken into account, and what to do next."""
    say.heading(console, "回看", f"{say.at(found.since)} 到 {say.at(found.until)}")
    say.facts(
        console,
        {
            "看了": f"{found.joins} 次进群、{found.leaves} 次离开、{found.messages} 条消息",
            "怎么办": _say_steps(found.steps) or "一条规则也没有命中",
        },
    )
    say.title(console, "每条规则")
    say.rows(console, [(each.rule, _say_count(each)) for each in found.rules] or [("没有写规则",)])
    say.title(console, f"会问到谁（{len(found.lines)} 次）")
    say.rows(console, [_line(each) for each in found.lines[:LINES_SHOWN]] or [("谁也不会问",)])
    if len(found.lines) > LINES_SHOWN:
        say.line(console, f"  还有 {len(found.lines) - LINES_SHOWN} 次，全部请加 --json")
    if found.often:
        said = "、".join(f"{each.person}（{each.times} 次）" for each in found.often[:PEOPLE_SHOWN])
        say.title(console, f"不止问一次的人（{len(found.often)} 人）")
        say.line(console, f"  {said}{'……' if len(found.often) > PEOPLE_SHOWN else ''}")
        say.line(console, "  同一个群里案件还开着的时候，不会再发一张卡片。", "dim")
    say.title(console, "没法知道的")
    say.rows(console, [(each,) for each in found.unknown])
    if found.wrong:
        say.title(console, "不该问的人（这是程序的毛病，请报告）")
        say.rows(console, [(each.person, f"{each.why}（{each.external_userid}）") for each in found.wrong])
    console.print()
    say.line(console, "这是回看：什么也没有记下，谁也没有打扰。", "bold")
    if found.lines:
        say.then(console, f"steward explain {found.lines[0].external_userid}", "看一个人当时真的怎么处理的")
    else:
        say.then(console, "steward check", "看每条规则管哪些群、做什么")


def _say_steps(steps: Mapping[Came, int]) -> str:
    return "、".join(f"{words} {steps[step]} 次" for step, words in STEPS.items() if steps.get(step))


def _say_count(each: RuleCount) -> Text:
    if not each.rehearsed:
        return Text("没有回看", style="dim")
    if not each.hits:
        return Text("没有命中", style="green")
    return Text(f"命中 {each.hits} 次，{each.people} 人：{_say_steps(each.steps)}")


_ASKED = {"warn": "提醒", "remove": "移出", "block": "移出并拉黑", "held": "先问负责人"}


def _line(line: Line) -> tuple[Text, Text, str]:
    step = "走了，只拉黑" if line.gone else _ASKED[line.step]
    step += "（进名单）" if line.listed else ""
    because = "；".join(f"{rule}：{why}" for rule, why in zip(line.rules, line.because, strict=True))
    return Text(say.at(line.at), style="dim"), Text(step, style="bold"), f"「{line.group}」{line.person}：{because}"
