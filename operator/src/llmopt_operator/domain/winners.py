"""What of a study's result may be written into manifests: computed from the resource, never copied from rows.

Whoever owns a database can write any row into it. Of a row only numbers, and parameters that the resource's
own search space holds, are taken over; arguments, commands, request fields and texts are computed here.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from llmopt_core.analysis.confirmation import Choice
from llmopt_core.analysis.effects import Effect
from llmopt_core.api.reasons import Reason, reason_called
from llmopt_core.engines.recommendations import recommend
from llmopt_core.engines.servers import ModelReference
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources import LLMOptimization
from llmopt_core.resources.search_spaces import complete
from llmopt_core.results.optimizations import ErrorCount, OptimizationResult
from llmopt_core.search.configurations import GROUPS, Configuration, Value
from llmopt_core.search.spaces import OutsideSpace, SearchSpace
from llmopt_core.storage.definitions import (
    define_study,
    engine_declaration,
    fixed_parameters,
    study_name,
)
from llmopt_operator.domain.observed import Problem


@dataclass(frozen=True)
class Verified:
    """A result without any text of a row; with a `problem` it holds no winner."""

    result: OptimizationResult
    problem: Problem | None = None


def verified(result: OptimizationResult, resource: LLMOptimization) -> Verified:
    """Return `result` with all that is not a number computed from `resource`."""
    bare = OptimizationResult(
        study=study_name(resource),
        ended=_reason(result.ended),
        message="",
        trials=result.trials,
        failed=result.failed,
    )
    bare = replace(bare, default_failure=_without_text(result.default_failure))
    if result.trial is None:
        return Verified(bare)
    space = define_study(resource).space
    try:
        parameters = _parameters(result, space)
    except OutsideSpace as error:
        text = f"trial {result.trial} is not used: its parameters are outside spec.search.space: {error}"
        return Verified(bare, Problem(Reason.PARAMETERS_OUTSIDE_SPACE, text))
    measured = replace(
        bare,
        trial=result.trial,
        default_is_best=result.default_is_best,
        reference=result.reference,
        metrics=_finite(result.metrics),
        default_metrics=_finite(result.default_metrics),
        objectives=tuple(objective.metric for objective in resource.spec.objectives),
        effects=tuple(one for one in result.effects if _is_finite(one)),
        confirmed=result.confirmed,
        repeats=result.repeats,
        significant=result.significant,
        choices=tuple(_choices(result, space)),
    )
    return Verified(_recommended(measured, resource, parameters))


def _parameters(result: OptimizationResult, space: SearchSpace) -> dict[str, Value]:
    found = {f"{group}.{name}": value for group in GROUPS for name, value in result.parameters[group].items()}
    return space.settled(found)


def _choices(result: OptimizationResult, space: SearchSpace) -> Iterator[Choice]:
    """Yield the choices that lie in the resource's own search space, with finite numbers."""
    for choice in result.choices:
        if not all(_is_finite(one) for one in choice.effects):
            continue
        with suppress(OutsideSpace):
            yield replace(choice, parameters=space.settled(choice.parameters))


def _without_text(failure: ErrorCount | None) -> ErrorCount | None:
    return None if failure is None else replace(failure, message="", suggestion="")


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name in CATALOG and _is_number(value)}


def _is_finite(one: Effect) -> bool:
    spans = (one.absolute_interval, one.relative_interval)
    ends = (end for span in spans if span for end in (span.low, span.high))
    numbers = (one.baseline, one.value, one.absolute, one.relative or 0.0, *ends)
    return one.metric in CATALOG and all(_is_number(number) for number in numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _reason(text: str | None) -> str | None:
    """Return the reason that a row names; a name that this version does not know is not taken over."""
    return None if text is None else reason_called(text) or ErrorClass.UNKNOWN


def _recommended(
    result: OptimizationResult, resource: LLMOptimization, parameters: dict[str, Value]
) -> OptimizationResult:
    spec = resource.spec
    declaration = engine_declaration(spec.engine)
    fixed = fixed_parameters(spec.engine, spec.workload, declaration)
    served = {} if result.keep_default else parameters
    model = ModelReference.of(spec.model.source, trust_remote_code=spec.model.trust_remote_code)
    told = recommend(declaration, model, complete(served, fixed, declaration), searched=served, fixed=fixed)
    groups = Configuration.from_flat(parameters)
    return replace(
        result,
        parameters={group: dict(getattr(groups, group)) for group in GROUPS},
        serve_command=told.command,
        serve_arguments=told.arguments,
        request_fields=told.request_fields,
    )
