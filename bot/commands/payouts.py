"""`steward draw payouts` and `steward draw settle`: what was paid, what nobody knows yet, a month for the accounts."""

import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.text import Text

from bot import say
from bot.commands.opening import AsJson, could_not, with_store
from rules.money import say_money
from rules.payout_report import STATES, WAYS, Line, as_csv, month_span
from rules.payout_words import say_code
from rules.payouts import PAID
from store.database import Database
from store.payouts import PayoutRow

SHOWN = 50


def payouts(
    month: Annotated[str | None, typer.Option(help="哪个月，如 2026-11；不写就是这个月")] = None,
    as_table: Annotated[bool, typer.Option("--csv", help="这个月的明细，一行一份奖，给财务报税用")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="恢复发放：问题解决了，现在就接着发")] = False,
    as_json: AsJson = False,
) -> None:
    """发奖的账：发了多少、有没有暂停、哪些不知道发出去没有。"""
    from bot.clocks import SystemClock
    from rules.budget import month_of

    now = SystemClock().now()
    name = month or month_of(now)
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", name):
        could_not(f"看不懂月份「{name}」，请写成 2026-11 这样")
    if resume:
        going, left = with_store(lambda store: _resume(store, now))
        if left:
            could_not(f"不能恢复：有 {left} 个红包发出去了，但预算里没有这笔钱。先在设置里提高 budget，再试一次。")
        Console().print("已恢复，几秒内接着发。" if going else "没有暂停，不用恢复。")
        return
    found = with_store(lambda store: _look(store, name))
    if as_table:
        typer.echo("\ufeff" + as_csv(found.pop("lines")), nl=False)
        return
    if as_json:
        lines = [line.model_dump(mode="json") for line in found.pop("lines")]
        typer.echo(json.dumps({**found, "lines": lines}, ensure_ascii=False, indent=2))
    else:
        _show(found, name)
    raise typer.Exit(1 if found["unresolved"] or found["paused"] else 0)


async def _resume(store: Database, now: datetime) -> tuple[bool, int]:
    """Whether it goes on; and how many were paid that the ledger cannot book."""
    from handlers.payout_books import book_the_rest
    from store import payouts as rows

    async with store.write() as tx:
        left = await book_the_rest(tx, now=now)
        going = not left and await rows.resume(tx, now=now)
        if going:
            await rows.hurry(tx, now=now)
    return going, left


async def _look(store: Database, month: str) -> dict[str, Any]:
    from store import ledger
    from store import payouts as rows

    start, end = month_span(month)
    async with store.read() as tx:
        pause = await rows.paused(tx)
        budget = await ledger.month(tx, month)
        lines = [_line(row) for row in await rows.between(tx, start, end)]
        unresolved = [_unresolved(row) for row in await rows.unresolved(tx)]
    return {
        "month": month,
        "budget": budget._asdict(),
        "paused": {"reason": pause.reason, "code": pause.code, "since": pause.since.isoformat()} if pause else None,
        "unresolved": unresolved,
        "lines": lines,
    }


def _line(row: PayoutRow) -> Line:
    paid = row.state in PAID
    return Line(
        at=row.sent_at or row.planned_at,
        draw=row.draw,
        person=row.person or row.chat_id,
        way=row.way,
        gross=row.gross if paid else 0,
        tax=row.tax if paid else 0,
        net=row.amount if paid else 0,
        born_by=row.born_by,
        state=row.state,
        number=row.code or row.number,
        why=row.what if paid or row.way != "wechat" else say_code(row.why),
    )


def _unresolved(row: PayoutRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "draw": row.draw,
        "person": row.person,
        "amount": row.amount,
        "state": row.state,
        "why": row.why,
        "since": row.since.isoformat(),
        "next": row.due_at.isoformat() if row.due_at else None,
        "shown": row.shown,
    }


def _show(found: dict[str, Any], month: str) -> None:
    console = Console()
    say.heading(console, f"{month} 发奖")
    budget = found["budget"]
    facts = {"预算": "budget", "已发": "paid", "留着": "held", "还剩": "free"}
    say.facts(console, {label: say_money(budget[key]) for label, key in facts.items()})
    if found["paused"]:
        since = datetime.fromisoformat(found["paused"]["since"])
        say.line(console, f"发放暂停：{say_code(found['paused']['code'])}，从 {say.at(since)} 起", "bold red")
    say.title(console, "这个月的")
    counted: dict[tuple[str, str], list[int]] = {}
    for line in found["lines"]:
        counted.setdefault((line.way, line.state), []).append(line.net)
    say.rows(
        console,
        [
            (WAYS.get(way, way), STATES[state], f"{len(nets)} 份，实发 {say_money(sum(nets))}")
            for (way, state), nets in sorted(counted.items())
        ]
        or [("没有",)],
    )
    unresolved = found["unresolved"]
    say.title(console, f"不知道发出去没有的（{len(unresolved)} 个）")
    say.rows(console, [_row(each) for each in unresolved[:SHOWN]] or [("没有",)])
    if unresolved:
        first = unresolved[0]["number"]
        say.then(console, f"steward draw settle {first} paid", "在商户平台查到已发出时；没发出写 failed，再发写 again")
    elif found["paused"]:
        say.then(console, "steward draw payouts --resume", "问题解决以后接着发")
    else:
        say.then(console, f"steward draw payouts --month {month} --csv", "给财务的明细")


def _row(each: dict[str, Any]) -> tuple[Text, str, str]:
    when = say.at(datetime.fromisoformat(each["since"]))
    shown = "，已请负责人核对" if each["shown"] else "，还在自动查询"
    return Text(each["number"], style="bold"), say_money(each["amount"]), f"{when} 起；{say_code(each['why'])}{shown}"


def settle(
    number: Annotated[str, typer.Argument(metavar="单号", help="商户单号，在 steward draw payouts 里")],
    verdict: Annotated[
        Literal["paid", "refunded", "failed", "again"],
        typer.Argument(
            metavar="结果",
            help="paid 已发出；refunded 发出后没领、已退款；failed 确实没有发出，换新单号再发；again 同一单号再发一次",
        ),
    ],
) -> None:
    """在商户平台查清以后，告诉群管家一个红包到底发出去没有。"""
    from bot.clocks import SystemClock

    now = SystemClock().now()

    async def work(store: Database) -> PayoutRow | str:
        from handlers.payout_by_hand import by_hand
        from store import payouts as rows

        async with store.write() as tx:
            row = await rows.numbered(tx, number, lock=True)
            if row is None:
                return f"没有单号 {number}。单号在 steward draw payouts 里。"
            before = STATES[row.state]
            refused = await by_hand(tx, row, verdict, now=now)
            return f"单号 {number}（{before}）：{refused}。" if refused else row

    done = with_store(work)
    if isinstance(done, str):
        could_not(done)
    console = Console()
    say.line(console, f"登记好了：{number} {STATES[done.state]}，{say_money(done.amount)}。")
    say.then(console, "steward draw payouts", "看还有没有要查的")


def codes(
    file: Annotated[
        str, typer.Argument(metavar="表格", help="券码表格，照设置里 codes 写的路径，如 content/茶券.xlsx")
    ],
) -> None:
    """把表格里的券码放进来：第一列一行一个。以前放过的不重复放，中奖的人按顺序拿。"""
    from pathlib import Path

    from bot.clocks import SystemClock
    from bot.config.code_sheets import read_code_sheet
    from bot.config.problems import render
    from bot.config.sheets import UnreadableSheetError, cells, sheet_text

    now = SystemClock().now()
    try:
        found, problems = read_code_sheet(cells(sheet_text(Path(file))), file)
    except (UnreadableSheetError, OSError) as error:
        could_not(f"读不了「{file}」：{error}。")
    if problems:
        could_not(f"{render(problems)}\n一个也没有放进来。")

    async def work(store: Database) -> tuple[int, int]:
        from handlers.coupons import NO_CODES
        from store import coupon_codes, matters

        async with store.write() as tx:
            added = await coupon_codes.add(tx, file, found, now=now)
            if added:
                await matters.settle(tx, f"{NO_CODES}{file}", outcome="settled", now=now)
            return added, await coupon_codes.left(tx, file)

    added, left = with_store(work)
    console = Console()
    say.line(console, f"「{file}」：{len(found)} 个券码，新放进 {added} 个，还有 {left} 个没人领。")
    say.then(console, "steward check", "看抽奖的设置对不对")


def desk(
    who: Annotated[str, typer.Argument(metavar="店员", help="店员的姓名或 userid")],
) -> None:
    """到店核销页面的链接：给一位店员用，90 天有效，不要转给别人。"""
    from bot.clocks import SystemClock
    from bot.commands.links import page_links
    from bot.settings import SettingsError
    from rules.actions import Link

    async def find(store: Database) -> list[str]:
        from store import staff

        async with store.read() as tx:
            return (await staff.find(tx, [who]))[0]

    try:
        pages = page_links()
    except SettingsError as error:
        could_not(str(error))
    found = with_store(find)
    if not found:
        could_not(f"没有叫「{who}」的同事，或有几位重名。请写 userid。")
    console = Console()
    link = Link(page="redeem", userid=found[0], issued_at=SystemClock().now())
    console.print(pages.url(link), markup=False, highlight=False, soft_wrap=True)
    say.then(console, f"发给{who}", "在手机上打开，输入顾客的核销码")
