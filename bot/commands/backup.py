"""`steward backup FILE` and `steward restore FILE`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.commands.opening import could_not, database_url


def backup(file: Annotated[Path, typer.Argument(metavar="文件", help="备份写到这里；已有的文件不会覆盖")]) -> None:
    """备份数据库，群管家可以照常运行。"""
    from bot import say
    from bot.backup import CannotError, back_up

    try:
        size = back_up(database_url(), file)
    except CannotError as error:
        could_not(f"没有备份：{error}")
    console = Console()
    say.line(console, f"备份好了：{file}（{size / 1_048_576:.1f} MB，检查过是完整的，只有您能读）")
    say.then(console, f"steward restore {file}", "要恢复时用；请把备份和 .env、config.yaml 一起存到另一台机器")


def restore(
    file: Annotated[Path, typer.Argument(metavar="文件", help="steward backup 做的备份")],
    force: Annotated[bool, typer.Option("--force", help="已有数据库也换掉，旧的改名留在旁边")] = False,
) -> None:
    """用备份换掉数据库；先停掉群管家。"""
    from bot import say
    from bot.backup import CannotError
    from bot.backup import restore as put_back
    from bot.clocks import SystemClock

    try:
        kept = put_back(database_url(), file, force=force, now=SystemClock().now())
    except CannotError as error:
        could_not(f"没有恢复：{error}")
    console = Console()
    say.line(console, f"恢复好了。{f'原来的数据库留在 {kept}。' if kept else ''}")
    say.then(console, "steward serve", "启动时会重新读一遍所有群的名单，备份以后的变化会补上")
