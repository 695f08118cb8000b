"""Options that are written once and shared by commands."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from llmopt.main import app
from llmopt.options import RunOptions, spread


@dataclass(frozen=True)
class Colours:
    wall: Annotated[str, typer.Option(help="Of the wall.")]
    door: Annotated[str, typer.Option("--door-colour")] = "red"


def painted(*arguments):
    """Return what a command with `Colours` was called with."""
    seen = []
    program = typer.Typer()

    @program.command()
    @spread
    def paint(house: str, colours: Colours) -> None:
        """Paint a house."""
        seen.append((house, colours))

    result = CliRunner().invoke(program, list(arguments))
    return seen, result


def test_a_command_gets_its_options_as_one_object():
    """What was said and what was not both arrive in the dataclass."""
    seen, _ = painted("mine", "--wall", "blue")
    assert seen == [("mine", Colours("blue", "red"))]


def test_a_field_without_a_default_is_required():
    """Leaving it out is refused by name, before the command is called."""
    seen, result = painted("mine")
    assert seen == []
    assert result.exit_code == 2
    assert "--wall" in result.output


def test_names_and_help_of_the_fields_are_the_options_own():
    """An option can be called otherwise than its field; the command keeps its text."""
    _, result = painted("--help")
    assert "--door-colour" in result.output
    assert "Of the wall." in result.output
    assert "Paint a house." in result.output


@pytest.mark.parametrize("command", ["run", "optimize"])
def test_every_option_of_a_run_is_one_of_both_commands(command):
    """run and optimize take the same options of a run, with the same words."""
    output = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    for name in inspect.signature(RunOptions).parameters:
        assert f"--{name.replace('_', '-')}" in output
