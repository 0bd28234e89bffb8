"""`steward --help`: quick, and in each command's own words."""

import subprocess
import sys

import pytest

from bot.commands.later import COMMANDS, Later


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_the_command_says(name: str) -> None:
    """A command that is imported later is listed under its own name with the first line of its own help."""
    where, words = COMMANDS[name]
    command = Later(name, where, words).command()
    assert command.name in (name, None, "")
    assert (command.help or "").splitlines()[0] == words


def test_help_does_not_wait_for_the_database_or_the_rules() -> None:
    """What only a command needs is not imported before it is run."""
    script = "import sys, bot.cli; print(*{each.partition('.')[0] for each in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert not {"sqlalchemy", "pydantic", "fastapi", "rules", "store"} & {*done.stdout.split()}
