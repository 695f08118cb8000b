"""A recorded surface: a folder with `surface.json` and `trials.csv`, read and checked."""

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from llmopt_core.sampling.observations import Problem
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    Dimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition

DESCRIPTION = "surface.json"
TRIALS = "trials.csv"
_PREFIX = {"engine": "engine", "request": "sampling"}
_DIRECTIONS = {"maximize": "maximize", "minimize": "minimize"}


class SurfaceInvalid(ValueError):
    """A folder is no recorded surface; the message names the file, the field and what is expected."""

    def __init__(self, file: Path, place: str, expected: str) -> None:
        super().__init__(f"{file}: {place}: expected {expected}")


@dataclass(frozen=True)
class Row:
    """One recorded configuration.

    `parameters` are the active ones by full name, `noise` the relative standard deviation of a metric where
    it was recorded. `start_seconds` is None where it was not recorded. A row that does not work has no
    metrics.
    """

    parameters: Mapping[str, Value]
    works: bool
    metrics: Mapping[str, float]
    noise: Mapping[str, float]
    seconds: float
    start_seconds: float | None


@dataclass(frozen=True)
class Surface:
    """What was recorded, and the question that is asked of it.

    `complete`: every configuration that exists has a row. `problem` names an engine parameter `engine.NAME`
    and any other `sampling.NAME`.
    """

    name: str
    origin: str
    licence: str
    problem: Problem
    complete: bool
    records_starts: bool
    rows: tuple[Row, ...]


def load_surface(folder: Path) -> Surface:
    """Return the surface of `folder`; raises SurfaceInvalid."""
    fields = _Fields.of(folder / DESCRIPTION)
    problem = _problem(fields)
    start_column = fields.optional_text("start_seconds")
    rows = tuple(_Table(folder / TRIALS, problem, start_column).rows())
    return Surface(
        name=fields.optional_text("name") or folder.resolve().name,
        origin=fields.optional_text("origin") or "",
        licence=fields.optional_text("licence") or "",
        problem=problem,
        complete=fields.flag("complete"),
        records_starts=start_column is not None,
        rows=rows,
    )


@dataclass(frozen=True)
class _Fields:
    """One object of a JSON document, which says where it stands when a field is wrong."""

    file: Path
    place: str
    content: Mapping[str, Any]

    @classmethod
    def of(cls, file: Path) -> "_Fields":
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise SurfaceInvalid(file, "file", f"a readable file ({error.strerror})") from error
        except ValueError as error:
            raise SurfaceInvalid(file, "file", f"a JSON document ({error})") from error
        if not isinstance(content, dict):
            raise SurfaceInvalid(file, "document", "an object")
        return cls(file, "", content)

    def fault(self, name: str, expected: str) -> SurfaceInvalid:
        place = f"{self.place}.{name}" if self.place else name
        found = (
            f", found {json.dumps(self.content[name])[:80]}" if name in self.content else ", found nothing"
        )
        return SurfaceInvalid(self.file, place, expected + found)

    def text(self, name: str) -> str:
        if not isinstance(value := self.content.get(name), str) or not value:
            raise self.fault(name, "a text")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self.content.get(name) is None else self.text(name)

    def one_of(self, name: str, known: Sequence[str]) -> str:
        if (value := self.content.get(name)) not in known:
            raise self.fault(name, f"one of {', '.join(known)}")
        return cast("str", value)

    def flag(self, name: str, *, default: bool | None = None) -> bool:
        value = default if self.content.get(name) is None else self.content[name]
        if not isinstance(value, bool):
            raise self.fault(name, "true or false")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """Return a finite number, which may be written as text."""
        value = default if self.content.get(name) is None else self.content[name]
        number = None if isinstance(value, bool) else _finite(value)
        if number is None:
            raise self.fault(name, "a number")
        return number

    def whole(self, name: str, default: int | None = None) -> int:
        if (value := self.number(name, default)) != int(value):
            raise self.fault(name, "a whole number")
        return int(value)

    def parts(self, name: str, *, least: int = 0) -> "Iterator[_Fields]":
        """Yield the objects of the list `name`, which has at least `least` of them; without it, none."""
        entries = [] if self.content.get(name) is None else self.content[name]
        objects = isinstance(entries, list) and all(isinstance(each, dict) for each in entries)
        if not objects or len(entries) < least:
            raise self.fault(name, f"a list of at least {least} objects")
        for index, entry in enumerate(entries):
            place = f"{self.place}.{name}" if self.place else name
            yield _Fields(self.file, f"{place}[{index}]", entry)


def _finite(value: object) -> float | None:
    try:
        number = float(cast("Any", value))
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _problem(fields: _Fields) -> Problem:
    parameters: list[SpaceParameter] = []
    for part in fields.parts("parameters", least=1):
        parameters.append(_parameter(part, parameters))
    return Problem(
        space=SearchSpace(tuple(parameters)),
        engine_parameters=frozenset(each.name for each in parameters if each.name.startswith("engine.")),
        objectives=tuple(_objective(part) for part in fields.parts("objectives", least=1)),
        constraints=tuple(_constraint(part) for part in fields.parts("constraints")),
    )


def _parameter(part: _Fields, before: Sequence[SpaceParameter]) -> SpaceParameter:
    name = f"{_PREFIX[part.one_of('group', tuple(_PREFIX))]}.{part.text('name')}"
    if plain_name(name) in {plain_name(each.name) for each in before}:
        raise part.fault("name", "a name that no other parameter has")
    kind = part.one_of("kind", tuple(_KINDS))
    return SpaceParameter(
        name, _KINDS[kind](part), tuple(_condition(each, before) for each in part.parts("when"))
    )


def _choices(part: _Fields) -> Dimension:
    choices = part.content.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(each, Value) for each in choices):
        raise part.fault("choices", "a list of texts, numbers or booleans")
    if len({str(each) for each in choices}) < len(choices):
        raise part.fault("choices", "different choices")
    return ChoiceDimension(tuple(choices))


def _whole_numbers(part: _Fields) -> Dimension:
    log = part.flag("log", default=False)
    dimension = IntDimension(part.whole("low"), part.whole("high"), part.whole("step", 1), log)
    _check_bounds(part, dimension.low, dimension.high, log=log)
    return dimension


def _real_numbers(part: _Fields) -> Dimension:
    log = part.flag("log", default=False)
    step = None if part.content.get("step") is None else part.number("step")
    dimension = FloatDimension(part.number("low"), part.number("high"), step, log)
    _check_bounds(part, dimension.low, dimension.high, log=log)
    return dimension


def _check_bounds(part: _Fields, low: float, high: float, *, log: bool) -> None:
    if low > high:
        raise part.fault("high", f"a number from {low:g} on, the value of low")
    if log and low <= 0:
        raise part.fault("low", "a number above 0, since log is true")
    if part.content.get("step") is not None and part.number("step") <= 0:
        raise part.fault("step", "a number above 0")


_KINDS: Mapping[str, Callable[[_Fields], Dimension]] = {
    "categorical": _choices,
    "int": _whole_numbers,
    "float": _real_numbers,
}


def _condition(part: _Fields, before: Sequence[SpaceParameter]) -> Condition:
    full = {plain_name(each.name): each.name for each in before}
    if (name := part.text("parameter")) not in full:
        raise part.fault("parameter", "the name of an earlier parameter")
    among = part.content.get("in")
    if among is not None and not isinstance(among, list):
        raise part.fault("in", "a list of values")
    return Condition(
        full[name],
        None if among is None else tuple(among),
        None if part.content.get("above") is None else part.number("above"),
        None if part.content.get("below") is None else part.number("below"),
    )


def _objective(part: _Fields) -> ObjectiveDefinition:
    direction = cast("Literal['maximize', 'minimize']", part.one_of("goal", tuple(_DIRECTIONS)))
    if (weight := part.number("weight", 1.0)) <= 0:
        raise part.fault("weight", "a number above 0")
    return ObjectiveDefinition(part.text("metric"), direction, weight)


def _constraint(part: _Fields) -> ConstraintDefinition:
    bounds = {name: part.number(name) for name in ("min", "max") if part.content.get(name) is not None}
    if len(bounds) != 1:
        raise part.fault("max", "exactly one of min and max")
    return ConstraintDefinition(part.text("metric"), bounds.get("min"), bounds.get("max"))


def plain_name(full_name: str) -> str:
    """Return the name of a parameter without its group."""
    return full_name.partition(".")[2]


class _Table:
    """The rows of `trials.csv`."""

    def __init__(self, file: Path, problem: Problem, start_column: str | None) -> None:
        self._file = file
        self._problem = problem
        self._start_column = start_column
        metrics = [each.metric for each in problem.objectives]
        metrics += [each.metric for each in problem.constraints]
        self._metrics = tuple(dict.fromkeys(metrics))

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order; at least one must have worked."""
        try:
            with self._file.open(encoding="utf-8-sig", newline="") as lines:
                table = csv.DictReader(lines)
                self._check_header(table.fieldnames or ())
                rows = [self._row(table.line_num, cells) for cells in table]
        except OSError as error:
            raise SurfaceInvalid(self._file, "file", f"a readable file ({error.strerror})") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise SurfaceInvalid(self._file, "file", f"CSV in UTF-8 ({error})") from error
        if not any(row.works for row in rows):
            raise SurfaceInvalid(self._file, "column state", "at least one row with the state ok")
        yield from rows

    def _check_header(self, header: Sequence[str]) -> None:
        parameters = [plain_name(name) for name in self._problem.space.names()]
        start = [] if self._start_column is None else [self._start_column]
        for column in (*parameters, *self._metrics, "seconds", *start, "state"):
            if column not in header:
                raise SurfaceInvalid(self._file, "header", f"a column {column}")

    def _row(self, line: int, cells: Mapping[str, str | None]) -> Row:
        if not (state := (cells["state"] or "").strip()):
            raise SurfaceInvalid(self._file, f"line {line}, column state", "ok, or how the trial failed")
        works = state == "ok"
        noise = {metric: self._number(line, cells, f"{metric}_cv", needed=False) for metric in self._metrics}
        return Row(
            parameters=self._parameters(line, cells),
            works=works,
            metrics={name: self._number(line, cells, name) for name in self._metrics} if works else {},
            noise={name: value for name, value in noise.items() if value > 0 and works},
            seconds=self._seconds(line, cells, "seconds", needed=works),
            start_seconds=self._seconds(line, cells, self._start_column, needed=works)
            if self._start_column and cells[self._start_column]
            else None,
        )

    def _parameters(self, line: int, cells: Mapping[str, str | None]) -> dict[str, Value]:
        """Return the active parameters; an empty cell is one that is not active."""
        values: dict[str, Value] = {}
        for parameter in self._problem.space.parameters:
            text = (cells[plain_name(parameter.name)] or "").strip()
            if not text or not parameter.active(values):
                continue
            value = _parsed(parameter.dimension, text)
            if value is None:
                place = f"line {line}, column {plain_name(parameter.name)}"
                raise SurfaceInvalid(self._file, place, f"{_range(parameter.dimension)}, found {text[:80]!r}")
            values[parameter.name] = value
        return values

    def _number(
        self, line: int, cells: Mapping[str, str | None], column: str, *, needed: bool = True
    ) -> float:
        text = (cells.get(column) or "").strip()
        if not text and not needed:
            return 0.0
        if (number := _finite(text)) is None:
            raise SurfaceInvalid(
                self._file, f"line {line}, column {column}", f"a number, found {text[:80]!r}"
            )
        return number

    def _seconds(self, line: int, cells: Mapping[str, str | None], column: str, *, needed: bool) -> float:
        if (seconds := self._number(line, cells, column, needed=needed)) < 0:
            raise SurfaceInvalid(self._file, f"line {line}, column {column}", "seconds from 0 on")
        return seconds


def _parsed(dimension: Dimension, text: str) -> Value | None:
    """Return the value of `dimension` that `text` stands for, None where there is none."""
    if isinstance(dimension, ChoiceDimension):
        return next((choice for choice in dimension.choices if _is_written(choice, text)), None)
    number = _finite(text)
    if number is None or (isinstance(dimension, IntDimension) and number != int(number)):
        return None
    return dimension.settled(int(number) if isinstance(dimension, IntDimension) else number)


def _is_written(choice: Value, text: str) -> bool:
    if isinstance(choice, bool):
        return text.lower() == str(choice).lower()
    return str(choice) == text or (not isinstance(choice, str) and choice == _finite(text))


def _range(dimension: Dimension) -> str:
    if isinstance(dimension, ChoiceDimension):
        return "one of " + ", ".join(str(choice) for choice in dimension.choices)
    return f"a number from {dimension.low:g} to {dimension.high:g}, as surface.json declares it"
