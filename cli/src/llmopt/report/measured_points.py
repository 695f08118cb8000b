"""The trials of a search as points of charts: which metrics go together, and what each trial is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmopt.report.charts import Point, Role
from llmopt.report.marks import Span
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import OptimizationStatus
from llmopt_core.results.numbers import number, value_texts
from llmopt_core.results.wording import keeps_default
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import OutcomeKind, Phase, TrialRecord

# What is shown beside an objective when there is only one, the first that was measured.
QUALITIES = ("accuracy", "score", "token_f1", "judge_score")
SPEEDS = ("good_answers_per_second", "requests_per_second", "output_tokens_per_second")
_THROUGHPUTS = ("output_tokens_per_second", "requests_per_second")
_LATENCIES = ("ttft_ms_p95", "e2e_ms_p95", "e2e_ms_mean", "tpot_ms_mean")


@dataclass(frozen=True)
class Tried:
    """A configuration that the search measured, and what it is."""

    number: int
    role: Role
    parameters: Mapping[str, Value]
    configuration: Mapping[str, Value]
    metrics: Mapping[str, float]

    @property
    def name(self) -> str:
        """What it is called beside its mark."""
        return "baseline" if self.role is Role.BASELINE else f"trial {self.number}"

    @property
    def text(self) -> str:
        """What is shown of it when it is pointed at."""
        values = value_texts(self.parameters, " = ") or "the baseline"
        return f"trial {self.number}: {values}"


def tried(trials: Sequence[TrialRecord], status: OptimizationStatus) -> tuple[Tried, ...]:
    """Return what the search measured itself: no copies, no repeats, nothing that was stopped early."""
    role_of = _roles(status)
    return tuple(
        Tried(
            trial.number,
            role_of(trial.number),
            trial.parameters,
            trial.outcome.configuration.flat(),
            trial.outcome.metrics,
        )
        for trial in trials
        if trial.phase is not Phase.CONFIRM and trial.outcome and trial.outcome.kind is OutcomeKind.MEASURED
    )


def _roles(status: OptimizationStatus) -> Callable[[int], Role]:
    baseline = None if status.baseline is None else status.baseline.trial
    best = None if status.best is None or keeps_default(status) else status.best.trial
    verified = {choice.trial for choice in status.choices}

    def role(number: int) -> Role:
        if number == baseline:
            return Role.BASELINE
        if number == best:
            return Role.BEST
        return Role.VERIFIED if number in verified else Role.TRIED

    return role


def thinned(found: Sequence[Tried], most: int) -> list[Tried]:
    """Return at most about `most` of `found`: all that are more than tried, and of those every so manieth."""
    plain = [each for each in found if each.role is Role.TRIED]
    step = max(1, -(-len(plain) // most))
    kept = {each.number for each in plain[::step]}
    return [each for each in found if each.role is not Role.TRIED or each.number in kept]


def quality_and_speed(found: Sequence[Tried], objectives: Sequence[str]) -> tuple[str, str] | None:
    """Return the metrics of the two axes, quality first; None where only one was measured.

    Two objectives are the axes, whatever they are.
    """
    if len(objectives) > 1:
        first, second = objectives[:2]
        return (second, first) if _is_quality(second) and not _is_quality(first) else (first, second)
    (objective,) = objectives
    others = SPEEDS if _is_quality(objective) else QUALITIES
    other = _first_measured(found, [name for name in others if name != objective])
    if other is None:
        return None
    return (objective, other) if _is_quality(objective) else (other, objective)


def _is_quality(metric: str) -> bool:
    """Say whether a metric is a score alone: a rate of good answers is a speed, too."""
    return find_metric(metric).scale == "bounded"


def latency_and_throughput(found: Sequence[Tried]) -> tuple[str, str] | None:
    """Return the metrics of the two axes, latency first; None where one of them was not measured."""
    latency, throughput = _first_measured(found, _LATENCIES), _first_measured(found, _THROUGHPUTS)
    return None if latency is None or throughput is None else (latency, throughput)


def _first_measured(found: Sequence[Tried], names: Sequence[str]) -> str | None:
    return next((name for name in names if any(name in each.metrics for each in found)), None)


def points(found: Sequence[Tried], y_metric: str, x_metric: str) -> Iterator[Point]:
    """Yield what was measured of both metrics; what was only tried has no label."""
    for each in found:
        if x_metric not in each.metrics or y_metric not in each.metrics:
            continue
        x, y = each.metrics[x_metric], each.metrics[y_metric]
        values = f"{y_metric} {number(y)}, {x_metric} {number(x)}"
        label = "" if each.role is Role.TRIED else each.name
        yield Point(Span.of(x), Span.of(y), each.role, f"{each.text} ({values})", label)


def axis_title(metric: str) -> str:
    """Return a metric with its unit and which way is better."""
    known = find_metric(metric)
    better = "more" if known.direction == "maximize" else "less"
    return f"{metric} ({known.unit}, {better} is better)"
