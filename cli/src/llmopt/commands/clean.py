"""`llmopt clean`: says what it would free and end, asks, and does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    def size_mib(self) -> float:
        """What the folders take."""
        return sum(one.size_bytes for one in self.folders) / 2**20


def clean(
    results: Path, storage: str | None, extent: Extent, *, dry_run: bool, agreed: Callable[[str], bool]
) -> Exit:
    """Free what `extent` says and end orphans, once `agreed` says yes to the question."""
    console = Console()
    plan = Plan(tuple(freeable(states(results, storage), extent)), orphans())
    for line in _lines(plan):
        _say(console, line)
    if not plan.folders and not plan.orphans:
        _say(console, "nothing to free")
        return Exit.FINISHED
    if dry_run:
        _say(console, f"{plan.size_mib:,.1f} MiB would be freed; nothing was changed")
        return Exit.FINISHED
    if not agreed(f"Free {plan.size_mib:,.1f} MiB and end {len(plan.orphans)} process(es)?"):
        _say(console, "nothing was changed")
        return Exit.FINISHED
    return _carry_out(plan, storage, console)


def _carry_out(plan: Plan, storage: str | None, console: Console) -> Exit:
    troubles = [f"process {one.pid} does not end: {one.command}" for one in end_orphans(plan.orphans)]
    freed = 0.0
    for one in plan.folders:
        try:
            free(one, storage)
        except (LlmoptError, OSError) as error:
            troubles.append(f"{one.path} stays: {words_of(error)}")
        else:
            freed += one.size_bytes / 2**20
    for trouble in troubles:
        _say(Console(stderr=True), f"error: {trouble}")
    _say(console, f"freed {freed:,.1f} MiB")
    return Exit.FAILED if troubles else Exit.FINISHED


def _lines(plan: Plan) -> Sequence[str]:
    folders = [f"{one.size_bytes / 2**20:10,.1f} MiB  {one.what:18}  {one.path}" for one in plan.folders]
    return folders + [f"    orphan {one.pid}: {one.command}" for one in plan.orphans]


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
