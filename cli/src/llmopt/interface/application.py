"""The command itself: what holds for all commands, and what is done before each."""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from llmopt_core.api.exit_codes import Exit


class Commands(TyperGroup):
    """The commands; a value that an option cannot have is said in the words of manifests."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            from llmopt.interface.option_errors import words_of

            error.message = words_of(error)
            raise


app = typer.Typer(
    name="llmopt",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its boxes would load Markdown and Pygments: three times the start-up
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from importlib.metadata import version

        typer.echo(f"llmopt {version('llmopt')}")
        raise typer.Exit


@app.callback()
def prepare(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Find, measure and prove the best way to serve an open LLM on your own hardware."""
    if version or not Path(".env").exists():
        return
    from llmopt.environment_files import FILE, EnvironmentFileInvalid, take

    try:
        context.obj = take(Path(FILE), os.environ)
    except EnvironmentFileInvalid as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(Exit.INVALID) from error
