"""Options that are written once and shared by commands."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from llmopt.main import app
from llmopt.option_groups import spread
from llmopt.options import RunOptions


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
        assert f"--{name.removeprefix('as_').replace('_', '-')}" in output


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--trials", "0", "'0': expected at least 1"),
        ("--trials", "ten", "'ten': expected a whole number"),
        ("--trials", "1e3", "'1e3': expected a whole number"),
        ("--samples", "100000000", "'100000000': expected at most 10000"),
        ("--method", "bayesian", "'bayesian' is not one of 'auto', 'tpe'"),
    ],
)
def test_a_value_that_an_option_cannot_have_is_shown_with_what_is_expected(option, value, said):
    """Not in the words of the library that parses it."""
    result = CliRunner().invoke(app, ["optimize", "--model", "m.gguf", option, value])
    assert result.exit_code == 2
    assert f"Invalid value for '{option}': {said}" in result.output


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("accuracy,ttft_ms_p95", "several are given one by one: accuracy and ttft_ms_p95"),
        ("accuracy=maximize", ""),
        ("accuracy:min", "did you mean accuracy:minimize?"),
        ("accuracy:Maximize", "did you mean accuracy:maximize?"),
        ("", ""),
    ],
)
def test_what_is_no_objective_gets_the_form_of_one(value, meant, tmp_path, monkeypatch):
    """Several in one option included, and another word for the goal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    result = CliRunner().invoke(app, ["optimize", "--model", "m.gguf", "--dry-run", "--objective", value])
    assert result.exit_code == 2
    assert f"--objective {value!r}: expected METRIC, METRIC:maximize or METRIC:minimize" in result.output
    assert meant in result.output
