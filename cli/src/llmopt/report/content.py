"""What the report of an optimization says, as plain data that the page only has to lay out."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.report.machine import machine_facts
from llmopt.report.pages import Page, measuring_seconds, parameter_rows, workload_facts
from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.ranking import ranked
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.results.durations import saved_seconds
from llmopt_core.results.optimizations import OptimizationResult
from llmopt_core.results.wording import (
    advice,
    duration,
    gain_text,
    headline,
    interval_text,
    number,
    parameters_title,
    reference_title,
    serve_title,
    standing_text,
    value_text,
    verdict,
)
from llmopt_core.storage.records import OutcomeKind, Phase, StudyDefinition, TrialRecord

TOP_TRIALS = 10
_KINDS = (OutcomeKind.MEASURED, OutcomeKind.COPIED)


@dataclass(frozen=True)
class ComparisonRow:
    """One line of best against default; `tone` is good, bad or quiet."""

    metric: str
    unit: str
    default: str
    best: str
    gain: str
    interval: str
    verdict: str
    tone: str


@dataclass(frozen=True)
class TrialRow:
    """One line of the top trials."""

    number: int
    parameters: str
    metrics: tuple[str, ...]
    seconds: str


@dataclass(frozen=True, kw_only=True)
class Content(Page):
    """All texts of the report of an optimization."""

    comparisons: tuple[ComparisonRow, ...]
    constraints: tuple[str, ...]
    reference: str
    parameters_title: str
    parameters: tuple[tuple[str, str, str], ...]
    top_metrics: tuple[str, ...]
    top: tuple[TrialRow, ...]


def content_of(
    result: OptimizationResult,
    spec: OptimizationSpec,
    trials: Sequence[TrialRecord],
    definition: StudyDefinition,
    *,
    manifest_text: str,
) -> Content:
    """Return what the report of `result` says."""
    return Content(
        title=result.study,
        headline=headline(result),
        tone="good" if result.significant else "quiet",
        proof=_proof(result, spec),
        comparisons=tuple(_comparison(one, result) for one in result.effects),
        constraints=tuple(standing_text(each) for each in result.constraints),
        reference=reference_title(result),
        parameters_title=parameters_title(result),
        parameters=parameter_rows(result.parameters),
        measured=tuple(_measured(spec, trials).items()),
        machine=tuple(machine_facts().items()),
        top_metrics=tuple(objective.metric for objective in definition.objectives),
        top=_top(trials, definition),
        errors=tuple(vars(error) for error in result.errors),
        warnings=tuple(vars(warning) for warning in result.warnings),
        serve_title=serve_title(result),
        serve_command=result.serve_command or "",
        request_fields=", ".join(
            f"{key}: {value_text(value)}" for key, value in result.request_fields.items()
        ),
        manifest=manifest_text,
    )


def _proof(result: OptimizationResult, spec: OptimizationSpec) -> str:
    if result.confirmed:
        return (
            f"The best and {_reference(result)} ran {result.repeats} times each, interleaved, with fresh"
            f" seeds, on {spec.workload.dataset.samples} items that the search never saw. Intervals are at 95"
            f" %, corrected for the number of candidates. {advice(result)}"
        )
    if result.trial is None:
        return result.message
    measured = (
        "These are the search's own measurements; the repeats that would prove a gain have not been made."
    )
    return f"{measured} {advice(result)}".strip()


def _reference(result: OptimizationResult) -> str:
    """What the best is compared with: where it is the reference itself, the next best."""
    return "the next best" if result.default_failure and not result.effects else reference_title(result)


def _comparison(one: Effect, result: OptimizationResult) -> ComparisonRow:
    tone = "good" if one.better else "bad" if one.worse else "quiet"
    counts = verdict(one, objective=one.metric in result.objectives)
    return ComparisonRow(
        one.metric, find_metric(one.metric).unit, number(one.baseline), number(one.value),
        gain_text(one), interval_text(one), counts, tone,
    )  # fmt: skip


def _measured(spec: OptimizationSpec, trials: Sequence[TrialRecord]) -> dict[str, str]:
    counted = [trial for trial in trials if trial.phase is not Phase.CONFIRM and trial.outcome]
    samples = spec.workload.dataset.samples
    return {
        "Model": spec.model.source,
        "Engine": spec.engine.name,
        "Items": f"{samples} searched on, {samples} held out for the proof",
        **workload_facts(spec.workload),
        "Search": f"{spec.search.sampler.name}, {len(counted)} of {spec.budget.trials} trials",
        **_stopped(counted, samples),
        "Measuring time": duration(measuring_seconds(trials)),
    }


def _stopped(trials: Sequence[TrialRecord], samples: int) -> dict[str, str]:
    stopped = sum(trial.outcome.kind is OutcomeKind.PRUNED for trial in trials if trial.outcome)
    if not stopped:
        return {}
    saved = duration(saved_seconds(trials, samples))
    return {"Stopped early": f"{stopped} trials that could no longer win, about {saved} of measuring saved"}


def _top(trials: Sequence[TrialRecord], definition: StudyDefinition) -> tuple[TrialRow, ...]:
    """Return the best trials in the order that chose the best; copies say nothing new and are left out."""
    searched = [trial for trial in trials if trial.phase is not Phase.CONFIRM]
    return tuple(
        TrialRow(
            trial.number,
            ", ".join(f"{key}={value_text(value)}" for key, value in trial.parameters.items()) or "default",
            tuple(number(outcome.metrics[objective.metric]) for objective in definition.objectives),
            f"{outcome.seconds.get('total', 0.0):.1f}",
        )
        for trial in ranked(searched, definition)[:TOP_TRIALS]
        if (outcome := trial.outcome) is not None
    )
