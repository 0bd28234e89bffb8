"""`steward status` on 80 columns, in Chinese."""

from datetime import timedelta

from rich.console import Console
from rich.text import Text

from bot import say
from bot.explain.case import NEXT
from bot.status import draws
from bot.status.look import PER_HOUR, Calls, DeadLetter, Lane, OpenCase, Payout, Status
from rules.money import say_money
from rules.payout_words import say_code

CASES_SHOWN = 30
LATE = timedelta(minutes=5)

QUEUES = {"in": "要处理的事件", "out": "要做的事"}
LANES = {
    "welcome": "欢迎语",
    "removal": "移出",
    "normal": "普通",
    "posts": "定时内容",
    "statistics": "统计",
}


def show(status: Status, console: Console) -> None:
    """Print how things stand and what may be done about it."""
    say.heading(console, "群管家的状况", say.at(status.at))
    since = f"，{say.at(status.config_since)} 起" if status.config_since else ""
    say.facts(
        console,
        {
            "设置": f"{say.version(status.config)}{since}" if status.config else "还没有生效过",
            "最近的回调": _ago(status),
        },
    )
    say.title(console, "积压")
    say.rows(console, [_lane(each, status) for each in status.backlog] or [("没有",)])
    say.title(console, f"办不成的事（{status.dead} 件）")
    say.rows(console, [line for each in status.dead_letters for line in _letter(each)] or [("没有",)])
    _cases(status, console)
    draws.show(console, status.draws, status.at)
    _payouts(status, console)
    say.title(console, "接口用量（最近一天，企业微信每个接口每小时限 15 万次）")
    say.rows(console, [_calls(each) for each in status.calls] or [("没有调用过，或群管家没有在运行",)])
    _then(status, console)


def _ago(status: Status) -> str:
    if status.last_callback_at is None:
        return "最近没有收到过（只看最近几天）"
    return f"{say.at(status.last_callback_at)}（{say.span(status.at - status.last_callback_at)}前）"


def _lane(lane: Lane, status: Status) -> tuple[str, str, Text]:
    late = status.at - lane.due_at
    if late >= timedelta(0):
        when = Text(f"{lane.rows} 件，最早的等了{say.span(late)}", style="red" if late > LATE else "")
    else:
        when = Text(f"{lane.rows} 件，都没到时间，最早 {say.at(lane.due_at)}")
    return QUEUES[lane.queue], LANES.get(lane.lane, lane.lane), when


def _letter(letter: DeadLetter) -> list[tuple[Text, str]]:
    what = f"{letter.kind}  {letter.about}  {say.at(letter.given_up_at)} 放弃，试过 {letter.attempts} 次"
    return [(Text(letter.id, style="bold red"), what), (Text(""), letter.error)]


def _cases(status: Status, console: Console) -> None:
    cases = status.open_cases
    more = f"，这里是最早的 {CASES_SHOWN} 件，全部请加 --json" if len(cases) > CASES_SHOWN else ""
    say.title(console, f"还开着的案件（{len(cases)} 件{more}）")
    say.rows(console, [_case(each, status) for each in cases[:CASES_SHOWN]] or [("没有",)])


def _case(case: OpenCase, status: Status) -> tuple[Text, str, str]:
    step = NEXT.get(case.step, case.step) or "只等名单"
    due = f"（{say.at(case.step_due_at)}）" if case.step_due_at else ""
    age = say.span(status.at - case.opened_at)
    return Text(f"#{case.number}", style="bold"), age, f"{case.person} 在「{case.group}」；{step}{due}"


def _payouts(status: Status, console: Console) -> None:
    """Only where there is something: most shops pay nothing by WeChat Pay."""
    if status.payouts_paused:
        say.title(console, "红包暂停发放")
        say.rows(console, [(say_code(status.payouts_paused),)])
    if status.payouts:
        say.title(console, f"不知道发出去没有的红包（{len(status.payouts)} 个）")
        say.rows(console, [_payout(each, status) for each in status.payouts[:CASES_SHOWN]])


def _payout(payout: Payout, status: Status) -> tuple[Text, str, str]:
    age = say.span(status.at - payout.since)
    text = f"{age}，{say_code(payout.why)}{'，已请负责人核对' if payout.shown else ''}"
    return Text(payout.number, style="bold"), say_money(payout.amount), text


def _calls(calls: Calls) -> tuple[str, str, Text]:
    share = f"，本小时 {calls.this_hour} 次（{calls.this_hour / PER_HOUR:.1%}）" if calls.this_hour else ""
    text = Text(f"{calls.last_day} 次{share}")
    if calls.failed:
        failed = "、".join(f"{errcode}×{times}" for errcode, times in sorted(calls.failed.items()))
        text.append(f"  出错 {failed}", style="yellow")
    return calls.endpoint, "", text


def _then(status: Status, console: Console) -> None:
    if status.dead_letters:
        first = status.dead_letters[0].id
        say.then(console, f"steward status --retry {first}", "再试一次；--drop 不再管它；all 是全部")
    elif status.payouts:
        say.then(console, "steward draw payouts", "看每个红包的结果，和查清以后怎么登记")
    elif status.open_cases:
        say.then(console, f"steward explain {status.open_cases[0].number}", "看一个案件的全部经过")
    else:
        say.then(console, "steward doctor", "检查和企业微信之间有没有问题")
