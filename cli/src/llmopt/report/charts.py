"""Charts as data that the page lays out as inline SVG: no script, the page's own colours, sharp in print."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from llmopt.report.labels import Box, Line, Target, place_labels
from llmopt.report.marks import Span
from llmopt.report.scales import Axis, Bands, Tick, axis_of

LEFT, RIGHT, TOP, BOTTOM = 62, 446, 26, 262


class Role(StrEnum):
    """What a configuration, or a probe of one, is in a chart; each has a mark and a colour of its own."""

    TRIED = "tried"
    VERIFIED = "verified"
    BASELINE = "baseline"
    BEST = "best"
    KEPT = "kept"
    MISSED = "missed"
    STOPPED = "stopped"


# How far each mark reaches from its middle, as parts.html.j2 draws it.
REACH = {
    Role.TRIED: 4.0,
    Role.VERIFIED: 7.5,
    Role.BASELINE: 5.5,
    Role.BEST: 7.5,
    Role.KEPT: 5.5,
    Role.MISSED: 6.0,
    Role.STOPPED: 6.0,
}
ROLE_TITLES = {
    Role.TRIED: "tried",
    Role.VERIFIED: "verified",
    Role.BASELINE: "baseline",
    Role.BEST: "recommended",
    Role.KEPT: "enough kept the level",
    Role.MISSED: "too few did",
    Role.STOPPED: "too few did, stopped early",
}


@dataclass(frozen=True)
class Point:
    """A configuration with two values; `label` is written beside it, `title` shown when pointed at."""

    x: Span
    y: Span
    role: Role
    title: str
    label: str = ""


@dataclass(frozen=True)
class Mark:
    """A point as it is drawn, with the lines of its intervals: (x1, y1, x2, y2).

    `leader` joins the mark with a label that is not beside it.
    """

    x: float
    y: float
    role: str
    title: str
    label: str
    label_x: float
    label_y: float
    anchor: str
    intervals: tuple[Line, ...] = ()
    leader: Line | None = None


@dataclass(frozen=True)
class Chart:
    """A chart with two axes. `levels` are short horizontal lines: (x1, x2, y). `zeros` mark the baseline.

    `lines` join marks: (x1, y1, x2, y2). `asked` is what a value must reach: y, and what it is called. `band`
    is an interval on the x axis: where it begins, and how wide it is.
    """

    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    levels: tuple[tuple[float, float, float], ...] = ()
    zeros: tuple[float, float] | None = None
    roles: tuple[Role, ...] = field(default=())
    lines: tuple[Line, ...] = ()
    asked: tuple[float, str] | None = None
    band: tuple[float, float] | None = None


def scatter(points: Sequence[Point], x_label: str, y_label: str, *, zeros: bool = False) -> Chart:
    """Return a chart of `points`; `zeros`: both axes hold zero, which is marked."""
    x_values = [end for point in points for end in (point.x.low, point.x.high)]
    y_values = [end for point in points for end in (point.y.low, point.y.high)]
    origin = [0.0] if zeros else []
    x_axis = axis_of([*x_values, *origin], LEFT, RIGHT)
    y_axis = axis_of([*y_values, *origin], BOTTOM, TOP)
    ordered = sorted(points, key=lambda point: list(Role).index(point.role))
    return Chart(
        x_label,
        y_label,
        x_axis.ticks(),
        y_axis.ticks(),
        _labelled([_mark(point, x_axis, y_axis) for point in ordered]),
        zeros=(x_axis.place(0.0), y_axis.place(0.0)) if zeros else None,
        roles=tuple(role for role in Role if any(point.role is role for point in points)),
    )


@dataclass(frozen=True)
class Strip:
    """The values of one parameter in the trials that had one, with what they measured."""

    x: float | str
    y: float
    role: Role
    title: str


def strips(
    values: Sequence[Strip],
    x_label: str,
    y_label: str,
    *,
    log: bool,
    medians: Sequence[tuple[float | str, float]],
) -> Chart:
    """Return a chart of what was measured at each value of a parameter, numbers or words.

    `medians` are drawn as short lines.
    """
    numbers = [each.x for each in values if not isinstance(each.x, str)]
    y_axis = axis_of([each.y for each in values], BOTTOM, TOP)
    x_axis: Axis | Bands
    if len(numbers) == len(values):
        x_axis = axis_of(numbers, LEFT, RIGHT, log=log)
    else:
        x_axis = Bands(tuple(dict.fromkeys(str(value) for value, _ in medians)), LEFT, RIGHT)
    half = (RIGHT - LEFT) / max(12, 3 * len(medians))
    places = [(_placed(x_axis, value), y_axis.place(level)) for value, level in medians]
    return Chart(
        x_label,
        y_label,
        x_axis.ticks(),
        y_axis.ticks(),
        tuple(
            _drawn(_placed(x_axis, each.x), y_axis.place(each.y), each.role, each.title)
            for each in sorted(values, key=lambda each: list(Role).index(each.role))
        ),
        levels=tuple((max(LEFT, x - half), min(RIGHT, x + half), y) for x, y in places),
        roles=tuple(role for role in Role if any(each.role is role for each in values)),
    )


def _placed(axis: Axis | Bands, value: float | str) -> float:
    return axis.place(str(value)) if isinstance(axis, Bands) else axis.place(float(value))


def _mark(point: Point, x_axis: Axis, y_axis: Axis) -> Mark:
    x, y = x_axis.place(point.x.value), y_axis.place(point.y.value)
    intervals = []
    if point.x.low < point.x.high:
        intervals.append((x_axis.place(point.x.low), y, x_axis.place(point.x.high), y))
    if point.y.low < point.y.high:
        intervals.append((x, y_axis.place(point.y.low), x, y_axis.place(point.y.high)))
    return _drawn(x, y, point.role, point.title, point.label, tuple(intervals))


def _drawn(
    x: float,
    y: float,
    role: Role,
    title: str,
    label: str = "",
    intervals: tuple[Line, ...] = (),
) -> Mark:
    return Mark(x, y, role.value, title, label, x, y, "start", intervals)


def dot(x: float, y: float, role: Role, title: str) -> Mark:
    """Return a mark without a label, at a place of the chart."""
    return _drawn(x, y, role, title)


def _labelled(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return `marks`, each with the place of its label."""
    targets = [Target(mark.x, mark.y, REACH[Role(mark.role)], mark.label, mark.intervals) for mark in marks]
    places = place_labels(targets, Box(LEFT, TOP, RIGHT, BOTTOM))
    return tuple(
        replace(mark, label_x=place.x, label_y=place.y, anchor=place.anchor, leader=place.leader)
        if (place := places.get(number))
        else mark
        for number, mark in enumerate(marks)
    )
