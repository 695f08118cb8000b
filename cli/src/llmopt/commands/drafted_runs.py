"""`llmopt optimize`, `benchmark`, `compare --models` and `run --model`: manifests made from options."""

import sys
from collections.abc import Callable
from functools import partial

from llmopt.commands.run import Run, run_text
from llmopt.commands.validate import print_faults, read_manifest, unreadable
from llmopt.json_output import print_json
from llmopt.local.metrics import PortsExhausted, require_ports
from llmopt.machine.descriptions import COMMAND, Description, RunnerUnusable, described
from llmopt.manifest_checks import InputInvalid, checked, in_lines_of, missing_in
from llmopt.manifests import OptionInvalid, as_option_faults, as_yaml
from llmopt.manifests.spellings import BENCHMARK, COMPARE, OPTIMIZE, Spelling
from llmopt.options import BenchmarkOptions, CompareOptions, Options, RunOptions
from llmopt.starting import drafts
from llmopt.starting.drafts import Describe, Draft
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.resources.loading import document_of, resource_of

SOURCE = "<options>"


def optimize_options(
    asked: Options, options: RunOptions, *, dry_run: bool, command: tuple[str, ...] = COMMAND
) -> Exit:
    """Run the search that `asked` describes, or with `dry_run` print its manifest; return how it ended.

    `command` is the runner's describing program, asked where the engine depends on this machine.
    """
    return _drafted(partial(drafts.optimization, asked), options, command, OPTIMIZE, dry_run=dry_run)


def benchmark_options(
    asked: BenchmarkOptions, options: RunOptions, *, dry_run: bool, command: tuple[str, ...] = COMMAND
) -> Exit:
    """Measure the one model that `asked` names, as `optimize_options` runs a search."""
    return _drafted(partial(drafts.benchmark, asked), options, command, BENCHMARK, dry_run=dry_run)


def compare_options(
    asked: CompareOptions, options: RunOptions, *, dry_run: bool, command: tuple[str, ...] = COMMAND
) -> Exit:
    """Compare the models that `asked` names, as `optimize_options` runs a search."""
    return _drafted(partial(drafts.comparison, asked), options, command, COMPARE, dry_run=dry_run)


def run_file_for(model: str, name: str, options: RunOptions, command: tuple[str, ...] = COMMAND) -> Exit:
    """Run the manifest in the file `name` (`-`: standard input) for another model; return how it ended."""
    errors = Console(stderr=True)
    try:
        text, source = read_manifest(name)
        checked(text, source)
        draft = drafts.for_model(document_of(text), model, partial(described, command))
        draft.require_installed()
    except InputInvalid as error:
        print_faults(errors, error)
        return Exit.INVALID
    except (OSError, UnicodeDecodeError) as error:
        _say(errors, f"error: {unreadable(name, error)}")
        return Exit.INVALID
    except (OptionInvalid, RunnerUnusable) as error:
        _say(errors, f"error: {error}")
        return Exit.INVALID
    for line in draft.lines:
        _say(errors, line)
    say_faults = partial(_say_faults_in, text=text, source=source)
    return run_text(as_yaml(draft.document), source, Run(options), say_faults, written=text)


def _drafted(
    make: Callable[[Describe], Draft],
    options: RunOptions,
    command: tuple[str, ...],
    spelled: Spelling,
    *,
    dry_run: bool,
) -> Exit:
    errors = Console(stderr=True)
    try:
        draft = make(partial(_here, command, needed=not dry_run))
        text = as_yaml(draft.document)
        _check(text, spelled)
        require_ports(options.metrics_port, options.runners or 1)
        if not dry_run:
            draft.require_installed()
    except (OptionInvalid, PortsExhausted, RunnerUnusable) as error:
        _say(errors, f"error: {error}")
        return Exit.INVALID
    if dry_run:
        _print_draft(draft, text, as_json=options.as_json)
        return Exit.FINISHED
    for line in draft.lines:
        _say(errors, line)
    return run_text(text, SOURCE, Run(options), partial(_say_faults, spelled=spelled))


def _print_draft(draft: Draft, text: str, *, as_json: bool) -> None:
    """Print the manifest; what is said of it is a comment in YAML, and in JSON on standard error."""
    errors = Console(stderr=True)
    for line in missing_in(text, SOURCE, resource_of(document_of(text))):
        _say(errors, line)
    if as_json:
        for line in draft.lines:
            _say(errors, line)
        print_json(draft.document)
    else:
        sys.stdout.write("".join(f"# {line}\n" for line in draft.lines) + text)


def _here(command: tuple[str, ...], *, needed: bool) -> Description | None:
    """Return what is installed here; a manifest that is only printed needs no runner."""
    try:
        return described(command)
    except RunnerUnusable:
        if needed:
            raise
        return None


def _check(text: str, spelled: Spelling) -> None:
    try:
        checked(text, SOURCE)
    except InputInvalid as error:
        raise _of_options(error, spelled) from error


def _of_options(error: InputInvalid, spelled: Spelling) -> OptionInvalid:
    return as_option_faults((one.fault for one in error.faults), spelled)


def _say_faults_in(console: Console, error: InputInvalid, text: str, source: str) -> None:
    print_faults(console, in_lines_of(text, source, error))


def _say_faults(console: Console, error: InputInvalid, spelled: Spelling) -> None:
    _say(console, f"error: {_of_options(error, spelled)}")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
