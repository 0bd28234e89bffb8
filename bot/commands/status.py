"""`steward status`, also to try dead letters again or to let them be."""

from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import AsJson, with_store


def status(
    retry: Annotated[str | None, typer.Option(metavar="编号|all", help="办不成的事再试一次，例如 in12、out7")] = None,
    drop: Annotated[str | None, typer.Option(metavar="编号|all", help="办不成的事算了，不再列出")] = None,
    as_json: AsJson = False,
) -> None:
    """群管家忙得怎么样：积压、办不成的事、还开着的案件、接口用量。"""
    from bot.clocks import SystemClock
    from bot.status import look as now
    from bot.status.words import show
    from store.database import Database

    clock = SystemClock()

    async def look(store: Database) -> tuple[list[str], now.Status]:
        changed: list[str] = []
        if retry or drop:
            async with store.write() as tx:
                changed += await now.retry(tx, retry, clock.now()) if retry else []
                changed += await now.drop(tx, drop) if drop else []
        async with store.read() as tx:
            return changed, await now.look(tx, clock.now())

    try:
        changed, found = with_store(look)
    except now.NoSuchLetterError as error:
        Console(stderr=True).print(str(error), markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        console = Console()
        if retry or drop:
            did = "再试一次" if retry else "不再管"
            console.print(f"{did}：{'、'.join(changed) or '没有办不成的事'}\n", markup=False, highlight=False)
        show(found, console)
    raise typer.Exit(1 if found.dead else 0)
