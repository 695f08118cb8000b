"""What an earlier study is worth to the sampler `auto`, on recorded surfaces and by a simulated clock.

Each run searches a surface from nothing, or with one earlier study of `--earlier` recorded configurations,
drawn by chance, at most a third of all: of the same surface with other noise, another level and another
scale; of the inverted surface, where the best is the worst; with its measurements shuffled, so that they say
nothing; or of the most alike of the other SURFACES that has the same parameters, such as another machine or
model. The same seeds see the same noise. A run ends as in `search_efficiency.py`. Where a surface recorded no
start times, a start takes one usual measurement.

    python bench/transfer.py SURFACES... [--seeds N] [--trials N] [--earlier N] [--jobs N] [--output FILE.md]
"""

import argparse
import concurrent.futures
import difflib
import functools
import math
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from surfaces.answers import Answer
from surfaces.auto_rival import AutoRival
from surfaces.figures import NEAR, SMALL_ROWS, CaseFigures, Ratio, RunFigures, ratio, run_figures
from surfaces.recorded import SurfaceInvalid
from surfaces.rivals import Setting
from surfaces.running import Prepared
from surfaces.simulation import Simulation
from surfaces.tables import table

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.auto.transfer import Transfer
from llmopt_core.storage.earlier import EarlierStudy, EarlierTrial

_LEVEL, _SCALE = 0.6, 0.8
# The earlier study has other noise than the runs that learn from it.
_OTHER_SEED = 1000
_NONE, _ALIKE = "none", "alike"
Trials = tuple[EarlierTrial, ...]


def _scaled(trials: Trials, _chance: np.random.Generator) -> Trials:
    """Return `trials` with every metric at another level, its differences in proportion smaller."""
    return _changed(trials, lambda value, middle: _LEVEL * middle * (value / middle) ** _SCALE)


def _inverted(trials: Trials, _chance: np.random.Generator) -> Trials:
    """Return `trials` with every metric mirrored: what was best is worst."""
    return _changed(trials, lambda value, middle: middle * middle / value)


def _shuffled(trials: Trials, chance: np.random.Generator) -> Trials:
    """Return `trials` with the measurements of others."""
    order = chance.permutation(len(trials))
    return tuple(
        EarlierTrial(each.parameters, trials[place].metrics)
        for each, place in zip(trials, order, strict=True)
    )


KINDS: Mapping[str, tuple[str, Callable[[Trials, np.random.Generator], Trials] | None]] = {
    _NONE: ("no earlier study", None),
    "same": ("same surface, other noise, level and scale", _scaled),
    "inverted": ("inverted surface", _inverted),
    "shuffled": ("shuffled measurements", _shuffled),
    _ALIKE: ("the most alike of the others", lambda trials, _chance: trials),
}


@dataclass(frozen=True)
class Task:
    """One run; `kind` is a key of KINDS, `earlier` the trials of the earlier study, which was of `source`."""

    folder: Path
    kind: str
    seed: int
    trials: int
    earlier: int
    source: Path


class _Informed(AutoRival):
    """`auto` with one earlier study."""

    def __init__(self, setting: Setting, trials: Trials) -> None:
        super().__init__(setting)
        transfer = Transfer(setting.problem.space, (EarlierStudy("earlier", trials),))
        self._sampler = AutoSampler(setting.problem, setting.seed, transfer)


def run_one(task: Task) -> RunFigures:
    """Return the figures of one run."""
    prepared = _prepared(task.folder)
    case = prepared.case(_factor(prepared))
    rival = _rival(task, prepared)
    enough = NEAR if case.rows > SMALL_ROWS else 0.0
    budget = task.trials * case.trial_seconds
    run = Simulation(prepared.answers, prepared.objective, case, task.seed)
    steps = run.run(rival, 2 * task.trials, enough, budget)
    return run_figures(case, steps, budget, start_each=False)


def _rival(task: Task, prepared: Prepared) -> AutoRival:
    answers = prepared.answers
    setting = Setting(answers.surface.problem, task.seed, task.trials, answers.starts_can_fail)
    change = KINDS[task.kind][1]
    if change is None:
        return AutoRival(setting)
    trials = _earlier(_prepared(task.source), task.seed, task.earlier)
    return _Informed(setting, change(trials, np.random.default_rng(task.seed)))


def _earlier(prepared: Prepared, seed: int, trials: int) -> Trials:
    """Return the working ones of `trials` recorded configurations, at most a third of all, measured anew."""
    chance = np.random.default_rng(seed + _OTHER_SEED)
    rows = prepared.answers.surface.rows
    chosen = chance.choice(len(rows), size=min(trials, math.ceil(len(rows) / 3)), replace=False)
    asked = [(rows[place].parameters, prepared.answers.answer(rows[place].parameters)) for place in chosen]
    return tuple(EarlierTrial(known, _noisy(answer, chance)) for known, answer in asked if answer.works)


def _noisy(answer: Answer, chance: np.random.Generator) -> dict[str, float]:
    return {
        name: float(value + answer.deviations.get(name, 0.0) * chance.standard_normal())
        for name, value in sorted(answer.metrics.items())
    }


def _source(folder: Path, kind: str, prepared: Mapping[Path, Prepared]) -> Path | None:
    """Return the surface of the earlier study, None where there is none."""
    if kind != _ALIKE:
        return folder
    own = prepared[folder].answers.surface.problem
    others = [
        other
        for other, one in prepared.items()
        if other != folder
        and one.answers.surface.problem.space.names() == own.space.names()
        and set(one.answers.surface.problem.metrics) >= {each.metric for each in own.objectives}
    ]
    return max(others, key=lambda other: _likeness(other.name, folder.name), default=None)


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _changed(trials: Trials, change: Callable[[float, float], float]) -> Trials:
    """Return `trials` with each metric changed by its value and its geometric mean; not where one is 0."""
    names = {name for each in trials for name in each.metrics}
    values = {name: [each.metrics[name] for each in trials if name in each.metrics] for name in names}
    middles = {name: statistics.geometric_mean(found) for name, found in values.items() if min(found) > 0}
    return tuple(
        EarlierTrial(
            each.parameters,
            {name: change(value, middles[name]) for name, value in each.metrics.items() if name in middles},
        )
        for each in trials
    )


def _factor(prepared: Prepared) -> float | None:
    return 1.0 if 1.0 in prepared.factors() else prepared.factors()[0]


@functools.lru_cache(maxsize=2)
def _prepared(folder: Path) -> Prepared:
    return Prepared.of(folder)


def main() -> int:
    """Run what is asked and write the tables."""
    asked = _arguments()
    try:
        prepared = {folder: Prepared.of(folder) for folder in asked.surfaces}
    except SurfaceInvalid as error:
        print(error, file=sys.stderr)
        return 2
    todo = [
        Task(folder, kind, seed, asked.trials, asked.earlier, source)
        for folder in asked.surfaces
        for seed in range(asked.seeds)
        for kind in KINDS
        if (source := _source(folder, kind, prepared)) is not None
    ]
    began = time.monotonic()
    found: dict[Task, RunFigures] = {}
    for task, figures in zip(todo, _run_all(todo, asked.jobs), strict=True):
        found[task] = figures
        done = {folder: one for folder, one in prepared.items() if _left(todo, found, folder) == 0}
        if task.folder in done:
            _write(_report(done, found, asked, time.monotonic() - began), asked.output)
    return 0


def _left(todo: Sequence[Task], found: Mapping[Task, RunFigures], folder: Path) -> int:
    return sum(task.folder == folder and task not in found for task in todo)


def _write(text: str, output: Path | None) -> None:
    """Say how it stands after each surface: the last surfaces take longest."""
    print(text, flush=True)
    if output is not None:
        output.write_text(text, encoding="utf-8")


def _run_all(todo: Sequence[Task], jobs: int) -> Iterator[RunFigures]:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # of each process: the runs themselves are spread over the processors
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, context) as pool:
        yield from pool.map(run_one, todo, chunksize=len(KINDS))


def _report(
    prepared: Mapping[Path, Prepared],
    found: Mapping[Task, RunFigures],
    asked: argparse.Namespace,
    seconds: float,
) -> str:
    rows: list[list[str]] = []
    ratios: dict[str, list[Ratio | None]] = {kind: [] for kind in KINDS if kind != _NONE}
    for folder, one in prepared.items():
        case = one.case(_factor(one))
        figures = {kind: CaseFigures.of(runs) for kind in KINDS if (runs := _runs(found, folder, kind))}
        budget = asked.trials * case.trial_seconds
        cells = [case.surface, _seconds(figures[_NONE])]
        for kind, known in ratios.items():
            if kind not in figures:
                cells.append("-")
                continue
            times = ratio(figures[kind], figures[_NONE], budget)
            known.append(times)
            cells.append(f"{_seconds(figures[kind])} ({_times(times)})")
        rows.append(cells)
    rows.append(["**median of the ratios**", "", *(_median(known) for known in ratios.values())])
    titles = ["surface", *(KINDS[kind][0] for kind in KINDS)]
    return (
        f"{asked.seeds} seeds, an earlier study of {asked.earlier} trials, a budget of {asked.trials} trials:"
        f" {len(found)} runs in {seconds / 60:.0f} min on {asked.jobs} process(es).\n\n"
        "Engine seconds to within 5 % of the best (surfaces of up to 70 rows: to the best), median over"
        " seeds, and in brackets relative to no earlier study.\n\n" + table(titles, rows) + "\n"
    )


def _runs(found: Mapping[Task, RunFigures], folder: Path, kind: str) -> list[RunFigures]:
    return [run for task, run in found.items() if (task.folder, task.kind) == (folder, kind)]


def _seconds(figures: CaseFigures) -> str:
    median = figures.near_seconds.median
    reached = "" if figures.reached == 1 else f" [{figures.reached:.0%}]"
    return ("not within the budget" if math.isinf(median) else f"{median:,.0f}") + reached


def _times(found: Ratio | None) -> str:
    return "-" if found is None else f"{found.bound}{found.value:.2f}"


def _median(ratios: Sequence[Ratio | None]) -> str:
    known = [each.value for each in ratios if each is not None]
    return f"**{statistics.median(known):.2f}** (of {len(known)})" if known else "-"


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("surfaces", nargs="+", type=Path, metavar="SURFACES")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--trials", type=int, default=60, help="the budget of a run, as in search_efficiency.py"
    )
    parser.add_argument("--earlier", type=int, default=40, help="trials of the earlier study")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
