"""Several studies side by side: what each recommends, what was measured of it, and what differs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from llmopt.report.charts import Point, Role, scatter
from llmopt.report.circumstances import Fact
from llmopt.report.content import Content
from llmopt.report.figures import Figure
from llmopt.report.marks import Span
from llmopt.report.measured_points import QUALITIES, SPEEDS, axis_title
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import (
    BenchmarkStatus,
    MetricResult,
    OptimizationStatus,
    ReportedEffect,
    Status,
)
from llmopt_core.results.effect_texts import gain_text, interval_text, verdict
from llmopt_core.results.numbers import precise
from llmopt_core.results.wording import default_is_best, keeps_default

_TWO = 2
# What may differ without making numbers incomparable: it is what the studies are about.
_OWN = frozenset(
    {
        "Model",
        "Engine",
        "Engine version",
        "Search",
        "Items of the search",
        "Sampler seed",
        "Repeats",
        "Measured",
        "Stopped early",
        "llmopt",
    }
)


@dataclass(frozen=True)
class Value:
    """A mean with its interval, or with the gain over the study's own baseline."""

    mean: float
    text: str
    detail: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Entry:
    """One configuration of one study: its baseline, what it recommends, or a candidate."""

    study: str
    title: str
    role: Role
    values: dict[str, Value]


@dataclass(frozen=True)
class Condition:
    """One circumstance of all studies, in their order; `differs`: not all have the same."""

    name: str
    values: tuple[str, ...]
    differs: bool


@dataclass(frozen=True)
class Comparison:
    """Studies side by side. `contents` are those of their reports, `doubts` what makes them incomparable."""

    contents: tuple[Content, ...]
    metrics: tuple[str, ...]
    entries: tuple[Entry, ...]
    conditions: tuple[Condition, ...]
    doubts: tuple[str, ...]
    figure: Figure | None


def comparison_of(contents: Sequence[Content], statuses: Sequence[Status]) -> Comparison:
    """Return studies side by side, in their order; `statuses` are theirs."""
    contents = tuple(_distinct(contents))
    entries = tuple(
        entry
        for content, status in zip(contents, statuses, strict=True)
        for entry in _entries(content.title, status)
    )
    conditions = tuple(_conditions(contents))
    return Comparison(
        contents,
        tuple(dict.fromkeys(metric for entry in entries for metric in entry.values)),
        entries,
        conditions,
        tuple(each.name for each in conditions if each.differs and each.name not in _OWN),
        _figure(entries),
    )


def _distinct(contents: Sequence[Content]) -> Iterator[Content]:
    """Yield the contents, those of studies of one name with a number each."""
    titles = [content.title for content in contents]
    for place, content in enumerate(contents):
        before = titles[:place].count(content.title)
        yield replace(content, title=f"{content.title} ({before + 1})") if before else content


def _entries(study: str, status: Status) -> Iterator[Entry]:
    if isinstance(status, BenchmarkStatus):
        for candidate in status.results:
            values = {name: _mean(each) for name, each in candidate.metrics.items()}
            yield Entry(study, candidate.candidate, _role(candidate.candidate, status), values)
        return
    best = status.best
    if best is None:
        return
    effects = {one.metric: one for one in (*best.gain, *best.others) if one.metric}
    reference = "baseline" if status.baseline_failure is None else f"trial {best.reference}"
    before = {name: _plain(one.baseline) for name, one in effects.items() if one.baseline is not None}
    yield Entry(study, reference, Role.BASELINE, before)
    if not default_is_best(status):
        found = {name: _gained(one, status) for name, one in effects.items() if one.value is not None}
        role = Role.VERIFIED if keeps_default(status) else Role.BEST
        yield Entry(study, f"trial {best.trial}", role, found)


def _role(candidate: str, status: BenchmarkStatus) -> Role:
    if candidate == status.winner:
        return Role.BEST
    return Role.BASELINE if candidate == status.baseline else Role.VERIFIED


def _mean(measured: MetricResult) -> Value:
    span = measured.interval
    if span is None:
        return _plain(measured.mean)
    detail = f"{precise(span.low)} to {precise(span.high)}"
    return Value(measured.mean, precise(measured.mean), detail, span.low, span.high)


def _plain(mean: float) -> Value:
    return Value(mean, precise(mean))


def _gained(effect: ReportedEffect, status: OptimizationStatus) -> Value:
    """Return the configuration's value with its gain, and the interval of that or what it rests on."""
    objective = any(effect.metric == each.metric for each in status.objectives)
    detail = f"{gain_text(effect)} ({interval_text(effect) or verdict(effect, objective=objective)})"
    value, baseline = effect.value or 0.0, effect.baseline or 0.0
    span = effect.absolute_interval
    most = 1.0 if find_metric(effect.metric or "").scale == "bounded" else float("inf")
    ends = (None, None) if span is None else (baseline + span.low, min(most, baseline + span.high))
    return Value(value, precise(value), detail, *ends)


def _conditions(contents: Sequence[Content]) -> Iterator[Condition]:
    known = [dict((*content.served, *content.machine)) for content in contents]
    for name in dict.fromkeys(name for facts in known for name in facts):
        values = tuple(facts.get(name, "") for facts in known)
        yield Condition(name, values, len(set(values)) > 1)


def _figure(entries: Sequence[Entry]) -> Figure | None:
    """Return quality against speed of all configurations, where two or more have both."""
    y_metric, x_metric = (max(names, key=lambda name: _count(entries, name)) for names in (QUALITIES, SPEEDS))
    shown = [entry for entry in entries if y_metric in entry.values and x_metric in entry.values]
    if len(shown) < _TWO:
        return None
    marks = [
        Point(
            _span(entry.values[x_metric]),
            _span(entry.values[y_metric]),
            entry.role,
            f"{entry.study}, {entry.title}: {y_metric} {entry.values[y_metric].text},"
            f" {x_metric} {entry.values[x_metric].text}",
            entry.study if entry.role is Role.BEST else "",
        )
        for entry in shown
    ]
    return Figure(
        "Quality against speed",
        "The baseline of each study and what it recommends; a line is an interval, where one was verified.",
        scatter(marks, axis_title(x_metric), axis_title(y_metric)),
        ("Study", "Configuration", y_metric, x_metric),
        tuple(
            (entry.study, entry.title, entry.values[y_metric].text, entry.values[x_metric].text)
            for entry in shown
        ),
    )


def _count(entries: Sequence[Entry], metric: str) -> int:
    return sum(metric in entry.values for entry in entries)


def _span(value: Value) -> Span:
    return (
        Span.of(value.mean)
        if value.low is None or value.high is None
        else Span(value.mean, value.low, value.high)
    )


def metric_titles(comparison: Comparison) -> tuple[Fact, ...]:
    """Return the metrics with their units, as titles of columns."""
    return tuple((metric, find_metric(metric).unit) for metric in comparison.metrics)
