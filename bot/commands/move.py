"""`steward move --to postgresql://…`."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import could_not, database_url


def move(
    to: Annotated[
        str,
        typer.Option(
            envvar="STEWARD_MOVE_TO",
            help="搬到哪里：postgresql://用户:密码@主机/库名。不想让密码留在命令记录里，就放进环境变量 STEWARD_MOVE_TO",
        ),
    ],
    source: Annotated[str | None, typer.Option("--from", help="从哪里搬；不写就用 DATABASE_URL")] = None,
    only_check: Annotated[bool, typer.Option("--check", help="只核对两边是不是一样，什么也不搬")] = False,
) -> None:
    """从 SQLite 搬到 PostgreSQL：先停掉群管家。中断了再运行一次，会接着搬。"""
    from rich.progress import Progress, TextColumn
    from rich.table import Table

    from bot import say
    from bot.backup import CannotError
    from bot.move import compare
    from bot.move import move as carry

    console, from_here = Console(), source or database_url()
    try:
        with Progress(TextColumn("{task.description}"), console=console, transient=True) as progress:
            task = progress.add_task("")

            def tell(table: str, copied: int) -> None:
                progress.update(task, description=f"在搬 {table}：{copied} 行")

            compared = asyncio.run(compare(from_here, to) if only_check else carry(from_here, to, tell))
    except CannotError as error:
        could_not(f"没有搬完：{error}" if not only_check else f"没有核对：{error}")
    differ = [each for each in compared if not each.same]
    table = Table("表", "SQLite 行数", "PostgreSQL 行数", "校验")
    for each in compared:
        if each.here or each.there:
            table.add_row(each.table, str(each.here), str(each.there), "一致" if each.same else "不一致")
    console.print(table)
    total = sum(each.here for each in compared)
    if differ:
        say.line(console, f"有 {len(differ)} 张表不一致，没有启用。")
        say.line(console, "请换一个空的库再搬一次；还是这样，请带上这张表告诉我们。")
        raise typer.Exit(1)
    if only_check:
        say.line(console, f"两边一样：{len(compared)} 张表，{total} 行。")
        return
    say.line(console, f"搬好了：{len(compared)} 张表，{total} 行，行数和校验和都一致。原来的文件没有动。")
    say.line(console, "把 .env 里的 DATABASE_URL 换成新地址；旧文件改个名字收好，免得有人又用它启动。")
    say.then(console, "steward serve", "之后接着运行，名单会重新读一遍")
