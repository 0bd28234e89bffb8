"""`steward visitor NUMBER`: who a visitor of our pages is, and taking back what made two people one."""

import json
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, could_not, with_store


def visitor(
    number: Annotated[int, typer.Argument(metavar="访客编号", help="页面和台账上的访客编号")],
    split: Annotated[int | None, typer.Option(metavar="编号", help="方括号里的编号：这一条认错了，拆开")] = None,
    why: Annotated[str, typer.Option(metavar="原因", help="和 --split 一起用：为什么知道认错了")] = "",
    as_json: AsJson = False,
) -> None:
    """访客是谁：有哪些 id、凭什么算同一个人；认错了可以拆开。"""
    from bot import say
    from bot.clocks import SystemClock
    from bot.explain import identity as told
    from bot.explain.identity import Identity
    from handlers import identity
    from store.database import Database

    if split is not None and not why:
        could_not("拆开要写原因，例如 --why 两位顾客共用过一部手机。")

    async def look(store: Database) -> Identity | None:
        if split is not None:
            async with store.write() as tx:
                before = await told.of_visitor(tx, number)
                if before is None or split not in {tie.number for tie in before.ties}:
                    return None
                await identity.split(tx, split, because=why, now=SystemClock().now())
        async with store.read() as tx:
            return await told.of_visitor(tx, number)

    found = with_store(look)
    if as_json:
        typer.echo(found.model_dump_json(indent=2) if found else json.dumps({"kind": "unknown"}))
        raise typer.Exit(0 if found else 1)
    console = Console()
    if found is None:
        what = f"访客 {number} 没有编号 {split} 的这一条。" if split is not None else f"没有访客 {number}。"
        say.line(console, what)
        say.then(console, "steward explain 名字", "按名字找人")
        raise typer.Exit(1)
    told.show(console, found)
    ids = [each.value for each in found.ids if each.kind == "客户 id"]
    say.then(console, f"steward explain {ids[0]}" if ids else "steward status", "看此人的一切" if ids else "看总的情形")
