"""Measures configurations by the runner: its engines, its load, its scores, its judgement."""

import itertools
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from llmopt_core.errors.classes import Failure
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.opening import own_study
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.records import Claim, Outcome, OutcomeKind, Phase
from llmopt_core.storage.storages import open_storage
from llmopt_runner.engines.base import Reachable
from llmopt_runner.engines.transformers.engine import Transformers
from llmopt_runner.loop.assembly import search_runner, shared
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress
from llmopt_runner.trial.trial_runner import TrialRunner
from llmopt_runner.trial.workload import PreparedWorkload
from recording.journals import OK, Measurement
from recording.plans import Plan
from recording.recipes import CONCURRENCY, MAX_TOKENS, Recipe

# A configuration that was disturbed is measured again so often at once, and so often in a recording.
MOST_ATTEMPTS = 3
MOST_REPEATED = 90
_STOPPING = (signal.SIGINT, signal.SIGTERM)
_SEEDS_A_REPEAT = 100_000
_SEEDS_AN_ENGINE = 100


class _KeptTransformers(Transformers):
    """Keeps a server that batches, where no block of its cache is ever filled: nothing of it is shared."""

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Say that nothing was kept."""
        del server, configuration
        return True


@dataclass
class Recorder:
    """Measures places of `plan`; a server is kept while its engine configuration is asked for."""

    plan: Plan
    trials: TrialRunner
    repeated: int = 0
    _engine: tuple[int, int] | None = None

    def measure(self, repeat: int, engine: int, request: int) -> Iterator[Measurement]:
        """Yield the measurement, and again while others disturbed it; raises Interrupted."""
        for attempts in itertools.count(1):
            measured = self._measured(repeat, engine, request)
            yield measured
            if not is_measured_again(measured, attempts, self.repeated):
                return
            self.repeated += 1

    def _measured(self, repeat: int, engine: int, request: int) -> Measurement:
        stopping = self._new_engine((repeat, engine))
        parameters = self.plan.configuration(engine, request)
        trials = replace(self.trials, workload=workload_of(self.trials.workload, parameters))
        number = repeat * _SEEDS_A_REPEAT + engine * _SEEDS_AN_ENGINE + request
        outcome = trials.run(Claim(number, Phase.SEARCH, _searched(parameters)))
        started = outcome.engine_start_seconds is not None or start_failed(outcome)
        load = outcome.seconds.get("load", 0.0) if started else 0.0
        return Measurement(
            repeat,
            engine,
            request,
            state_of(outcome),
            seconds=outcome.seconds["total"] - load,
            start_seconds=stopping + load if started else None,
            metrics=dict(outcome.metrics),
            cause=_cause(outcome.failure),
            disturbed=outcome.disturbed,
            served=not start_failed(outcome),
            at=time.time(),
        )

    def _new_engine(self, wanted: tuple[int, int]) -> float:
        """Stop the engine of another configuration or repeat; return the seconds that took."""
        began = time.monotonic()
        if self._engine != wanted:
            self.trials.close()
            self._engine = wanted
        return time.monotonic() - began


@contextmanager
def recorder(recipe: Recipe, plan: Plan, folder: Path) -> Iterator[Recorder]:
    """Yield what measures `plan`, with its logs in `folder`; no engine is left at the end."""
    with trial_runner(recipe.resource, folder) as trials:
        if isinstance(trials.slot.engine, Transformers):
            trials.slot.engine = _KeptTransformers()
        yield Recorder(plan, trials)


@contextmanager
def trial_runner(resource: LLMOptimization, folder: Path) -> Iterator[TrialRunner]:
    """Yield what runs trials of `resource` as a runner does, and records none; its logs are in `folder`.

    Meanwhile SIGINT and SIGTERM end a trial gracefully, by Interrupted.
    """
    stopping, handlers = StopSignal(), {number: signal.getsignal(number) for number in _STOPPING}
    stopping.install()
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "study.db"
    database.unlink(missing_ok=True)  # a trial is looked up there: none was recorded
    with open_storage(f"sqlite:///{database}") as storage:
        study = own_study(storage, resource)
        common = shared(resource.spec, study, folder, stopping, Progress(), {})
        trials = search_runner(resource.spec, common)
        try:
            yield trials
        finally:
            trials.close()
            for number, handler in handlers.items():
                signal.signal(number, handler)


def workload_of(workload: PreparedWorkload, parameters: Mapping[str, Value]) -> PreparedWorkload:
    """Return `workload` with the concurrency and the longest answer of `parameters`, where they have them."""
    changes: dict[str, object] = {}
    if CONCURRENCY in parameters:
        load = {"concurrency": int(parameters[CONCURRENCY])}
        changes["load"] = workload.spec.load.model_copy(update=load)
    if MAX_TOKENS in parameters:
        changes["max_tokens"] = int(parameters[MAX_TOKENS])
    return replace(workload, spec=workload.spec.model_copy(update=changes))


def is_measured_again(measured: Measurement, attempts: int, repeated: int) -> bool:
    """Say whether a configuration is measured once more, after so many `attempts`.

    `repeated` counts the measurements of the whole recording that were made again.
    """
    return measured.disturbed and attempts < MOST_ATTEMPTS and repeated < MOST_REPEATED


def state_of(outcome: Outcome) -> str:
    """Return `ok`, or how the trial failed."""
    return OK if outcome.kind is OutcomeKind.MEASURED else outcome.kind.value


def start_failed(outcome: Outcome) -> bool:
    """Say whether the engine did not start: then whatever is asked of it fails."""
    return outcome.failure is not None and "load" in outcome.seconds and "warmup" not in outcome.seconds


def _searched(parameters: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in parameters.items() if name not in {CONCURRENCY, MAX_TOKENS}}


def _cause(failure: Failure | None) -> str:
    return "" if failure is None else f"{failure.error_class}: {failure.message}"
