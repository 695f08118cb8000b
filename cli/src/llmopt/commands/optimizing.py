"""`llmopt optimize`: a manifest built from options, shown or run."""

import sys
from functools import partial

from llmopt.checking import InputInvalid, checked
from llmopt.commands.running import Run, run_text
from llmopt.machine.descriptions import COMMAND, Description, RunnerUnusable, described
from llmopt.manifests import OptionInvalid, as_option_faults, as_yaml, build, flag
from llmopt.options import Options, RunOptions
from llmopt.starting.engines import chosen
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit

SOURCE = "<options>"


def optimize_options(
    asked: Options, options: RunOptions, *, dry_run: bool, command: tuple[str, ...] = COMMAND
) -> Exit:
    """Run what `asked` describes, or with `dry_run` print its manifest; return how it ended.

    `command` is the runner's describing program, asked where the engine depends on this machine.
    """
    errors = Console(stderr=True)
    try:
        choice = chosen(asked, partial(_here, command, needed=not dry_run))
        text = as_yaml(build(asked, choice.engine))
        _check(text)
        if not dry_run:
            choice.require_installed()
    except (OptionInvalid, RunnerUnusable) as error:
        _say(errors, f"error: {error}")
        return Exit.INVALID
    if dry_run and choice.line:
        text = f"# {choice.line}\n{text}"
    elif choice.line:
        _say(errors, choice.line)
    if dry_run:
        sys.stdout.write(text)
        return Exit.FINISHED
    return run_text(text, SOURCE, Run(options), _say_faults)


def _here(command: tuple[str, ...], *, needed: bool) -> Description | None:
    """Return what is installed here; a manifest that is only printed needs no runner."""
    try:
        return described(command)
    except RunnerUnusable:
        if needed:
            raise
        return None


def _check(text: str) -> None:
    try:
        checked(text, SOURCE)
    except InputInvalid as error:
        raise _of_options(error) from error


def _of_options(error: InputInvalid) -> OptionInvalid:
    return as_option_faults((one.fault for one in error.faults), flag)


def _say_faults(console: Console, error: InputInvalid) -> None:
    _say(console, f"error: {_of_options(error)}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
