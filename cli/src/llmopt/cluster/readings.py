"""What a resource's status says, in the words of local runs: how far it is and what it gained. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from llmopt.cluster.conditions import Document, Status
from llmopt_core.analysis.effects import Effect
from llmopt_core.api.conditions import Phase
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.served import served_optimization, served_spec
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, RunnerStatus
from llmopt_core.results.optimizations import compare
from llmopt_core.results.progress import Progress
from llmopt_core.results.status_effects import effect_in
from llmopt_core.storage.definitions import objective_of
from llmopt_core.storage.records import ObjectiveDefinition, OutcomeKind


def progress_of(document: Document, status: Status) -> Progress:
    """Return how far the study of `document` is."""
    counts, alive = status.progress, [runner for runner in status.runners if runner.ended is None]
    seen = Progress(
        phase=_phase(status),
        finished=counts.finished,
        running=counts.running,
        budget=counts.budget or _budget(document),
        repeats=counts.confirm_finished,
        repeats_planned=counts.confirm_planned,
        elapsed_seconds=counts.elapsed_seconds,
        left_seconds=counts.eta_seconds,
        memory_mib=sum(each.memory_mib or 0 for each in alive) or None,
        memory_total_mib=max((each.memory_total_mib or 0 for each in alive), default=0) or None,
        outcomes=_outcomes(status),
        errors=tuple((error.class_, error.count) for error in status.errors),
        runners=len(alive),
        stages=_stages(alive),
    )
    if isinstance(status, BenchmarkStatus):  # all that it has are repeats
        return replace(seen, finished=0, budget=0, repeats=seen.finished, repeats_planned=seen.budget)
    best = status.best
    failure = status.baseline_failure
    return replace(
        seen,
        best_trial=best.trial if best else None,
        gains=_searched(document, status),
        default_failure="" if failure is None else failure.class_,
    )


def objectives_of(document: Document) -> Mapping[str, ObjectiveDefinition]:
    """Return the objectives of an optimization by metric, with the direction that holds."""
    spec = served_optimization(document)
    return {asked.metric: objective_of(asked) for asked in spec.objectives} if spec else {}


def gains_of(document: Document, status: OptimizationStatus) -> tuple[Effect, ...]:
    """Return what the best gains in each objective over the default, proved where it was confirmed."""
    objectives = objectives_of(document)
    told = status.best.gain if status.best else ()
    return tuple(
        effect_in(each, each.metric, objectives[each.metric].direction)
        for each in told
        if each.metric is not None and each.metric in objectives
    )


def _searched(document: Document, status: OptimizationStatus) -> tuple[Effect, ...]:
    """Compare the best with the default as the search measured them, as a local run does while it runs."""
    best, default = status.best, status.baseline
    if best is None:
        return ()
    before = default.metrics if default else best.metrics
    return tuple(
        compare(metric, float(before[metric]), float(best.metrics[metric]), direction=objective.direction)
        for metric, objective in objectives_of(document).items()
        if metric in before and metric in best.metrics
    )


def _budget(document: Document) -> int:
    """Return how many trials there will be, before the operator has said it."""
    match served_spec(document):
        case BenchmarkSpec(candidates=candidates, repeats=repeats):
            return len(candidates) * repeats
        case OptimizationSpec(budget=budget):
            return budget.trials
        case _:  # it is refused
            return 0


def _phase(status: Status) -> str:
    """Return the phase as a local run calls it; what a cluster adds keeps the cluster's word."""
    match status.phase:
        case None | Phase.PENDING:
            return "pending"
        case Phase.REJECTED:
            return "rejected"
        case Phase.SUSPENDED:
            return "suspended"
        case Phase.COMPLETE | Phase.FAILED:
            return "ended"
        case Phase.CONFIRMING:
            return "confirm"
        case Phase.RUNNING:
            return _stage(status)
        case _:
            assert_never(status.phase)


def _stage(status: Status) -> str:
    if isinstance(status, BenchmarkStatus):
        return "compare"
    if status.progress.confirm_finished:
        return "confirm"
    return "search" if status.progress.finished else "baseline"


def _outcomes(status: Status) -> tuple[tuple[str, int], ...]:
    counts = status.progress.model_dump()
    kinds = Counter({kind.value: counts.get(kind.value, 0) for kind in OutcomeKind})
    return tuple((kind, count) for kind, count in kinds.most_common() if count)


def _stages(alive: list[RunnerStatus]) -> tuple[str, ...]:
    return tuple(runner.stage for runner in alive if runner.stage)
