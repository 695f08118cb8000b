"""What a reader of a study's result must know of its objectives and constraints. Pure."""

from collections.abc import Iterator

from llmopt_core.engines.answer_lengths import Variant, compared_causes, misleading, searched_causes
from llmopt_core.storage.outcomes import constraint_name
from llmopt_core.storage.records import CandidateDefinition, StudyDefinition, TrialRecord

_ABSOLUTE = "write an absolute bound, or correct the baseline"


def misleading_objectives(
    definition: StudyDefinition, baseline: TrialRecord | None = None, best: TrialRecord | None = None
) -> Iterator[str]:
    """Yield each objective that rewards longer answers, where configurations can change their length.

    How long the answers of the `baseline` and the `best` were is added where both were measured.
    """
    if definition.output_tokens is not None:
        return
    causes = _causes(definition)
    for objective in definition.objectives:
        if text := misleading(objective.metric, causes):
            yield text + _lengths(baseline, best)


def unbounded_constraints(definition: StudyDefinition) -> Iterator[str]:
    """Yield each constraint relative to a baseline that could not be measured: nothing was held to it."""
    for constraint in definition.constraints:
        if constraint.bound is None:
            name = constraint_name(constraint)
            yield f"the constraint {name} was not applied: the baseline was not measured; {_ABSOLUTE}"


def _causes(definition: StudyDefinition) -> tuple[str, ...]:
    if definition.comparison is not None:
        return compared_causes([_variant(each) for each in definition.candidates])
    engine = "" if definition.serving is None else definition.serving.engine_name
    return searched_causes(engine, definition.space.names())


def _variant(candidate: CandidateDefinition) -> Variant:
    if candidate.serving is None:
        return Variant(origin=candidate.origin)
    serving = candidate.serving
    return Variant(serving.model_source, serving.engine_name, serving.parameters)


def _lengths(baseline: TrialRecord | None, best: TrialRecord | None) -> str:
    before, after = _tokens_per_answer(baseline), _tokens_per_answer(best)
    if before is None or after is None:
        return ""
    return f" (tokens per answer: {before:.1f} of the baseline, {after:.1f} of the best)"


def _tokens_per_answer(trial: TrialRecord | None) -> float | None:
    metrics = {} if trial is None or trial.outcome is None else trial.outcome.metrics
    tokens, answers = metrics.get("output_tokens_per_second"), metrics.get("requests_per_second")
    return None if tokens is None or not answers else tokens / answers
