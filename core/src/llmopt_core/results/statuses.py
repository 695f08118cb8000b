"""From what a study holds to its status: rounded, bounded, in the API's words.

The operator writes it into the resource; of a local study it is what the terminal, best.json, the report and
Python show. So both show the same.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from llmopt_core.analysis.comparison import BenchmarkFinding, CandidateFinding, MetricMean
from llmopt_core.analysis.effects import Effect, Interval
from llmopt_core.analysis.ranking import ranked
from llmopt_core.analysis.summary import ErrorCount, StudySummary
from llmopt_core.analysis.variances import VarianceSplit
from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.conditions import Phase as StatusPhase
from llmopt_core.resources import status as api
from llmopt_core.resources.base import IDENTIFIER_PATTERN
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, decimal
from llmopt_core.results.constraints import Standing
from llmopt_core.results.findings import OptimizationFinding, ServedChoice
from llmopt_core.results.lessons import learned_text
from llmopt_core.results.load_curves import compared_loads, searched_loads
from llmopt_core.results.progress import phase_of
from llmopt_core.results.status_effects import status_effect, status_interval
from llmopt_core.results.wording import headline, short_gain
from llmopt_core.search.configurations import GROUPS
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import (
    ComparisonDefinition,
    ObjectiveDefinition,
    Phase,
    RunnerRecord,
    TrialRecord,
)
from llmopt_core.storage.views import StudyView

_SHOWN_TOP, _SHOWN_PARETO, _SHOWN_METRICS, _SHOWN_CHOICES = 10, 20, 48, 5
_SHOWN_ERRORS, _SHOWN_WARNINGS, _SHOWN_RUNNERS, _SHOWN_EFFECTS = 10, 5, 32, 16
_LONGEST_TEXT, _LONGEST_COMMAND, _LONGEST_MESSAGE, _LONGEST_CONSTRAINT = 1024, 4096, 2048, 256
_PERCENT = 100
_NAME = re.compile(rf"(?=.{{1,64}}$){IDENTIFIER_PATTERN}")


def optimization_status(
    study: StudyView,
    finding: OptimizationFinding,
    summary: StudySummary,
    progress: api.Progress,
    *,
    unreadable: Sequence[str] = (),
) -> OptimizationStatus:
    """Return the status of the search `study`; `unreadable` names rows that are left out of it."""
    trials, objectives = study.trials(), study.definition.objectives
    searched = [trial for trial in trials if trial.phase is not Phase.CONFIRM]
    front = summary.pareto[:_SHOWN_PARETO] if len(objectives) > 1 else ()
    failure = finding.default_failure
    status = OptimizationStatus(
        study=study.definition.name,
        progress=progress,
        errors=[error_summary(error) for error in summary.errors[:_SHOWN_ERRORS]],
        warnings=list(_warnings(summary, unreadable)),
        runners=list(_runners(study.runners())),
        objectives=[_objective(each) for each in objectives[:_SHOWN_EFFECTS]],
        baseline=_trial(summary.baseline),
        baseline_failure=None if failure is None else error_summary(failure),
        choices=[_choice(each, finding.choices) for each in finding.choices[:_SHOWN_CHOICES]],
        notes=[note.value for note in finding.notes],
        variances=[_variance(each) for each in finding.variances[:_SHOWN_EFFECTS]],
        top=[_trial_of(trial) for trial in ranked(searched, study.definition)[:_SHOWN_TOP]],
        pareto=[_trial_of(trial) for trial in front],
        learned=_short(learned_text(study.learned)),
        loads=searched_loads(trials, finding.trial),
    )
    best = _best(finding)
    if best is None:
        return status
    status = status.model_copy(update={"best": best})
    said = {"summary": _short(headline(status)), "short_gain": _short(short_gain(status))}
    return status.model_copy(update={"best": best.model_copy(update=said)})


def benchmark_status(
    study: StudyView,
    finding: BenchmarkFinding | None,
    summary: StudySummary,
    progress: api.Progress,
    *,
    unreadable: Sequence[str] = (),
) -> BenchmarkStatus:
    """Return the status of the benchmark `study`; without a `finding` it says only how far it is."""
    comparison = study.comparison
    assert comparison is not None  # noqa: S101 - the study is a benchmark's
    objective = study.definition.objectives[0]
    return BenchmarkStatus(
        study=study.definition.name,
        progress=progress,
        errors=[error_summary(error) for error in summary.errors[:_SHOWN_ERRORS]],
        warnings=list(_warnings(summary, unreadable)),
        runners=list(_runners(study.runners(), _repeats_at(comparison, study.trials()))),
        objective=_objective(objective),
        metrics=list(dict.fromkeys((objective.metric, *comparison.metrics)))[:_SHOWN_METRICS],
        baseline=comparison.baseline,
        repeats=comparison.repeats,
        confidence_percent=round(comparison.confidence * _PERCENT),
        notes=[] if finding is None else [note.value for note in finding.notes],
        variances=[] if finding is None else [_variance(each) for each in finding.variances],
        results=[] if finding is None else [_candidate(each) for each in finding.candidates],
        winner=None if finding is None else finding.winner,
        verdict="" if finding is None else _short(finding.verdict),
        loads=compared_loads(comparison, study.trials())[:_SHOWN_EFFECTS],
    )


S = TypeVar("S", OptimizationStatus, BenchmarkStatus)
V = TypeVar("V")


def as_of_now(status: S, study: StudyView) -> S:
    """Return `status` with the phase and the end of `study`, which in a cluster the operator decides."""
    if study.ended is not None:
        return as_ended(status, study.ended, study)
    return status.model_copy(update={"phase": phase_of(study)})


def as_ended(status: S, end: EndReason, study: StudyView) -> S:
    """Return `status` with the phase and the condition of a `study` that ended as `end` says."""
    phase = StatusPhase.FAILED if end.failed else StatusPhase.COMPLETE
    return status.model_copy(update={"phase": phase, "conditions": [_end(end, study.trials())]})


def _end(end: EndReason, trials: Sequence[TrialRecord]) -> api.Condition:
    last = max((trial.finished_at or 0.0 for trial in trials), default=0.0)
    return api.Condition(
        type=ConditionType.FAILED if end.failed else ConditionType.COMPLETE,
        status="True",
        reason=end.reason,
        message=end.message[:_LONGEST_MESSAGE],
        last_transition_time=datetime.fromtimestamp(last, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def error_summary(error: ErrorCount) -> api.ErrorSummary:
    """Return a class of failures for a status."""
    return api.ErrorSummary(
        class_=error.error_class.value,
        count=error.count,
        suggestion=_short(error.last.suggestion),
        last_message=_short(error.last.message),
        last_trial=error.last_trial,
    )


def _objective(objective: ObjectiveDefinition) -> api.StudyObjective:
    return api.StudyObjective(metric=objective.metric, goal=objective.direction, weight=objective.weight)


def _warnings(summary: StudySummary, unreadable: Sequence[str]) -> Iterator[api.WarningSummary]:
    """Warn of rows that are left out first, then of what the trials warn of."""
    if unreadable:
        text = f"rows of the study that cannot be read are left out: {', '.join(unreadable)}"
        yield api.WarningSummary(count=len(unreadable), last_message=_short(text))
    for warning in summary.warnings[: _SHOWN_WARNINGS - bool(unreadable)]:
        yield api.WarningSummary(
            count=warning.count, last_message=_short(warning.message), last_trial=warning.trial
        )


def _runners(
    records: Sequence[RunnerRecord], repeats: Mapping[str | None, str] | None = None
) -> Iterator[api.RunnerStatus]:
    """The runners that are there, then the last ones that were; `repeats` is what each measures, by name."""
    ordered = sorted(records, key=lambda record: (record.ended is not None, record.index, record.name))
    for record in ordered[:_SHOWN_RUNNERS]:
        yield api.RunnerStatus(
            name=record.name,
            trial=record.trial,
            stage=record.stage[:64],
            memory_mib=None if record.memory_mib is None else round(record.memory_mib),
            memory_total_mib=None if record.memory_total_mib is None else round(record.memory_total_mib),
            memory_level=(record.memory_level or "")[:16],
            repeat=(repeats or {}).get(record.name, "")[:128] if record.ended is None else "",
            ended=None if record.ended is None else record.ended[:256],
        )


def _repeats_at(comparison: ComparisonDefinition, trials: Sequence[TrialRecord]) -> dict[str | None, str]:
    """Return which repeat each runner measures, such as `slots (repeat 2 of 5)`."""
    return {
        trial.runner: f"{comparison.candidates[trial.candidate or 0].name}"
        f" (repeat {(trial.repeat or 0) + 1} of {comparison.repeats})"
        for trial in trials
        if trial.state == "running"
    }


def _trial(trial: TrialRecord | None) -> api.TrialResult | None:
    return None if trial is None or trial.outcome is None else _trial_of(trial)


def _trial_of(trial: TrialRecord) -> api.TrialResult:
    metrics = trial.outcome.metrics if trial.outcome else {}
    return api.TrialResult(
        trial=trial.number,
        parameters=_named(trial.parameters),
        metrics=_metrics(metrics),
        repaired_from=trial.repaired_from,
    )


def _best(finding: OptimizationFinding) -> api.Best | None:
    if finding.trial is None:
        return None
    objectives = finding.objective_effects
    flat = {f"{group}.{name}": value for group in GROUPS for name, value in finding.parameters[group].items()}
    values = {one.metric: one.value for one in objectives}
    shown = {metric: values.get(metric, finding.metrics.get(metric)) for metric in finding.objectives}
    listed = (f"{metric} {decimal(value)}" for metric, value in shown.items() if value is not None)
    others = [one for one in finding.effects if one.metric not in finding.objectives]
    return api.Best(
        trial=finding.trial,
        parameters=flat,
        metrics=_metrics(finding.metrics),
        headline=_short(", ".join(listed)),
        gain=_effects(objectives),
        others=_effects(others),
        constraints=[_constraint(each) for each in finding.constraints[:_SHOWN_EFFECTS]],
        repeats=finding.repeats,
        reference=finding.reference,
        confirmed=finding.confirmed,
        serve_args=(finding.serve_command or "")[:_LONGEST_COMMAND],
        request_fields=_fields(finding.request_fields),
    )


def _effects(effects: Sequence[Effect]) -> list[api.ReportedEffect]:
    return [status_effect(each) for each in effects[:_SHOWN_EFFECTS]]


def _constraint(standing: Standing) -> api.ConstraintStanding:
    return api.ConstraintStanding(
        constraint=standing.constraint[:_LONGEST_CONSTRAINT],
        value=standing.value,
        bound=standing.bound,
        kept=standing.kept,
        relative=standing.relative,
        baseline=standing.baseline,
        baseline_kept=standing.baseline_kept,
    )


def _choice(served: ServedChoice, everything: Sequence[ServedChoice]) -> api.Choice:
    choice = served.choice
    return api.Choice(
        trial=choice.source_trial,
        parameters=dict(choice.parameters),
        gain=_effects(choice.effects),
        best_for=list(best_for(served, everything)),
        weighted_gain=served.weighted_gain,
        repeats=choice.repeats,
        serve_args=(served.serve_command or "")[:_LONGEST_COMMAND],
        request_fields=_fields(served.request_fields),
    )


def best_for(served: ServedChoice, everything: Sequence[ServedChoice]) -> tuple[str, ...]:
    """Return the objectives in which a choice is the best of all, and better than the reference."""
    return tuple(
        effect.metric
        for place, effect in enumerate(served.choice.effects)
        if effect.improvement > 0
        and effect.improvement >= max(other.choice.effects[place].improvement for other in everything)
    )


def _variance(split: VarianceSplit) -> api.VarianceShares:
    return api.VarianceShares(
        metric=split.metric, start=split.start, item=split.item, time=split.time, remedy=split.remedy.value
    )


def _candidate(found: CandidateFinding) -> api.CandidateResult:
    failure = found.failure
    return api.CandidateResult(
        candidate=found.name,
        engine=found.engine[:64],
        model=_short(found.model),
        origin=_short(found.origin),
        parameters=dict(found.parameters),
        repeats=found.repeats,
        metrics={
            name: api.MetricResult(mean=each.mean, interval=_mean_interval(each))
            for name, each in found.metrics.items()
        },
        against_baseline={name: status_effect(each) for name, each in found.against_baseline.items()},
        failure=None
        if failure is None
        else api.ErrorSummary(
            class_=failure.error_class.value,
            count=1,
            suggestion=_short(failure.suggestion),
            last_message=_short(failure.message),
        ),
        serve_args=(found.serve_command or "")[:_LONGEST_COMMAND],
        request_fields=_fields(found.request_fields),
    )


def _mean_interval(mean: MetricMean) -> api.ReportedInterval | None:
    if mean.low is None or mean.high is None:
        return None
    return status_interval(Interval(mean.low, mean.high))


def _metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    known = [name for name in sorted(_named(metrics)) if math.isfinite(metrics[name])]
    return {name: metrics[name] for name in known[:_SHOWN_METRICS]}


def _named(values: Mapping[str, V]) -> dict[str, V]:
    """Return `values` without those whose names are invalid: the owner of a database can write any."""
    return {name: value for name, value in values.items() if _NAME.fullmatch(name)}


def _fields(fields: Mapping[str, Any]) -> str:
    text = json.dumps(dict(fields), ensure_ascii=False)
    return text if len(text) <= _LONGEST_COMMAND else "{}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
