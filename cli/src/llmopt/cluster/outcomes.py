"""What a resource found, as the result that local runs give. Pure.

The status holds the objectives' gains and the best configuration; the ConfigMap that the operator writes
beside it holds the whole result. Who may not read ConfigMaps gets what the status says.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from llmopt.cluster.conditions import end_of
from llmopt.cluster.readings import gains_of, objectives_of
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.summary import WarningCount
from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.base import Scalar
from llmopt_core.resources.names import best_config_map_name
from llmopt_core.resources.search_spaces import parse_value
from llmopt_core.resources.served import engine_of, served_optimization
from llmopt_core.resources.status import BenchmarkStatus, ErrorSummary, OptimizationStatus, TrialResult
from llmopt_core.results.optimizations import (
    SHOWN_METRICS,
    ErrorCount,
    OptimizationResult,
    compare,
)
from llmopt_core.search.configurations import GROUPS, Value

BEST_KEY = "best.json"
_RESULT: TypeAdapter[OptimizationResult] = TypeAdapter(OptimizationResult)


def result_from(
    document: Mapping[str, Any], status: OptimizationStatus, written: str | None = None
) -> OptimizationResult:
    """Return what the optimization `document` found so far.

    `written` is the text of best.json in its ConfigMap, where that could be read.
    """
    end = end_of(status)
    bare = OptimizationResult(
        study=str(document["metadata"]["name"]),
        ended=end.reason if end else None,
        message=end.message if end else "",
        failed=end is not None and end.failed,
        trials=status.progress.finished + status.progress.confirm_finished,
        errors=errors_in(status),
        warnings=warnings_in(status),
        default_failure=None if status.baseline_failure is None else _error(status.baseline_failure),
    )
    if status.best is None:
        return bare
    return _as_written(bare, status, written) or _as_told(bare, document, status)


def best_config_map(document: Mapping[str, Any]) -> str:
    """Return the name of the ConfigMap that the operator writes the best into."""
    spec = served_optimization(document)
    return best_config_map_name(document, spec.rollout if spec else None)


def typed(parameters: Mapping[str, Scalar], engine: str) -> dict[str, Value]:
    """Return a status's `parameters` as values; text stays where `engine` is not known here."""
    declaration = declaration_of(engine)
    if declaration is None:
        return dict(parameters)
    return {name: _typed(name, value, declaration) for name, value in parameters.items()}


def errors_in(status: OptimizationStatus | BenchmarkStatus) -> tuple[ErrorCount, ...]:
    """Return the classes of failures that a status tells."""
    return tuple(_error(error) for error in status.errors)


def _error(error: ErrorSummary) -> ErrorCount:
    return ErrorCount(error.class_, error.count, error.last_message, error.suggestion, error.last_trial or 0)


def warnings_in(status: OptimizationStatus | BenchmarkStatus) -> tuple[WarningCount, ...]:
    """Return what a status tells that measured trials warn of."""
    return tuple(
        WarningCount(warning.count, warning.last_message, warning.last_trial) for warning in status.warnings
    )


def _typed(name: str, value: Scalar, declaration: EngineDeclaration) -> Value:
    try:
        return parse_value(name, value, declaration)
    except ValueError:
        return value  # a parameter of another version of the engine


def _as_written(
    bare: OptimizationResult, status: OptimizationStatus, written: str | None
) -> OptimizationResult | None:
    """Return the whole result; None where it is not the one that the status speaks of."""
    if written is None or status.best is None:
        return None
    try:
        read = json.loads(written)
        if "effects" not in read:  # by release 0.1.0
            return None
        whole = _RESULT.validate_python({**read, "report": None})
    except (json.JSONDecodeError, ValidationError, TypeError):
        return None
    if (whole.trial, whole.confirmed) != (status.best.trial, status.best.confirmed):
        return None
    kept = ("study", "ended", "message", "failed", "trials", "errors", "warnings", "default_failure")
    return replace(whole, **{field: getattr(bare, field) for field in kept})


def _as_told(
    bare: OptimizationResult, document: Mapping[str, Any], status: OptimizationStatus
) -> OptimizationResult:
    best, baseline, spec = status.best, status.baseline, served_optimization(document)
    assert best is not None  # noqa: S101 - the caller looked
    effects = tuple(_effects(document, status))
    groups: dict[str, dict[str, Value]] = {group: {} for group in GROUPS}
    for name, value in typed(best.parameters, engine_of(document)).items():
        group, _, plain = name.partition(".")
        groups.setdefault(group, {})[plain] = value
    objectives = objectives_of(document)
    proved = [one for one in effects if one.metric in objectives]
    return replace(
        bare,
        trial=best.trial,
        reference=best.reference,
        default_is_best=baseline is not None and baseline.trial == best.trial,
        parameters=groups,
        metrics=_metrics(best),
        default_metrics=_metrics(baseline),
        objectives=tuple(objectives),
        effects=effects,
        confirmed=best.confirmed,
        repeats=spec.confirm.repeats if spec and best.confirmed else 0,
        significant=any(one.better for one in proved) and not any(one.worse for one in proved),
        serve_command=best.serve_args or None,
    )


def _effects(document: Mapping[str, Any], status: OptimizationStatus) -> Iterator[Effect]:
    """Yield the objectives as the status tells them, then what else was measured of both."""
    best, objectives = status.best, objectives_of(document)
    assert best is not None  # noqa: S101 - the caller looked
    yield from gains_of(document, status)
    measured, default = _metrics(best), _metrics(status.baseline)
    spec = served_optimization(document)
    bounds = [bound.metric for bound in spec.constraints] if spec else []
    for metric in dict.fromkeys((*bounds, *SHOWN_METRICS)):
        if metric not in objectives and metric in measured and metric in default:
            yield compare(metric, default[metric], measured[metric])


def _metrics(trial: TrialResult | None) -> dict[str, float]:
    return {} if trial is None else {name: float(value) for name, value in trial.metrics.items()}
