"""What a report says, for both kinds, as plain data that the page only has to lay out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmopt.report.candidates import Contestant, MetricTable, contestants, metric_tables
from llmopt.report.choices import Card, EffectRow, cards_of, effect_rows
from llmopt.report.machine import machine_facts
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.serving import Workload
from llmopt_core.resources.status import (
    BenchmarkStatus,
    ErrorSummary,
    OptimizationStatus,
    TrialResult,
    VarianceShares,
    WarningSummary,
)
from llmopt_core.results.durations import saved_seconds
from llmopt_core.results.numbers import duration, number, value_texts
from llmopt_core.results.results import Result
from llmopt_core.results.wording import (
    advice,
    chosen,
    is_significant,
    offered,
    outcome_parts,
    proof,
    reference_title,
    remedy_text,
    standing_text,
)
from llmopt_core.storage.records import OutcomeKind, Phase, TrialRecord


@dataclass(frozen=True)
class TrialRow:
    """One line of the top trials."""

    number: int
    parameters: str
    metrics: tuple[str, ...]


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

    `tables` and `contestants` are of a benchmark, whose columns of repeats `repeats` heads; `others` and
    `top` of a search.
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
    others: tuple[EffectRow, ...] = ()
    constraints: tuple[str, ...] = ()
    variances: tuple[VarianceRow, ...] = ()
    tables: tuple[MetricTable, ...] = ()
    contestants: tuple[Contestant, ...] = ()
    objective: str = ""
    repeats: tuple[str, ...] = ()
    top_metrics: tuple[str, ...] = ()
    top: tuple[TrialRow, ...] = ()
    measured: tuple[tuple[str, str], ...]
    machine: tuple[tuple[str, str], ...]
    errors: tuple[ErrorSummary, ...]
    warnings: tuple[WarningSummary, ...]
    manifest: str


def content_of(
    result: Result,
    spec: OptimizationSpec | BenchmarkSpec,
    trials: Sequence[TrialRecord],
    *,
    manifest_text: str,
) -> Content:
    """Return what the report of `result` says; `trials` are those of its study."""
    status = result.status
    common = Content(
        title=result.study,
        notes=tuple(status.notes),
        headline=outcome_parts(status),
        tone="good" if _is_good(status) and not status.notes else "quiet",
        chosen=chosen(status),
        proof=proof(status) or result.message,
        advice=advice(status),
        reference="the baseline" if isinstance(status, BenchmarkStatus) else reference_title(status),
        cards=cards_of(result),
        variances=tuple(_variance(each) for each in status.variances),
        measured=tuple(_measured(spec, status, trials).items()),
        machine=tuple(machine_facts().items()),
        errors=tuple(status.errors),
        warnings=tuple(status.warnings),
        manifest=manifest_text,
    )
    if isinstance(status, BenchmarkStatus):
        return _with_candidates(common, status, trials)
    return _with_search(common, status)


def _is_good(status: OptimizationStatus | BenchmarkStatus) -> bool:
    if isinstance(status, BenchmarkStatus):
        return status.winner is not None
    return is_significant(status) or bool(offered(status))


def _with_search(content: Content, status: OptimizationStatus) -> Content:
    best, metrics = status.best, tuple(each.metric for each in status.objectives)
    return replace(
        content,
        others=effect_rows(best.others, objective=False) if best else (),
        constraints=tuple(standing_text(each) for each in best.constraints) if best else (),
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
        value_texts(trial.parameters, "=") or "default",
        tuple("" if value is None else number(value) for value in values),
    )


def _measured(
    spec: OptimizationSpec | BenchmarkSpec,
    status: OptimizationStatus | BenchmarkStatus,
    trials: Sequence[TrialRecord],
) -> dict[str, str]:
    samples, counts = spec.workload.dataset.samples, status.progress
    took = sum(trial.outcome.seconds.get("total", 0.0) for trial in trials if trial.outcome)
    if isinstance(spec, BenchmarkSpec):
        return {
            "Items": f"{samples} held out, the same for all candidates and repeats",
            **workload_facts(spec.workload),
            "Repeats": f"{counts.measured} of {counts.budget} measured, interleaved",
            "Measuring time": duration(took),
        }
    counted = [trial for trial in trials if trial.phase is not Phase.CONFIRM and trial.outcome]
    return {
        "Model": spec.model.source,
        "Engine": spec.engine.name,
        "Items": f"{samples} searched on, {samples} held out for the verification",
        **workload_facts(spec.workload),
        "Search": f"{spec.search.sampler.name}, {counts.finished} of {counts.budget} trials",
        **_stopped(counted, samples),
        "Measuring time": duration(took),
    }


def _stopped(trials: Sequence[TrialRecord], samples: int) -> dict[str, str]:
    stopped = sum(trial.outcome.kind is OutcomeKind.PRUNED for trial in trials if trial.outcome)
    if not stopped:
        return {}
    saved = duration(saved_seconds(trials, samples))
    return {"Stopped early": f"{stopped} trials that could no longer win, about {saved} of measuring saved"}


def workload_facts(workload: Workload) -> dict[str, str]:
    """Return what was asked and how, by what to call it."""
    load, dataset = workload.load, workload.dataset
    return {
        "Data set": dataset.name or dataset.path or dataset.hf or "from a ConfigMap",
        "Requests": f"{load.rate} requests per second (Poisson)"
        if load.rate
        else f"{load.concurrency} at once",
        **_answers(workload),
    }


def _answers(workload: Workload) -> dict[str, str]:
    if workload.output_tokens is not None:
        return {"Answer length": f"exactly {workload.output_tokens} tokens", "Evaluator": "none"}
    evaluator = workload.evaluator.name if workload.evaluator else "the data set's own"
    return {"Answer length": f"at most {workload.max_tokens} tokens", "Evaluator": evaluator}
