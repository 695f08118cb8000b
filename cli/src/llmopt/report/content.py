"""What a report says, for both kinds, as plain data that a page, Markdown or JSON only has to lay out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmopt.report.candidates import Contestant, MetricTable, contestants, metric_tables
from llmopt.report.choices import Card, EffectRow, cards_of, effect_rows
from llmopt.report.circumstances import Fact, Spec, machine_facts, served_facts
from llmopt.report.figures import Figure, measured_figures, parameter_figures, tradeoff
from llmopt.report.load_figures import load_figures
from llmopt.report.measured_points import tried
from llmopt.report.percentiles import PercentileTable, percentile_tables
from llmopt.report.stages import StageRow, cost_facts, phase_titles, stage_rows
from llmopt_core.engines.registry import declaration_of
from llmopt_core.resources.status import (
    BenchmarkStatus,
    ErrorSummary,
    OptimizationStatus,
    TrialResult,
    VarianceShares,
    WarningSummary,
)
from llmopt_core.results.answers import AnswerComparison
from llmopt_core.results.numbers import number, value_texts
from llmopt_core.results.results import Result
from llmopt_core.results.wording import (
    advice,
    chosen,
    default_is_best,
    is_significant,
    offered,
    outcome_parts,
    proof,
    reference_title,
    remedy_text,
    standing_text,
)
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.records import RunnerRecord, TrialRecord


@dataclass(frozen=True)
class Measured:
    """What a report is made from beside the result: the study's rows, and what follows from them.

    `importances` is how much of the differences each parameter explains, by objective.
    """

    trials: Sequence[TrialRecord] = ()
    runners: Sequence[RunnerRecord] = ()
    space: SearchSpace = field(default_factory=lambda: SearchSpace(()))
    importances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    answers: AnswerComparison | None = None


@dataclass(frozen=True)
class TrialRow:
    """One line of the top trials."""

    number: int
    parameters: str
    metrics: tuple[str, ...]
    repaired_from: int | None = None


@dataclass(frozen=True)
class VarianceRow:
    """Where the spread of one metric's repeats comes from, and what would narrow its interval."""

    metric: str
    start: str
    item: str
    time: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Content:
    """All texts of a report; what a kind does not have is empty. `tone` is good or quiet.

    `tables` and `contestants` are of a benchmark, whose columns of repeats `repeats` heads; `others`,
    `figures`, `effects` and `top` of a search.
    """

    title: str
    notes: tuple[str, ...]
    headline: tuple[str, ...]
    tone: str
    chosen: str
    proof: str
    advice: str
    reference: str
    cards: tuple[Card, ...]
    tradeoff: Figure | None = None
    others: tuple[EffectRow, ...] = ()
    constraints: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    effects: tuple[Figure, ...] = ()
    answers: AnswerComparison | None = None
    loads: tuple[Figure, ...] = ()
    percentiles: tuple[PercentileTable, ...] = ()
    variances: tuple[VarianceRow, ...] = ()
    tables: tuple[MetricTable, ...] = ()
    contestants: tuple[Contestant, ...] = ()
    objective: str = ""
    repeats: tuple[str, ...] = ()
    top_metrics: tuple[str, ...] = ()
    top: tuple[TrialRow, ...] = ()
    phases: tuple[str, ...] = phase_titles()
    stages: tuple[StageRow, ...] = ()
    costs: tuple[Fact, ...] = ()
    served: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    errors: tuple[ErrorSummary, ...]
    warnings: tuple[WarningSummary, ...]
    manifest: str


def content_of(result: Result, spec: Spec, measured: Measured, *, manifest_text: str) -> Content:
    """Return what the report of `result` says."""
    status, trials = result.status, measured.trials
    common = Content(
        title=result.study,
        notes=tuple(status.notes),
        headline=outcome_parts(status),
        tone="good" if _is_good(status) and not status.notes else "quiet",
        chosen=chosen(status),
        proof=proof(status) or result.message,
        advice=advice(status),
        reference="the baseline" if isinstance(status, BenchmarkStatus) else reference_title(status),
        cards=cards_of(result, baseline_settings(spec, status, trials)),
        answers=measured.answers,
        loads=load_figures(status.loads),
        percentiles=percentile_tables(status, trials),
        variances=tuple(_variance(each) for each in status.variances),
        stages=stage_rows(trials),
        costs=tuple(cost_facts(measured.runners, spec.workload)),
        served=tuple(served_facts(spec, status, trials)),
        machine=tuple(machine_facts(spec, trials, measured.runners)),
        errors=tuple(status.errors),
        warnings=tuple(status.warnings),
        manifest=manifest_text,
    )
    if isinstance(status, BenchmarkStatus):
        return _with_candidates(common, status, trials)
    return _with_search(common, status, measured, _engine(spec))


def _engine(spec: Spec) -> str:
    return "" if spec.engine is None else spec.engine.name


def baseline_settings(
    spec: Spec, status: OptimizationStatus | BenchmarkStatus, trials: Sequence[TrialRecord]
) -> Mapping[str, object]:
    """Return the configuration that gains are over, as it was measured; else what the engine declares."""
    reference = status.best.reference if isinstance(status, OptimizationStatus) and status.best else None
    for trial in trials:
        if trial.number == reference and trial.outcome is not None:
            return trial.outcome.configuration.flat()
    declaration = declaration_of(_engine(spec)) if _engine(spec) else None
    if declaration is None:
        return {}
    known = declaration.parameters.items()
    return {name: each.default for name, each in known if each.default is not None}


def _is_good(status: OptimizationStatus | BenchmarkStatus) -> bool:
    if isinstance(status, BenchmarkStatus):
        return status.winner is not None
    return is_significant(status) or bool(offered(status))


def _with_search(content: Content, status: OptimizationStatus, measured: Measured, engine: str) -> Content:
    best, metrics = status.best, tuple(each.metric for each in status.objectives)
    found = tried(measured.trials, status)
    return replace(
        content,
        tradeoff=tradeoff(status),
        others=effect_rows(best.others, objective=False) if best and not default_is_best(status) else (),
        constraints=tuple(standing_text(each) for each in best.constraints) if best else (),
        figures=tuple(measured_figures(found, metrics)) if metrics else (),
        effects=tuple(parameter_figures(found, measured.importances, measured.space, engine)),
        top_metrics=metrics,
        top=tuple(_trial_row(trial, metrics) for trial in status.top),
    )


def _with_candidates(content: Content, status: BenchmarkStatus, trials: Sequence[TrialRecord]) -> Content:
    return replace(
        content,
        tables=metric_tables(status),
        contestants=contestants(status, trials),
        objective=status.objective.metric if status.objective else "",
        repeats=tuple(str(repeat + 1) for repeat in range(status.repeats)),
    )


def _variance(shares: VarianceShares) -> VarianceRow:
    start, item, time = (
        f"{share:.0%}".replace("%", " %") for share in (shares.start, shares.item, shares.time)
    )
    return VarianceRow(shares.metric, start, item, time, remedy_text(shares))


def _trial_row(trial: TrialResult, metrics: Sequence[str]) -> TrialRow:
    values = (trial.metrics.get(metric) for metric in metrics)
    return TrialRow(
        trial.trial,
        value_texts(trial.parameters, "=") or "baseline",
        tuple("" if value is None else number(value) for value in values),
        trial.repaired_from,
    )
