"""The reference page of the command line is what the commands say of themselves."""

from pathlib import Path

from typer.cli import app as typer_app
from typer.testing import CliRunner

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
PRINT = ("llmopt.main", "utils", "docs", "--name", "llmopt", "--title", "Command line")


def test_the_page_is_up_to_date():
    """`make generate` writes what the options and help texts are now."""
    printed = CliRunner().invoke(typer_app, PRINT)
    assert printed.exit_code == 0
    assert PAGE.read_text() == printed.output
