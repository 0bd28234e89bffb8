"""The command `steward`. Each command prints what to do next; exit code 0 fine, 1 found something, 2 could not run.

Commands with files of their own are listed in bot/commands/later.py.
"""

import asyncio
import gc
import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from bot.commands.later import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    help="群管家 Steward：照看企业微信客户群。",
    pretty_exceptions_enable=False,
)

EXAMPLE = Path(__file__).parent.parent / "config.yaml"


def main() -> None:
    """The entry point."""
    gc.set_threshold(100_000, 20, 20)  # to look through what stays imported, again and again, is a fifth of a start
    app()


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听的地址；不写就用 STEWARD_HOST")] = None,
    port: Annotated[
        int | None, typer.Option(help="监听的端口；不写就用 STEWARD_PORT（worker 不写就不监听，写了可看指标）")
    ] = None,
    role: Annotated[
        Literal["all", "web", "worker"], typer.Option(help="web 只收回调，worker 只干活，all 两样都做")
    ] = "all",
) -> None:
    """运行群管家（先在 .env 里填好企业微信的设置）。"""
    from loguru import logger

    from bot.commands import not_started
    from bot.logs import set_up_logs
    from bot.serve import serve as run
    from bot.server import ServerError, loop_factory
    from bot.settings import SettingsError, load_settings

    errors = Console(stderr=True)
    try:
        settings = load_settings(os.environ, Path(".env"))
    except SettingsError as error:
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    set_up_logs(secrets=settings.secret_values())
    if port is None and role != "worker":
        port = settings.steward_port
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        try:
            runner.run(run(settings, host=host or settings.steward_host, port=port, role=role))
        except* not_started.NOT_STARTED as group:
            for failure in group.exceptions:
                if isinstance(failure, ServerError):
                    logger.error("{}", failure)
                errors.print(not_started.say(failure), markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(2) from None


@app.command()
def demo(
    stay: Annotated[bool, typer.Option("--stay", help="演完不关，可以在浏览器里扮演任何人")] = False,
    seed: Annotated[int, typer.Option(help="同一个种子演出同一个故事")] = 1,
    pace: Annotated[float, typer.Option(help="每一行停几秒；0 = 不停")] = 0.15,
    config: Annotated[Path, typer.Option(help="按哪个设置文件演；不写就用自带的样例", show_default=False)] = EXAMPLE,
) -> None:
    """看一遍：模拟的企业微信加上真的群管家，不用账号，不用设置。"""
    from bot.demo import play
    from bot.logs import set_up_logs
    from bot.server import loop_factory

    set_up_logs(level="ERROR")
    console = Console()

    async def pause(lines: float) -> None:
        await asyncio.sleep(lines * pace)

    with (
        tempfile.TemporaryDirectory(prefix="steward-demo-") as folder,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        try:
            kept = runner.run(play(console, config, Path(folder), pause=pause, stay=stay, seed=seed))
        except KeyboardInterrupt:
            console.print("\n演示结束。")
            return
    raise typer.Exit(0 if all(each.kept for each in kept) else 1)


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="设置文件；不写就用 STEWARD_CONFIG 或 config.yaml")] = None,
    database: Annotated[
        str | None, typer.Option(help="和这个数据库里的群、同事核对；不写就用 DATABASE_URL，没有就不核对")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="给程序看的格式")] = False,
) -> None:
    """检查设置：一次列出所有问题，并用大白话说每条规则管哪些群、做什么。"""
    from dotenv import dotenv_values

    from bot.clocks import SystemClock
    from bot.config.check import NotKnownError, as_data, show
    from bot.config.check import check as look

    try:
        env = {**dotenv_values(".env", interpolate=False, encoding="utf-8-sig"), **os.environ}
        report = look(file, database, env, SystemClock().now())
    except NotKnownError as error:
        Console(stderr=True).print(str(error), markup=False, highlight=False)
        raise typer.Exit(2) from None
    if as_json:
        typer.echo(as_data(report))
    else:
        console = Console(highlight=False)
        console.width = console.width if console.is_terminal else 160  # nobody reads a file through a keyhole
        show(report, console)
    raise typer.Exit(report.exit_code)


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help="写成当前文件夹里的 config.schema.json")] = False,
    reference: Annotated[
        Path | None, typer.Option(help="更新这一页说明里的表格，如 docs/configuration.md（开发用）")
    ] = None,
) -> None:
    """设置文件的格式（JSON Schema）：编辑器靠它边写边提示。"""
    from bot.config.read import read_text
    from bot.config.reference import schema_text, with_tables
    from bot.config.yaml_tree import read_tree

    if reference:
        example, _ = read_tree(read_text(EXAMPLE))
        page = reference.read_text(encoding="utf-8") if reference.exists() else "# config.yaml 怎么写\n"
        reference.write_text(with_tables(page, example.data() if example else {}), encoding="utf-8")
        typer.echo(f"更新了 {reference}。")
    if write:
        Path("config.schema.json").write_text(schema_text(), encoding="utf-8")
        typer.echo("写好了 config.schema.json。")
        typer.echo("下一步：在 config.yaml 第一行写 # yaml-language-server: $schema=./config.schema.json ，")
        typer.echo("　　　　在 VS Code 里装上 YAML 插件（redhat.vscode-yaml），就会边写边提示。")
    if not reference and not write:
        typer.echo(schema_text(), nl=False)


if __name__ == "__main__":
    main()
