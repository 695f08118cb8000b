"""`llmopt run`: a manifest on this machine, from its check to the result on the terminal."""

import errno
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from llmopt.commands.validate import print_faults, read_manifest, unreadable
from llmopt.local.fleets import RUNNER_COMMAND, preflight_of
from llmopt.local.folders import FolderBusy, ResultsFolder
from llmopt.local.runs import Finding, RunSettings, find
from llmopt.local.sessions import Pace, Stop
from llmopt.local.studies import LocalStudy
from llmopt.manifest_checks import InputInvalid, cautions_in, checked, require_usable
from llmopt.options import RunOptions
from llmopt.progress import shown
from llmopt.results import show_result
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.resources.status import Progress
from llmopt_core.results.wording import outcome_text
from llmopt_core.storage.errors import StorageUnavailable


@dataclass(frozen=True)
class Run:
    """What was chosen, and by what it is carried out: `command` is the runner program."""

    options: RunOptions
    command: tuple[str, ...] = RUNNER_COMMAND
    pace: Pace = field(default_factory=Pace)

    @property
    def settings(self) -> RunSettings:
        """How the runners are started."""
        options = self.options
        command = (*self.command, "--debug") if options.debug else self.command
        return RunSettings(options.runners, command, self.pace, metrics_port=options.metrics_port)


def run_file(name: str, run: Run) -> Exit:
    """Run the manifest in the file `name` (`-`: standard input) and return how it ended."""
    try:
        text, source = read_manifest(name)
    except (OSError, UnicodeDecodeError) as error:
        _say(Console(stderr=True), f"error: {unreadable(name, error)}")
        return Exit.INVALID
    return run_text(text, source, run)


def run_text(
    text: str,
    source: str,
    run: Run,
    say_faults: Callable[[Console, InputInvalid], None] = print_faults,
    *,
    written: str | None = None,
) -> Exit:
    """Run the manifest `text`, called `source` in messages, and return how it ended.

    Warnings carry the lines of what the user has `written`, where `text` was made from that.
    """
    errors = Console(stderr=True)
    try:
        local = local_study(text, source, run)
        if run.options.fresh or not local.exists:
            require_usable(local.resource, text, source, preflight_of(run.command))
        for line in cautions_in(text if written is None else written, source, local.resource):
            _say(errors, line)
        return _run(local, run, Console(stderr=run.options.as_json))
    except InputInvalid as error:
        say_faults(errors, error)
        return Exit.INVALID
    except (LlmoptError, OSError) as error:
        if run.options.debug:
            errors.print_exception()
        full = isinstance(error, OSError) and error.errno == errno.ENOSPC
        _say(errors, f"error: {_disk_full(run.options.results) if full else words_of(error)}")
        passing = full or isinstance(error, StorageUnavailable | FolderBusy)
        return Exit.UNFINISHED if passing else Exit.INVALID


def _disk_full(results: Path) -> str:
    return (
        f"the disk that holds {results} is full: free space there, then run the same command again; what was"
        " measured is kept"
    )


def local_study(text: str, source: str, run: Run) -> LocalStudy:
    """Return the study that the manifest `text` stands for; raises InputInvalid."""
    resource = checked(text, source)
    return LocalStudy(
        resource, text, ResultsFolder(run.options.results / resource.metadata.name), run.options.storage
    )


def _run(local: LocalStudy, run: Run, console: Console) -> Exit:
    if run.options.fresh and (moved := local.start_over()):
        _say(console, f"the earlier results are kept in {moved}")
    live = console.is_terminal and not run.options.no_progress
    with stopped_by_signals() as stop, shown(console, local.folder.name, live=live) as audience:
        finding = find(local, run.settings, stop, audience)
    show_result(console, finding.result, as_json=run.options.as_json)
    return _conclude(finding, local.folder, console)


def _conclude(finding: Finding, folder: ResultsFolder, console: Console) -> Exit:
    """Say how it ended, and return the exit code for that."""
    result, end = finding.result, finding.session
    if result.ended is not None:
        _say(console, outcome_text(result.status))
        return Exit.FAILED if result.failed else Exit.FINISHED
    if end is not None and end.stopped:
        _say(
            console,
            f"Interrupted. {kept(finding.result.status.progress)} {folder.path}."
            " Run the same command to resume.",
        )
        return Exit.INTERRUPTED
    trouble = f": {end.trouble}" if end and end.trouble else ""
    again = "Run the same command to resume."
    if end is not None and end.refused:
        again = "Correct what the last line above says, then run the same command."
    _say(console, f"The runners ended before the study did{trouble}\n{again}")
    return Exit.UNFINISHED


def kept(counts: Progress) -> str:
    """Return what of an interrupted study stays, in words, up to the name of its folder."""
    ended = counts.finished + counts.confirm_finished
    if not ended:
        return "Nothing was measured yet; the study is in"
    by_outcome = {
        "measured": counts.measured,
        "copied": counts.copied,
        "stopped early": counts.pruned,
        "infeasible": counts.infeasible,
        "invalid": counts.invalid,
        "failed": counts.failed,
        "repeats": counts.confirm_finished,
    }
    parts = ", ".join(f"{count} {outcome}" for outcome, count in by_outcome.items() if count)
    trials = "trial is" if ended == 1 else "trials are"
    return f"{ended} {trials} kept ({parts}); what ran was given back and will run again. The study is in"


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Turn the first Ctrl-C or SIGTERM into a graceful stop, and the second into an immediate one."""
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        (stop.at_once if stop.requested.is_set() else stop.requested).set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
