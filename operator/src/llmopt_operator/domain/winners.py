"""What of a study's result may be written into manifests: computed from the resource, never copied from rows.

The owner of a database can write any row into it. Of a row only numbers, and parameters that the resource's
own search space holds, are taken over; arguments, commands, request fields and texts are computed here.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.summary import ErrorCount
from llmopt_core.api.reasons import Reason
from llmopt_core.engines.recommendations import Recommendation, recommend
from llmopt_core.engines.servers import ModelReference
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources import LLMOptimization
from llmopt_core.resources.search_spaces import complete
from llmopt_core.results.constraints import Standing
from llmopt_core.results.findings import OptimizationFinding, ServedChoice
from llmopt_core.search.configurations import GROUPS, Configuration, Value
from llmopt_core.search.spaces import OutsideSpace, SearchSpace, is_finite_number
from llmopt_core.storage.definitions import (
    define_study,
    engine_declaration,
    fixed_parameters,
)
from llmopt_core.storage.outcomes import constraint_name
from llmopt_operator.domain.observed import Problem


@dataclass(frozen=True)
class Verified:
    """A finding without any text of a row; with a `problem` it holds no winner."""

    finding: OptimizationFinding
    problem: Problem | None = None


def verified(found: OptimizationFinding, resource: LLMOptimization) -> Verified:
    """Return `found` with all that is not a number computed from `resource`."""
    bare = OptimizationFinding(default_failure=_without_text(found.default_failure))
    if found.trial is None:
        return Verified(bare)
    definition = define_study(resource)
    space, asked = definition.space, {constraint_name(each) for each in definition.constraints}
    try:
        parameters = _parameters(found, space)
    except OutsideSpace as error:
        text = f"trial {found.trial} is not used: its parameters are outside spec.search.space: {error}"
        return Verified(bare, Problem(Reason.PARAMETERS_OUTSIDE_SPACE, text))
    measured = replace(
        bare,
        trial=found.trial,
        default_is_best=found.default_is_best,
        reference=found.reference,
        metrics=_finite(found.metrics),
        objectives=tuple(objective.metric for objective in resource.spec.objectives),
        effects=tuple(one for one in found.effects if _is_finite(one)),
        constraints=tuple(one for one in found.constraints if one.constraint in asked and _is_measured(one)),
        confirmed=found.confirmed,
        repeats=found.repeats,
        significant=found.significant,
        choices=tuple(_choices(found, space, resource)),
        notes=found.notes,
        variances=found.variances,
    )
    groups = Configuration.from_flat(parameters)
    recommended = _recommended(resource, {} if measured.keep_default else parameters)
    verified_finding = replace(
        measured,
        parameters={group: dict(getattr(groups, group)) for group in GROUPS},
        serve_command=recommended.command,
        serve_arguments=recommended.arguments,
        request_fields=recommended.request_fields,
    )
    return Verified(verified_finding)


def _parameters(found: OptimizationFinding, space: SearchSpace) -> dict[str, Value]:
    named = {f"{group}.{name}": value for group in GROUPS for name, value in found.parameters[group].items()}
    return space.settled(named)


def _choices(
    found: OptimizationFinding, space: SearchSpace, resource: LLMOptimization
) -> Iterator[ServedChoice]:
    """Yield the choices that lie in the resource's own search space, with finite numbers."""
    for served in found.choices:
        effects = served.choice.effects
        if not all(_is_finite(one) for one in effects) or not is_finite_number(served.weighted_gain):
            continue
        with suppress(OutsideSpace):
            parameters = space.settled(served.choice.parameters)
            recommended = _recommended(resource, parameters)
            choice = replace(served.choice, parameters=parameters)
            yield ServedChoice(choice, served.weighted_gain, recommended.command, recommended.request_fields)


def _without_text(failure: ErrorCount | None) -> ErrorCount | None:
    return (
        None if failure is None else replace(failure, last=replace(failure.last, message="", suggestion=""))
    )


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name in CATALOG and is_finite_number(value)}


def _is_finite(one: Effect) -> bool:
    spans = (one.absolute_interval, one.relative_interval)
    ends = (end for span in spans if span for end in (span.low, span.high))
    numbers = (one.baseline, one.value, one.absolute, one.relative or 0.0, *ends)
    return one.metric in CATALOG and all(is_finite_number(number) for number in numbers)


def _is_measured(one: Standing) -> bool:
    numbers = (one.value, one.bound or 0.0, one.baseline or 0.0)
    return all(is_finite_number(number) for number in numbers)


def _recommended(resource: LLMOptimization, served: dict[str, Value]) -> Recommendation:
    """Return how `served`, by full name, is served."""
    spec = resource.spec
    declaration = engine_declaration(spec.engine)
    fixed = fixed_parameters(spec.engine, spec.workload, declaration)
    model = ModelReference.of(spec.model.source, trust_remote_code=spec.model.trust_remote_code)
    return recommend(declaration, model, complete(served, fixed, declaration), searched=served, fixed=fixed)
