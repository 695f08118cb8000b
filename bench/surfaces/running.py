"""The runs of a benchmark, spread over processes."""

import concurrent.futures
import functools
import logging
import math
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from surfaces.answers import Answers, answers_of
from surfaces.disturbances import DisturbanceKind, disturbance_of
from surfaces.figures import NEAR, SMALL_ROWS
from surfaces.objective import Objective
from surfaces.recorded import TRIALS, SurfaceInvalid, load_surface
from surfaces.rivals import Setting
from surfaces.simulation import Case, Simulation, Step
from surfaces.strategies import AUTO, KINDS

# How many usual measurements a start takes where the surface recorded no start times.
FACTORS = (0.1, 1.0, 5.0)
# A strategy that keeps engines has more trials for the same engine seconds.
_MORE_TRIALS = 2
Asked = TypeVar("Asked")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Prepared:
    """One surface with what it answers; `best` is the highest feasible utility."""

    folder: Path
    answers: Answers
    objective: Objective
    best: float

    @classmethod
    def of(cls, folder: Path) -> "Prepared":
        """Return the prepared surface of `folder`; raises SurfaceInvalid."""
        surface = load_surface(folder)
        objective = Objective(surface)
        if not objective.possible:
            raise SurfaceInvalid(folder / TRIALS, "rows", "at least one that keeps all constraints")
        answers = answers_of(surface)
        if not math.isfinite(best := answers.best(objective)):
            raise SurfaceInvalid(folder / TRIALS, "rows", "enough that keep all constraints to predict one")
        return cls(folder, answers, objective, best)

    def factors(self) -> tuple[float | None, ...]:
        """Return the start times that the surface is run with; None: those that it recorded."""
        return (None,) if self.answers.surface.records_starts else FACTORS

    def cases(self) -> tuple[Case, ...]:
        """Return one case for each start time."""
        return tuple(self.case(factor) for factor in self.factors())

    def case(self, factor: float | None) -> Case:
        """Return the case with starts of `factor` usual measurements."""
        answers, surface = self.answers, self.answers.surface
        start = answers.start_seconds if factor is None else factor * answers.seconds
        return Case(surface.name, factor, start or 0.0, answers.seconds, self.best, len(surface.rows))


@dataclass(frozen=True)
class Task:
    """One run.

    `factor` is None where the surface recorded its start times. `budget` is the engine seconds as a number of
    usual trials with a start each.
    """

    folder: Path
    rival: str
    factor: float | None
    seed: int
    budget: int
    disturbed: DisturbanceKind = DisturbanceKind.NONE

    @property
    def trials(self) -> int:
        """Return how many trials the run may have."""
        return self.budget * (1 if KINDS[self.rival].one_start else _MORE_TRIALS)


@dataclass(frozen=True)
class Run:
    """What one run did, and the seconds of processor time that strategy and simulation took."""

    task: Task
    steps: tuple[Step, ...]
    processor_seconds: float


def tasks(
    prepared: Sequence[Prepared],
    rivals: Sequence[str],
    seeds: int,
    budget: int,
    disturbed: DisturbanceKind = DisturbanceKind.NONE,
) -> list[Task]:
    """Return all runs, those of the slowest strategies first: no process is left alone with one at the end.

    A strategy that takes no account of starts does the same whatever they take: it runs once for all.
    """
    slowest = ("gp", "smac", AUTO)
    ordered = sorted(rivals, key=lambda name: slowest.index(name) if name in slowest else len(slowest))
    return [
        Task(one.folder, rival, factor, seed, budget, disturbed)
        for rival in ordered
        for one in prepared
        for factor in (one.factors()[-1:] if KINDS[rival].one_start else one.factors())
        for seed in range(seeds)
    ]


def run_all(run: Callable[[Asked], Found], todo: Sequence[Asked], jobs: int) -> Iterator[Found]:
    """Yield what `run` returns for each of `todo` in order, from `jobs` processes."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # of each process: the runs themselves are spread over the processors
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(jobs, context, _quiet) as pool:
        yield from pool.map(run, todo)


def run_one(task: Task) -> Run:
    """Return one run."""
    prepared = prepared_once(task.folder)
    case = prepared.case(task.factor)
    enough = NEAR if case.rows > SMALL_ROWS else 0.0
    answers = prepared.answers
    setting = Setting(answers.surface.problem, task.seed, task.trials, answers.starts_can_fail)
    rival = KINDS[task.rival].make(setting)
    disturbance = disturbance_of(
        task.disturbed, answers.surface, prepared.objective, case.trial_seconds, task.seed
    )
    began = time.process_time()
    steps = Simulation(answers, prepared.objective, case, task.seed, disturbance).run(
        rival, task.trials, enough, task.budget * case.trial_seconds
    )
    return Run(task, tuple(steps), time.process_time() - began)


@functools.lru_cache(maxsize=1)
def prepared_once(folder: Path) -> Prepared:
    """Return the prepared surface: fitting forests takes seconds, and the tasks of one follow each other."""
    return Prepared.of(folder)


def _quiet() -> None:
    """Leave out what libraries say on each of thousands of runs."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
