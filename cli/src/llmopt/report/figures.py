"""The figures of a search: each a chart, a sentence that says what it shows, and its numbers as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from llmopt.report.charts import Chart, Point, Role, Strip, scatter, strips
from llmopt.report.marks import Span
from llmopt.report.measured_points import (
    Tried,
    axis_title,
    latency_and_throughput,
    points,
    quality_and_speed,
    thinned,
)
from llmopt_core.engines.registry import declaration_of
from llmopt_core.metrics.catalog import change_text, find_metric
from llmopt_core.resources.status import OptimizationStatus, ReportedEffect
from llmopt_core.results.numbers import number, value_text, value_texts
from llmopt_core.results.wording import keeps_default, reference_title
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import SearchSpace

_TWO = 2
_FEWEST_POINTS = 3
# Of each figure, and of what its tables show of a parameter: a report of any study stays small.
_MOST_MARKS, _MOST_ROWS = 250, 12
_MOST_PARAMETERS, _LEAST_SHARE = 4, 0.05
# More distinct numbers have no line for their medians.
_MOST_MEDIANS = 8
_PERCENT = 100


@dataclass(frozen=True)
class Figure:
    """A chart with its title, what it shows in words, and its numbers: column titles, then rows."""

    title: str
    text: str
    chart: Chart
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tradeoff(status: OptimizationStatus) -> Figure | None:
    """Return the verified gains in two objectives against each other, with their intervals."""
    shown = [choice for choice in status.choices if len(choice.gain) >= _TWO]
    if not shown:
        return None
    y_metric, x_metric = (effect.metric or "" for effect in shown[0].gain[:_TWO])
    over = reference_title(status)
    best = None if keeps_default(status) or status.best is None else status.best.trial
    marks = [Point(Span.of(0.0), Span.of(0.0), Role.BASELINE, over, over.removeprefix("the "))]
    for choice in shown:
        y, x = choice.gain[:_TWO]
        role = Role.BEST if choice.trial == best else Role.VERIFIED
        label = f"trial {choice.trial}: {y_metric} {_interval(y)}, {x_metric} {_interval(x)}"
        marks.append(Point(_percents(x), _percents(y), role, label, f"trial {choice.trial}"))
    return Figure(
        "The trade-off",
        f"Verified gains over {over} in both objectives; a line is the interval of a gain.",
        scatter(marks, _gain_title(shown[0].gain[1]), _gain_title(shown[0].gain[0]), zeros=True),
        ("Configuration", f"Gain in {y_metric}", f"Gain in {x_metric}"),
        tuple((f"trial {each.trial}", *(_interval(one) for one in each.gain[:_TWO])) for each in shown),
    )


def _gain_title(effect: ReportedEffect) -> str:
    metric = find_metric(effect.metric or "")
    unit = "%" if effect.scale == "ratio" else metric.unit
    better = "right" if metric.direction == "maximize" else "left"
    return f"gain in {metric.name} ({unit}{'' if better == 'right' else ', less is better'})"


def _percents(effect: ReportedEffect) -> Span:
    factor = _PERCENT if effect.scale == "ratio" else 1
    span = effect.change_interval
    ends = (effect.change, effect.change) if span is None else (span.low, span.high)
    return Span(effect.change * factor, ends[0] * factor, ends[1] * factor)


def _interval(effect: ReportedEffect) -> str:
    span, scale = effect.change_interval, effect.scale
    text = change_text(effect.change, scale)
    if span is None:
        return text
    return f"{text} ({change_text(span.low, scale)} to {change_text(span.high, scale)})"


def measured_figures(found: Sequence[Tried], objectives: Sequence[str]) -> Iterator[Figure]:
    """Yield quality against speed, and throughput against latency, where enough was measured."""
    axes = quality_and_speed(found, objectives)
    if axes is not None:
        yield from _scattered(found, axes, "Quality against speed")
    latency = latency_and_throughput(found)
    if latency is not None and latency != axes:
        yield from _scattered(found, latency, "Throughput against latency")


def _scattered(found: Sequence[Tried], axes: tuple[str, str], title: str) -> Iterator[Figure]:
    y_metric, x_metric = axes
    both = [each for each in found if x_metric in each.metrics and y_metric in each.metrics]
    if len(both) < _FEWEST_POINTS:
        return
    shown = thinned(both, _MOST_MARKS)
    drawn = list(points(shown, y_metric, x_metric))
    which = (
        f"one of {len(both)}" if len(shown) == len(both) else f"one of {len(shown)}, of {len(both)} in all,"
    )
    yield Figure(
        title,
        f"Each mark is {which} configurations as the search measured it once. Only repeats verify a gain.",
        scatter(drawn, axis_title(x_metric), axis_title(y_metric)),
        ("Trial", y_metric, x_metric, "Parameters"),
        tuple(
            (
                str(each.number),
                number(each.metrics[y_metric]),
                number(each.metrics[x_metric]),
                value_texts(each.parameters, " = ") or "baseline",
            )
            for each in sorted(shown, key=lambda each: each.number)
        ),
    )


def parameter_figures(
    found: Sequence[Tried],
    shares: Mapping[str, Mapping[str, float]],
    space: SearchSpace,
    engine: str,
) -> Iterator[Figure]:
    """Yield the effect of the few parameters that explain most, each on the objective that it explains best.

    `shares` is how much of the differences each parameter explains, by objective.
    """
    best: dict[str, tuple[float, str]] = {}
    for metric, explained in shares.items():
        for name, share in explained.items():
            best[name] = max(best.get(name, (0.0, metric)), (share, metric))
    few = sorted(best.items(), key=lambda each: -each[1][0])[:_MOST_PARAMETERS]
    for name, (share, metric) in few:
        values = [each for each in found if name in each.configuration and metric in each.metrics]
        if share >= _LEAST_SHARE and len(values) >= _FEWEST_POINTS:
            yield _parameter_figure(name, metric, share, values, space, engine)


def _parameter_figure(
    name: str, metric: str, share: float, values: Sequence[Tried], space: SearchSpace, engine: str
) -> Figure:
    measured = _by_value([(each.configuration[name], each.metrics[metric]) for each in values])
    medians = [(value, median(each)) for value, each in measured.items()]
    is_number = all(not isinstance(value, bool | str) for value, _ in medians)
    log = any(each.name == name and getattr(each.dimension, "log", False) for each in space.parameters)
    chart = strips(
        [
            Strip(_on_axis(each.configuration[name]), each.metrics[metric], each.role, each.text)
            for each in thinned(values, _MOST_MARKS)
        ],
        name,
        axis_title(metric),
        log=log,
        medians=[(_on_axis(value), level) for value, level in medians]
        if not is_number or len(medians) <= min(_MOST_MEDIANS, len(values) // _TWO)
        else [],
    )
    return Figure(
        name,
        f"{_meaning(name, engine)}It explains about {share:.0%} of the differences in {metric}.".replace(
            "%", " %"
        ),
        chart,
        (name, f"median {metric}", "trials"),
        tuple(_table([(each.configuration[name], each.metrics[metric]) for each in values])),
    )


def _table(values: Sequence[tuple[Value, float]]) -> Iterator[tuple[str, str, str]]:
    """Yield what was measured at each value, or where there are many numbers, in ranges of as many trials."""
    by_value = _by_value(values)
    numbers = [value for value in by_value if not isinstance(value, bool | str)]
    if len(by_value) <= _MOST_ROWS or len(numbers) < len(by_value):
        for value, measured in by_value.items():
            yield value_text(value), number(median(measured)), str(len(measured))
        return
    size = -(-len(values) // _MOST_ROWS)
    ordered = sorted(values, key=lambda each: each[0])
    for part in (ordered[start : start + size] for start in range(0, len(ordered), size)):
        ends = f"{value_text(part[0][0])} to {value_text(part[-1][0])}"
        yield ends, number(median(measured for _, measured in part)), str(len(part))


def _on_axis(value: Value) -> float | str:
    return value_text(value) if isinstance(value, bool | str) else value


def _by_value(values: Sequence[tuple[Value, float]]) -> dict[Value, list[float]]:
    """Return what was measured at each value, in the order of the values."""
    found: dict[Value, list[float]] = {}
    for value, measured in sorted(values, key=lambda each: (isinstance(each[0], str), each[0])):
        found.setdefault(value, []).append(measured)
    return found


def _meaning(name: str, engine: str) -> str:
    """Return what the engine says that the parameter is, as the start of a sentence."""
    declaration = declaration_of(engine) if engine else None
    known = None if declaration is None else declaration.parameters.get(name)
    if known is None or not known.meaning:
        return ""
    return f"{known.meaning[0].upper()}{known.meaning[1:].rstrip('.')}. "
