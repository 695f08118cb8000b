"""The command itself: what holds for all commands, and what is done before each."""

# ruff: noqa: PLC0415 - each command loads its own modules when it is called

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer._click.exceptions import NoSuchOption  # typer has no public name for it
from typer.core import TyperGroup

from llmopt.interface.command_hints import command_meant, misused, option_meant
from llmopt.path_checks import exists
from llmopt_core.api.exit_codes import Exit


class Commands(TyperGroup):
    """The commands; what cannot be used is said in the words of manifests, with what was meant."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for command in self.commands.values():
            # Lists of commands cut a sentence unless it is given as the short help.
            command.short_help = " ".join((command.help or "").partition("\n\n")[0].split())

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the arguments behind the options of all commands."""
        try:
            with _output_written():  # of --help and --version
                return super().parse_args(ctx, args)
        except NoSuchOption as error:
            raise _with_hint(error, "") from None

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that was typed, and its arguments."""
        if args[0] not in self.commands and (meant := command_meant(args[0])):
            ctx.fail(f"No such command {args[0]!r}: type `llmopt {meant}`")
        name, command, arguments = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing and (problem := misused(command, arguments)):
            ctx.fail(f"{name}: {problem}")
        return name, command, arguments

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed."""
        try:
            with _output_written():
                return super().invoke(ctx)
        except NoSuchOption as error:
            raise _with_hint(error, ctx.invoked_subcommand) from None
        except typer.BadParameter as error:
            from llmopt.interface.option_errors import words_of

            error.message = words_of(error)
            raise


@contextmanager
def _output_written() -> Iterator[None]:
    """Say in words that standard output cannot be written; a reader that is gone is typer's to end for."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the end would try once more
        typer.echo("error: the output: its disk is full: free space there", err=True)
        raise typer.Exit(Exit.FAILED) from error


def _with_hint(error: NoSuchOption, command: str) -> NoSuchOption:
    if meant := option_meant(command, error.option_name):
        error.message, error.possibilities = f"{error.message}: {meant}", None
    return error


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
    if version or not exists(".env"):
        return
    from llmopt.environment_files import FILE, EnvironmentFileInvalid, take

    try:
        context.obj = take(Path(FILE), os.environ)
    except EnvironmentFileInvalid as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(Exit.INVALID) from error
