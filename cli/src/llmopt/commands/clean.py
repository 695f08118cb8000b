"""`llmopt clean`: says what it would free and end, asks, and does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmopt.json_output import print_json
from llmopt.local.histories import states
from llmopt.local.leftovers import Extent, Freeable, free, freeable
from llmopt.machine.orphans import end_orphans, orphans
from llmopt.machine.processes import Found
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of


@dataclass(frozen=True)
class Plan:
    """What would go: folders, and processes that nobody owns."""

    folders: tuple[Freeable, ...]
    orphans: tuple[Found, ...]

    @property
    def size_bytes(self) -> int:
        """What the folders take."""
        return sum(one.size_bytes for one in self.folders)

    @property
    def size_mib(self) -> float:
        """The same, as people read it."""
        return self.size_bytes / 2**20


@dataclass
class Done:
    """What of a plan was carried out: nothing where it was a dry run, or where nobody agreed."""

    freed_bytes: int = 0
    troubles: list[str] = field(default_factory=list)


def clean(
    results: Path,
    storage: str | None,
    extent: Extent,
    *,
    dry_run: bool,
    agreed: Callable[[str], bool],
    as_json: bool = False,
) -> Exit:
    """Free what `extent` says and end orphans, once `agreed` says yes to the question.

    With `as_json` the lines for people go to standard error.
    """
    console = Console(stderr=as_json)
    plan = Plan(tuple(freeable(states(results, storage), extent)), orphans())
    done = _cleaned(plan, storage, console, dry_run=dry_run, agreed=agreed)
    if as_json:
        print_json(_document(plan, done))
    return Exit.FAILED if done.troubles else Exit.FINISHED


def _cleaned(
    plan: Plan, storage: str | None, console: Console, *, dry_run: bool, agreed: Callable[[str], bool]
) -> Done:
    for line in _lines(plan):
        _say(console, line)
    if not plan.folders and not plan.orphans:
        _say(console, "nothing to free")
        return Done()
    if dry_run:
        _say(console, f"{plan.size_mib:,.1f} MiB would be freed; nothing was changed")
        return Done()
    if not agreed(f"Free {plan.size_mib:,.1f} MiB and end {len(plan.orphans)} process(es)?"):
        _say(console, "nothing was changed")
        return Done()
    return _carry_out(plan, storage, console)


def _carry_out(plan: Plan, storage: str | None, console: Console) -> Done:
    troubles = [f"process {one.pid} does not end: {one.command}" for one in end_orphans(plan.orphans)]
    done = Done(troubles=troubles)
    for one in plan.folders:
        try:
            free(one, storage)
        except (LlmoptError, OSError) as error:
            done.troubles.append(f"{one.path} stays: {words_of(error)}")
        else:
            done.freed_bytes += one.size_bytes
    for trouble in done.troubles:
        _say(Console(stderr=True), f"error: {trouble}")
    _say(console, f"freed {done.freed_bytes / 2**20:,.1f} MiB")
    return done


def _document(plan: Plan, done: Done) -> dict[str, Any]:
    """Return what would go, and what went."""
    return {
        "folders": [
            {"path": str(one.path), "what": one.what, "size_bytes": one.size_bytes} for one in plan.folders
        ],
        "orphans": [one.document() for one in plan.orphans],
        "size_bytes": plan.size_bytes,
        "freed_bytes": done.freed_bytes,
        "troubles": done.troubles,
    }


def _lines(plan: Plan) -> Sequence[str]:
    folders = [f"{one.size_bytes / 2**20:10,.1f} MiB  {one.what:18}  {one.path}" for one in plan.folders]
    return folders + [f"    orphan {one.pid}: {one.command}" for one in plan.orphans]


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
