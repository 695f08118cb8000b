"""The curves of searches for the highest load, each a figure on axes that all of them share."""

from collections.abc import Sequence
from itertools import pairwise

from llmopt.report.charts import BOTTOM, LEFT, RIGHT, TOP, Chart, Role, dot
from llmopt.report.figures import Figure
from llmopt.report.scales import Axis, axis_of
from llmopt_core.resources.status import ReportedCurve, ReportedProbe
from llmopt_core.results.load_curves import level_text, load_text, probe_verdict, share_kept, unit_of
from llmopt_core.results.numbers import number

_PERCENT = 100
_ROLES = {"kept": Role.KEPT, "not kept": Role.MISSED, "stopped early": Role.STOPPED}


def load_figures(searches: Sequence[ReportedCurve]) -> tuple[Figure, ...]:
    """Return a figure for each of `searches`."""
    if not searches:
        return ()
    loads = [probe.load for search in searches for probe in search.probes]
    shares = [_percent(probe) for search in searches for probe in search.probes]
    asked = [search.attainment * _PERCENT for search in searches]
    x_axis = axis_of(loads, LEFT, RIGHT, log=True)
    y_axis = axis_of([*shares, *asked, 100.0], BOTTOM, TOP)
    return tuple(_figure(search, x_axis, y_axis) for search in searches)


def _figure(search: ReportedCurve, x_axis: Axis, y_axis: Axis) -> Figure:
    name = search.name if search.name != "best" else f"best (trial {search.trial})"
    return Figure(
        f"{name[:1].upper()}{name[1:]}: {load_text(search)}",
        f"Each mark is a probe at one load. The highest load is that at which {level_text(search)}.",
        _chart(search, x_axis, y_axis),
        (unit_of(search), "Kept the level", "Latency / bound", "Answered per second", "Probe"),
        tuple(_row(probe, search.attainment) for probe in search.probes),
    )


def _chart(search: ReportedCurve, x_axis: Axis, y_axis: Axis) -> Chart:
    places = [(x_axis.place(probe.load), y_axis.place(_percent(probe))) for probe in search.probes]
    marks = [
        dot(x, y, _ROLES[probe_verdict(probe, search.attainment)], _probe_text(probe, search))
        for (x, y), probe in zip(places, search.probes, strict=True)
    ]
    end = RIGHT if search.high is None else x_axis.place(search.high)
    start = x_axis.place(search.low) if search.low > 0 else float(LEFT)
    return Chart(
        f"load ({unit_of(search)})",
        "requests within the service level (%)",
        x_axis.ticks(),
        y_axis.ticks(),
        tuple(marks),
        roles=tuple(role for role in Role if any(mark.role == role.value for mark in marks)),
        lines=tuple((*one, *other) for one, other in pairwise(places)),
        asked=(y_axis.place(search.attainment * _PERCENT), f"{search.attainment * _PERCENT:g} % asked for"),
        band=(start, round(end - start, 1)),
    )


def _percent(probe: ReportedProbe) -> float:
    return share_kept(probe) * _PERCENT


def _probe_text(probe: ReportedProbe, search: ReportedCurve) -> str:
    kept = f"{probe.kept} of {probe.requests} kept the level"
    return f"{number(probe.load)} {unit_of(search)}: {kept}, {probe_verdict(probe, search.attainment)}"


def _row(probe: ReportedProbe, attainment: float) -> tuple[str, ...]:
    return (
        number(probe.load),
        f"{probe.kept} of {probe.requests}",
        number(probe.strain),
        number(probe.per_second),
        probe_verdict(probe, attainment),
    )
