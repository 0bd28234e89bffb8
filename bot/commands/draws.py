"""`steward draw`: `list`, `show NAME`, `proof NAME`: the file that proves a draw, `verify FILE`: check it, `cancel`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from bot import say
from bot.commands.opening import AsJson, could_not, with_store
from rules.draw_proof import Checked, verify
from rules.money import say_money
from store import draw_winners, ledger
from store import draws as draw_rows
from store.database import Database
from store.draws import DrawRow

STATES = {
    "announced": "已公示，还没开始",
    "open": "报名中",
    "frozen": "名单已定，等开奖",
    "drawn": "已开奖，领奖中",
    "closed": "结束",
    "cancelled": "取消",
}
WINNERS = {"won": "还没领", "claimed": "发放中", "paid": "已发", "lapsed": "过期", "dropped": "给了候补"}
MOST_BYTES = 500_000_000

Which = Annotated[str, typer.Argument(metavar="名字", help="哪个抽奖（draws 里的 name），或一期的编号")]


def listed(as_json: AsJson = False) -> None:
    """最近的抽奖：到了哪一步、多少人参加、多少人中奖、占用多少预算。"""
    rows, counts = with_store(_last)
    if as_json:
        typer.echo(json.dumps([_as_data(row, counts) for row in rows], ensure_ascii=False, indent=2))
        return
    console = Console()
    if not rows:
        console.print("还没有办过抽奖。\n下一步：在 config.yaml 里写 draws，见 docs/draws.md。")
        return
    for row in rows:
        won = sum(
            number for (draw_id, state), number in counts.items() if draw_id == row.id and state in draw_winners.LIVE
        )
        line = f"#{row.id} {row.name}  {say.at(row.draw_at)[:16]}  {STATES[row.state]}"
        line += f"  {row.entrants} 人参加，{won} 人中奖" if row.drawn_at else ""
        console.print(Text(line + (f"  预算 {say_money(row.held)}" if row.held else "")))
        if row.because:
            console.print(Text(f"    {row.because}", style="dim"))
    console.print("下一步：steward draw show 名字，看中奖名单；steward draw proof 名字，写出存证文件。", style="dim")


def show(name: Which, as_json: AsJson = False) -> None:
    """一期抽奖的规则、钱和中奖的人。"""
    row, winners, purse = with_store(lambda store: _show(store, name))
    if row is None:
        could_not(f"没有叫「{name}」的抽奖。\n下一步：steward draw list 看有哪些。")
    if as_json:
        data = {**_as_data(row, {}), "rules": row.rules, "changes": row.changes, "redraws": row.redraws}
        data["winners"] = [each.model_dump(mode="json", exclude={"visitor_id", "month_key"}) for each in winners]
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))
        return
    console = Console()
    say.heading(console, f"#{row.id} {row.name}", STATES[row.state])
    for heading, text in row.rules:
        console.print(Text.assemble((f"  {heading}  ", "dim"), text))
    if purse is not None:
        console.print(Text(f"  预算  还占用 {say_money(purse.held)}，已付 {say_money(purse.paid)}（{purse.month}）"))
    for each in winners:
        worth = say_money(each.amount) if each.amount else "券"
        words = f"  第 {each.rank} 名  {each.person}  {worth}  {WINNERS[each.state]}"
        console.print(Text(words + (f"（{each.because}）" if each.because else "")))
    for each in row.redraws:
        console.print(Text(f"  补位  第 {each['gone']} 名 → 第 {each['to']} 名：{each['because']}", style="dim"))


def proof(
    name: Which,
    out: Annotated[Path | None, typer.Option(help="写到哪个文件；不写就按抽奖的名字", show_default=False)] = None,
) -> None:
    """写出一期抽奖的存证文件：谁都可以用 steward draw verify 重新算一遍。"""
    row, found = with_store(lambda store: _proof(store, name))
    if row is None:
        could_not(f"没有叫「{name}」的抽奖。\n下一步：steward draw list 看有哪些。")
    if found is None:
        could_not(f"「{row.name}」这一期还没有开奖（或由群主在群里发），没有存证文件。")
    path = out or Path(f"{row.name}-{row.id}.json")
    path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    Console().print(f"写好了 {path}。\n下一步：steward draw verify {path}", highlight=False)


def check_file(file: Annotated[Path, typer.Argument(metavar="文件", help="存证文件")], as_json: AsJson = False) -> None:
    """核对一个存证文件：全部重新算一遍，哪里不对就指出哪里，以 1 退出。"""
    found = verify(_read(file))
    right = all(each.ok for each in found)
    if as_json:
        steps = [each._asdict() for each in found]
        typer.echo(json.dumps({"file": str(file), "ok": right, "steps": steps}, ensure_ascii=False, indent=2))
    else:
        _show_checks(found, right=right)
    raise typer.Exit(0 if right else 1)


def cancel(
    name: Which, because: Annotated[str, typer.Option("--because", help="为什么，客户在页面上会看到")] = "主办方取消"
) -> None:
    """取消还没有开奖的一期：预算和积分退回。"""
    row, done = with_store(lambda store: _cancel(store, name, because))
    if row is None:
        could_not(f"没有叫「{name}」的抽奖。\n下一步：steward draw list 看有哪些。")
    if not done:
        could_not(f"「{row.name}」这一期{STATES[row.state]}，不能取消了：已经有人中奖，或已经结束。")
    Console().print(f"「{row.name}」这一期取消了，预算和积分都退回了。")


# --- how --------------------------------------------------------------------------------------------------------------


def _read(file: Path) -> Any:
    """The file as plain JSON data; where it cannot be read, why, with exit code 2."""
    try:
        if file.stat().st_size > MOST_BYTES:
            could_not(f"{file} 太大了，不是抽奖的存证文件。")
        return json.loads(file.read_bytes())
    except OSError as error:
        could_not(f"打不开 {file}：{error.strerror}。")
    except json.JSONDecodeError as error:
        could_not(f"{file}:{error.lineno}:{error.colno}  不是 JSON，文件在这里坏了。")
    except UnicodeDecodeError as error:
        could_not(f"{file} 的第 {error.start + 1} 个字节不是文字，文件在这里坏了。")


def _show_checks(found: Sequence[Checked], *, right: bool) -> None:
    console = Console()
    for each in found:
        mark, style = ("✓", "green") if each.ok else ("✗", "bold red")
        console.print(Text.assemble((f"{mark} {each.what}  ", style), each.says), soft_wrap=True)
    if right:
        console.print("这次抽奖没有问题：规则、名单、中奖人都能重新算出来。", style="bold green")
        return
    wrong = [each.place for each in found if not each.ok]
    console.print(f"核对不上：{'、'.join(wrong)}。", style="bold red")
    console.print("下一步：向主办方要当时公布的指纹，和文件里的比一比，就知道是哪一份改过。")


def _as_data(row: DrawRow, counts: dict[tuple[int, str], int]) -> dict[str, Any]:
    shown = {"id", "name", "key", "state", "draw_at", "open_at", "close_at", "entrants", "held", "month", "because"}
    hashes = {"commitment", "rules_hash", "entrants_hash"}
    winners = {state: number for (draw_id, state), number in counts.items() if draw_id == row.id}
    return {**row.model_dump(mode="json", include=shown | hashes), "winners": winners}


async def _last(store: Database) -> tuple[list[DrawRow], dict[tuple[int, str], int]]:
    async with store.read() as tx:
        rows = await draw_rows.last(tx)
        return rows, await draw_winners.counts(tx, [row.id for row in rows])


async def _show(store: Database, name: str) -> tuple[DrawRow | None, list[Any], ledger.Purse | None]:
    async with store.read() as tx:
        row = await draw_rows.called(tx, name)
        if row is None:
            return None, [], None
        return row, await draw_winners.of_draw(tx, row.id), await ledger.purse(tx, row.purse)


async def _proof(store: Database, name: str) -> tuple[DrawRow | None, dict[str, Any] | None]:
    from handlers.draw_pick import proof_of

    async with store.read() as tx:
        row = await draw_rows.called(tx, name, drawn=True)
        try:
            return row, (await proof_of(tx, row)).model_dump() if row else None
        except LookupError:
            return row, None


async def _cancel(store: Database, name: str, because: str) -> tuple[DrawRow | None, bool]:
    from bot.clocks import SystemClock
    from bot.commands.blocklist import in_force
    from handlers.draws import cancel as cancel_draw

    async with store.write() as tx:
        found = await draw_rows.called(tx, name)
        row = await draw_rows.draw(tx, found.id, lock=True) if found else None
        if row is None:
            return None, False
        return row, await cancel_draw(tx, await in_force(tx), row, because, now=SystemClock().now())
