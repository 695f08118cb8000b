"""Writes a surface from what was measured, in the form that `surfaces.recorded` reads."""

import csv
import json
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surfaces.recorded import DESCRIPTION, TRIALS, plain_name

from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Condition, SpaceParameter
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import StudyDefinition
from recording.journals import OK, Measurement, latest
from recording.plans import Plan
from recording.recipes import ENGINE, Recipe

# What a row holds beside the objectives and constraints, where it was measured.
SHOWN_METRICS = (
    "good_answers_per_second",
    "accuracy",
    "output_tokens_per_second",
    "requests_per_second",
    "ttft_ms_p50",
    "e2e_ms_p50",
    "e2e_ms_p95",
    "peak_memory_mib",
)
# Noise cannot be estimated from one measurement.
FEWEST_REPEATS = 2
_DIGITS = 6


@dataclass(frozen=True)
class Row:
    """One configuration over its repeats: means, and the relative standard deviation of each metric."""

    parameters: Mapping[str, Value]
    state: str
    repeats: int
    metrics: Mapping[str, float]
    noise: Mapping[str, float]
    seconds: float | None
    start_seconds: float | None


def rows(plan: Plan, measurements: Sequence[Measurement]) -> Iterator[Row]:
    """Yield the configurations of `plan` that were measured often enough, in its order."""
    counted = latest(measurements)
    starts = _start_seconds(counted)
    places = {(each.engine, each.request) for each in counted}
    for engine, request in sorted(places):
        mine = [each for each in counted if (each.engine, each.request) == (engine, request)]
        if len(mine) >= FEWEST_REPEATS:
            yield _row(plan.configuration(engine, request), mine, starts.get(engine))


def write_folder(
    folder: Path, recipe: Recipe, plan: Plan, measurements: Sequence[Measurement], origin: str
) -> int:
    """Write `surface.json` and `trials.csv` into `folder`; return the number of rows."""
    found = list(rows(plan, measurements))
    folder.mkdir(parents=True, exist_ok=True)
    document = description(recipe, plan, origin, counted_text(measurements, found))
    (folder / DESCRIPTION).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    with (folder / TRIALS).open("w", encoding="utf-8", newline="") as lines:
        table = csv.writer(lines, lineterminator="\n")
        table.writerows(_table(plan, found))
    return len(found)


def description(recipe: Recipe, plan: Plan, origin: str, counted: str) -> dict[str, Any]:
    """Return `surface.json`; `counted` says what was measured how often."""
    definition = define_study(recipe.resource)
    return {
        "name": recipe.name,
        "origin": origin,
        "licence": "Apache-2.0",
        "note": f"{recipe.note}; {counted}",
        "complete": False,
        "start_seconds": "start_seconds",
        "parameters": [_parameter(each) for each in plan.space.parameters],
        "objectives": [
            {"metric": each.metric, "goal": each.direction, "weight": f"{each.weight:g}"}
            for each in definition.objectives
        ],
        "constraints": _constraints(definition),
    }


def counted_text(measurements: Sequence[Measurement], found: Sequence[Row]) -> str:
    """Return in words how many measurements the rows come from, and how they fared."""
    kept = latest(measurements)
    starts = sum(each.start_seconds is not None for each in measurements)
    repeats = Counter(row.repeats for row in found)
    often = ", ".join(f"{count} of {times} repeats" for times, count in sorted(repeats.items(), reverse=True))
    states = Counter(row.state for row in found)
    failed = ", ".join(f"{count} {state}" for state, count in sorted(states.items()) if state != OK)
    disturbed = sum(each.disturbed for each in kept)
    return (
        f"rows: {often}, each from its own start ({starts} starts, {len(measurements)} measurements);"
        f" failed rows: {failed or 'none'}; measured again because others took the processor:"
        f" {len(measurements) - len(kept)}, still disturbed: {disturbed}"
    )


def _start_seconds(measurements: Iterable[Measurement]) -> dict[int, float]:
    """Return the mean of the starts of each engine configuration."""
    seconds: dict[int, list[float]] = {}
    for each in measurements:
        if each.start_seconds is not None:
            seconds.setdefault(each.engine, []).append(each.start_seconds)
    return {engine: statistics.fmean(values) for engine, values in seconds.items()}


def _row(parameters: Mapping[str, Value], mine: Sequence[Measurement], start: float | None) -> Row:
    worked = [each for each in mine if each.state == OK]
    if 2 * len(worked) < len(mine):
        state = Counter(each.state for each in mine if each.state != OK).most_common(1)[0][0]
        return Row(parameters, state, len(mine), {}, {}, None, start)
    names = [name for name in worked[0].metrics if all(name in each.metrics for each in worked)]
    values = {name: [each.metrics[name] for each in worked] for name in names}
    return Row(
        parameters,
        OK,
        len(worked),
        {name: statistics.fmean(values[name]) for name in names},
        {name: relative_spread(values[name]) for name in names},
        statistics.fmean(each.seconds for each in worked),
        start,
    )


def relative_spread(values: Sequence[float]) -> float:
    """Return the standard deviation (n - 1) as a share of the mean; 0 where it cannot be estimated."""
    mean = statistics.fmean(values)
    return statistics.stdev(values) / abs(mean) if len(values) > 1 and mean else 0.0


def _table(plan: Plan, found: Sequence[Row]) -> Iterator[list[str]]:
    names = plan.space.names()
    measured = {name for row in found for name in row.metrics}
    metrics = [name for name in SHOWN_METRICS if name in measured]
    noises = [f"{name}_cv" for name in metrics]
    yield [*map(plain_name, names), *metrics, *noises, "seconds", "start_seconds", "repeats", "state"]
    for row in found:
        yield [
            *(_text(row.parameters.get(name)) for name in names),
            *(_text(row.metrics.get(name)) for name in metrics),
            *(_text(row.noise.get(name)) for name in metrics),
            _text(row.seconds),
            _text(row.start_seconds),
            str(row.repeats),
            row.state,
        ]


def _text(value: Value | None) -> str:
    if value is None:
        return ""
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)


def _parameter(parameter: SpaceParameter) -> dict[str, Any]:
    group = "engine" if parameter.name.startswith(ENGINE) else "request"
    document: dict[str, Any] = {"name": plain_name(parameter.name), "group": group, **_dimension(parameter)}
    if parameter.when:
        document["when"] = [_condition(each) for each in parameter.when]
    return document


def _dimension(parameter: SpaceParameter) -> dict[str, Any]:
    dimension = parameter.dimension
    if isinstance(dimension, ChoiceDimension):
        return {"kind": "categorical", "choices": list(dimension.choices)}
    kind = "int" if isinstance(dimension.low, int) else "float"
    document = {"kind": kind, "low": dimension.low, "high": dimension.high, "log": dimension.log}
    return document if dimension.step is None else {**document, "step": dimension.step}


def _condition(condition: Condition) -> dict[str, Any]:
    document: dict[str, Any] = {"parameter": plain_name(condition.name)}
    if condition.among is not None:
        document["in"] = list(condition.among)
    if condition.above is not None:
        document["above"] = condition.above
    if condition.below is not None:
        document["below"] = condition.below
    return document


def _constraints(definition: StudyDefinition) -> list[dict[str, Any]]:
    return [
        {
            "metric": each.metric,
            **({} if each.minimum is None else {"min": each.minimum}),
            **({} if each.maximum is None else {"max": each.maximum}),
        }
        for each in definition.constraints
    ]
