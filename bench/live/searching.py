"""Runs one search for its minutes: llmopt as its users run it, SMAC3 in a loop such as its users write."""

import importlib.util
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recording.measuring import trial_runner
from surfaces.rivals import Measurement, Setting

from live.manifests import OBJECTIVE, search
from llmopt.api import optimize
from llmopt.errors import OptimizationFailed
from llmopt.local.folders import ResultsFolder
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.observations import Problem
from llmopt_core.search.configurations import Value
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import Claim, Outcome, OutcomeKind, Phase
from llmopt_core.storage.storages import open_storage

SMAC = "smac"
# The sampler and the pruner of each; only llmopt's own pruner can stop a trial by this objective.
_OWN: Mapping[str, tuple[str, str]] = {
    "auto": ("auto", "auto"),
    "tpe": ("tpe", "none"),
    "random": ("random", "none"),
}
METHODS = (*_OWN, SMAC)
# What a user of SMAC3 expects of the minutes: a quarter of it is its initial design.
_SMAC_TRIALS = 100


class SmacMissing(RuntimeError):
    """SMAC3 is not installed."""


@dataclass(frozen=True)
class Task:
    """One search: which method, its seed, and its time."""

    method: str
    seed: int
    seconds: float

    @property
    def name(self) -> str:
        """What the search and its winner are called."""
        return f"{self.method}-{self.seed}"


@dataclass(frozen=True)
class Search:
    """What a search found: the best configuration by what it measured, None where nothing worked.

    `disturbed` counts the measurements from which others took the processors.
    """

    name: str
    parameters: Mapping[str, Value] | None
    value: float | None
    trials: int
    starts: int
    disturbed: int
    seconds: float

    @classmethod
    def of(cls, name: str, outcomes: list[tuple[Mapping[str, Value], Outcome]], seconds: float) -> "Search":
        """Return what the measured configurations and their outcomes come to."""
        measured = [each for each in outcomes if each[1].kind is OutcomeKind.MEASURED]
        best = max(measured, key=lambda each: each[1].metrics[OBJECTIVE], default=None)
        return cls(
            name,
            None if best is None else best[0],
            None if best is None else best[1].metrics[OBJECTIVE],
            trials=len(outcomes),
            starts=sum(outcome.engine_start_seconds is not None for _, outcome in outcomes),
            disturbed=sum(outcome.disturbed for _, outcome in outcomes),
            seconds=seconds,
        )


def found_by(task: Task, results: Path) -> Search:
    """Return what the search found; its study or its logs lie in `results`. Raises SmacMissing."""
    began = time.monotonic()
    outcomes = list(_smac(task, results) if task.method == SMAC else _own(task, results))
    return Search.of(task.name, outcomes, time.monotonic() - began)


def _own(task: Task, results: Path) -> Iterator[tuple[Mapping[str, Value], Outcome]]:
    sampler, pruner = _OWN[task.method]
    manifest = search(task.name, sampler, pruner, task.seed, task.seconds)
    with suppress(OptimizationFailed):  # nothing could be measured: the trials say why
        optimize(manifest=manifest, results=results, fresh=True, progress=True)
    with open_storage(ResultsFolder(results / task.name).storage_url()) as storage:
        for record in storage.open_study(task.name).trials():
            if record.outcome is not None and record.outcome.kind is not OutcomeKind.COPIED:
                yield record.parameters, record.outcome


def _smac(task: Task, results: Path) -> Iterator[tuple[Mapping[str, Value], Outcome]]:
    if importlib.util.find_spec("smac") is None:
        raise SmacMissing("SMAC3 is not installed: scripts/uv sync --frozen --inexact --group bench")
    from surfaces.smac_rival import SmacRival  # noqa: PLC0415 - only this method needs it

    resource = LLMOptimization.model_validate(search(task.name, "random", "none", task.seed, task.seconds))
    definition = define_study(resource)
    engine = frozenset(name for name in definition.space.names() if name.startswith("engine."))
    problem = Problem(definition.space, engine, definition.objectives, ())
    rival = SmacRival(Setting(problem, task.seed, _SMAC_TRIALS))
    ends = time.monotonic() + task.seconds
    with trial_runner(resource, results / task.name) as trials:
        for number in range(_SMAC_TRIALS * 100):
            parameters = rival.propose(None) if time.monotonic() < ends else None
            if parameters is None:
                return
            outcome = trials.run(Claim(number, Phase.SEARCH, parameters))
            rival.observe(_measurement_of(parameters, outcome))
            yield parameters, outcome


def _measurement_of(parameters: Mapping[str, Value], outcome: Outcome) -> Measurement:
    works = outcome.kind is OutcomeKind.MEASURED
    return Measurement(
        parameters,
        works=works,
        metrics=outcome.metrics,
        standard_errors={},
        utility=outcome.metrics[OBJECTIVE] if works else None,
        violations=(),
        seconds=outcome.seconds["total"],
        start_seconds=outcome.engine_start_seconds,
    )
