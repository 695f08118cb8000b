"""Where `auto` ends because there is nothing more to gain: how much there truly is, against what it says."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from surfaces.auto_rival import AutoRival
from surfaces.figures import replay
from surfaces.rivals import Setting
from surfaces.running import prepared_once
from surfaces.simulation import Case, Simulation, Step
from surfaces.tables import table

# The start times of surfaces without recorded ones: they change little of where a search ends.
_FACTOR = 1.0
_TRIALS = 200


@dataclass(frozen=True)
class Ending:
    """One run that went on until the search ended by itself or had all its trials.

    `gain` is how much better the best configuration truly is than the best one measured, relative to that;
    `bound` what the search said of it with 95 % probability when it ended, None where it did not end.
    """

    surface: str
    trials: int
    engine_seconds: float
    gain: float
    bound: float | None


@dataclass(frozen=True)
class EndingTask:
    """One search until its end."""

    folder: Path
    seed: int
    trials: int = _TRIALS


def ending_tasks(folders: Sequence[Path], seeds: int) -> list[EndingTask]:
    """Return `seeds` searches on each surface."""
    return [EndingTask(folder, seed) for folder in folders for seed in range(seeds)]


def ending(task: EndingTask) -> Ending:
    """Return how the search of `task` ends."""
    one, seed, trials = prepared_once(task.folder), task.seed, task.trials
    case = one.case(None if one.answers.surface.records_starts else _FACTOR)
    problem = one.answers.surface.problem
    rival = AutoRival(Setting(problem, seed, trials, one.answers.starts_can_fail), ends=True)
    # No regret is below zero: the run goes on after the best was measured.
    steps = Simulation(one.answers, one.objective, case, seed).run(rival, trials, -math.inf)
    seconds = replay(case, steps, start_each=False)[-1].seconds if steps else 0.0
    gain = _gain(case, steps)
    return Ending(case.surface, len(steps), seconds, gain, rival.bound if rival.ended else None)


def endings_table(endings: Iterable[Ending]) -> str:
    """Return the endings of each surface and of all of them together."""
    groups: dict[str, list[Ending]] = {}
    for each in endings:
        groups.setdefault(each.surface, []).append(each)
    rows = [_row(surface, runs) for surface, runs in groups.items()]
    rows.append(_row("all", [each for runs in groups.values() for each in runs]))
    header = [
        "surface",
        "searches that ended",
        "trials, median",
        "bound, median",
        "truly left to gain, median",
        "truly left: more than the bound",
    ]
    return table(header, rows)


def _row(surface: str, runs: Sequence[Ending]) -> list[str]:
    ended = [(each, each.bound) for each in runs if each.bound is not None]
    share = f"{len(ended)} of {len(runs)}"
    if not ended:
        return [surface, share, "-", "-", "-", "-"]
    above = sum(each.gain > bound for each, bound in ended)
    return [
        surface,
        share,
        f"{statistics.median(each.trials for each, _ in ended):.0f}",
        f"{statistics.median(bound for _, bound in ended):.1%}",
        f"{statistics.median(each.gain for each, _ in ended):.1%}",
        f"{above} ({above / len(ended):.0%})",
    ]


def _gain(case: Case, steps: Sequence[Step]) -> float:
    """Return how much better the best configuration is than the best of `steps`, relative to that one."""
    regret = min((step.regret for step in steps if step.regret is not None), default=math.inf)
    # Where less is better, the utility is negative and the regret relative to the best is the gain itself.
    if case.best <= 0:
        return regret
    return regret / (1 - regret) if regret < 1 else math.inf
