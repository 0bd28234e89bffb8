"""`steward draw …`: everything about draws and their prizes."""

import typer

from bot.commands.draws import cancel, check_file, listed, proof, show
from bot.commands.payouts import codes, desk, payouts, settle

draw = typer.Typer(no_args_is_help=True, add_completion=False, help="抽奖和发奖：进展、名单、核对、账目、券码。")
draw.command(name="list")(listed)
draw.command(name="verify")(check_file)
for command in (show, proof, cancel, payouts, settle, codes, desk):
    draw.command()(command)
