"""What other studies found, taken over by a new one.

A search tries their best configurations early; they are measured again, for what was measured on another
model, workload or machine says where to look, not how good it is here. A comparison takes a configuration
that an optimization found as a candidate, with the model and the engine that it was found on.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from llmopt_core.analysis.confirmation import confirmation
from llmopt_core.analysis.summary import rank
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.resources.benchmark import LLMBenchmark, OptimizationRef
from llmopt_core.resources.cautions import BEST_OF_EACH
from llmopt_core.resources.loading import Resource
from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.errors import StudyNotFound
from llmopt_core.storage.points import contains, dimensions
from llmopt_core.storage.records import CandidateDefinition, Serving, StudyDefinition
from llmopt_core.storage.storages import Completion
from llmopt_core.storage.studies import Study

Opening = Callable[[str], Study]


class WarmStartInvalid(LlmoptError):
    """A study to start from is not there, or has nothing to start from."""

    error_class = ErrorClass.INVALID_CONFIGURATION


class ReferenceInvalid(LlmoptError):
    """The result of an optimization that a candidate refers to is not there."""

    error_class = ErrorClass.INVALID_CONFIGURATION


def from_others(resource: Resource, open_named: Opening) -> Completion:
    """Return what completes the definition of a new study of `resource` by what others found.

    Each is opened by `open_named`, which raises StudyNotFound. Completing raises WarmStartInvalid or
    ReferenceInvalid with the field of the manifest.
    """

    def complete(definition: StudyDefinition) -> StudyDefinition:
        if isinstance(resource, LLMBenchmark):
            return _with_results(definition, resource, open_named)
        starts = _warm_starts(resource, definition.space, open_named)
        return replace(definition, enqueue=(*definition.enqueue, *starts))

    return complete


def _with_results(
    definition: StudyDefinition, resource: LLMBenchmark, open_named: Opening
) -> StudyDefinition:
    comparison = definition.comparison
    assert comparison is not None  # noqa: S101 - it is a benchmark's
    candidates = tuple(
        known
        if asked.optimization_ref is None
        else _result(known, asked.optimization_ref, f"spec.candidates[{place}].optimizationRef", open_named)
        for place, (known, asked) in enumerate(
            zip(comparison.candidates, resource.spec.candidates, strict=True)
        )
    )
    return replace(definition, comparison=replace(comparison, candidates=candidates))


def _result(
    candidate: CandidateDefinition, reference: OptimizationRef, field: str, open_named: Opening
) -> CandidateDefinition:
    """Return `candidate` as the optimization found it: whole, with its own model, engine and prompt."""
    try:
        study = open_named(reference.name)
    except StudyNotFound as error:
        raise ReferenceInvalid(
            f"{field}.name: {reference.name!r} has no study ({error}); run the optimization first, or take"
            " the candidate out"
        ) from error
    start = study.definition.serving
    if start is None:
        raise ReferenceInvalid(
            f"{field}.name: the study of {reference.name!r} does not say what it served, for an earlier"
            " version made it; run the optimization again, or write the candidate's parameters out"
        )
    if reference.rank and study.ended is None:
        raise ReferenceInvalid(
            f"{field}.name: the optimization {reference.name!r} has not ended, so its best may change; let"
            " it end, or write the candidate's parameters out"
        )
    found = _ranked(study, reference, field)
    return replace(candidate, serving=Serving(start.model, start.engine, {**start.parameters, **found}))


def _ranked(study: Study, reference: OptimizationRef, field: str) -> dict[str, Value]:
    """Return what rank 0 (the baseline), 1 (the winner) or a place in the list of the best was given."""
    if reference.rank == 0:
        return {}
    proof = confirmation(study)
    if reference.rank == 1 and proof is not None:
        return dict(proof.winner.parameters)
    best = rank(study)
    if reference.rank > len(best):
        known = f"0 (the baseline) to {len(best)}" if best else "0, its default"
        raise ReferenceInvalid(
            f"{field}.rank: {reference.rank}: {reference.name!r} measured {len(best)} configuration(s) that"
            f" keep its constraints; choose {known}, or run it further"
        )
    return dict(best[reference.rank - 1].parameters)


def _warm_starts(
    resource: LLMOptimization, space: SearchSpace, open_named: Opening
) -> Iterator[dict[str, Value]]:
    for place, reference in enumerate(resource.spec.search.warm_start_from):
        field = f"spec.search.warmStartFrom[{place}].name"
        yield from _best_of(field, reference.name, space, open_named)


def _best_of(field: str, name: str, space: SearchSpace, open_named: Opening) -> Iterator[dict[str, Value]]:
    try:
        study = open_named(name)
    except StudyNotFound as error:
        raise WarmStartInvalid(
            f"{field}: {name!r} has no study ({error}); run it first, or take it out"
        ) from error
    best = [part for part in _parts(study, space) if part][:BEST_OF_EACH]
    if not best:
        raise WarmStartInvalid(
            f"{field}: {name!r} has no measured configuration with a parameter that is searched here; take"
            " it out"
        )
    yield from best


def _parts(study: Study, space: SearchSpace) -> Iterator[dict[str, Value]]:
    """Yield the best configurations, best first, each once: as much of them as `space` holds."""
    known = dimensions(space)
    seen: list[dict[str, Value]] = []
    for trial in rank(study):
        values = {} if trial.outcome is None else trial.outcome.configuration.flat()
        inside = (name for name in values if name in known and contains(known[name], values[name]))
        part = {name: values[name] for name in inside}
        if part not in seen:
            seen.append(part)
            yield part
