"""Reading recorded surfaces: what is accepted, and what is said of a folder that is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes.recorded_surfaces import DESCRIPTION, TRIALS, write_surface
from surfaces.recorded import SurfaceInvalid, load_surface

from llmopt_core.search.spaces import ChoiceDimension, FloatDimension, IntDimension


def test_a_surface_has_its_question_and_its_rows(tmp_path: Path) -> None:
    """Parameters get full names by group, cells become values of their parameter, and cv becomes noise."""
    surface = load_surface(write_surface(tmp_path))
    assert surface.name == "made"
    assert surface.problem.space.names() == ("engine.slots", "engine.cache", "sampling.load")
    assert surface.problem.engine_parameters == {"engine.slots", "engine.cache"}
    assert surface.problem.constraints[0].maximum == 20.0
    first, last = surface.rows[0], surface.rows[-1]
    assert first.parameters == {"engine.slots": 1, "engine.cache": "f16", "sampling.load": 4}
    assert (first.metrics, first.noise) == ({"speed": 100.0, "delay": 10.0}, {"speed": 0.01})
    assert (first.seconds, first.start_seconds) == (10.0, 30.0)
    assert not last.works
    assert not last.metrics


def test_ranges_are_read_by_kind(tmp_path: Path) -> None:
    """An int and a float have their bounds and scale, as numbers or as text."""
    parameters = [
        {"name": "slots", "group": "engine", "kind": "int", "low": 1, "high": "8", "log": True},
        {"name": "cache", "group": "engine", "kind": "categorical", "choices": ["f16", "q8"]},
        {"name": "load", "group": "request", "kind": "float", "low": 0.5, "high": 16},
    ]
    space = load_surface(write_surface(tmp_path, parameters=parameters)).problem.space
    assert [each.dimension for each in space.parameters] == [
        IntDimension(1, 8, log=True),
        ChoiceDimension(("f16", "q8")),
        FloatDimension(0.5, 16.0),
    ]


def test_an_empty_cell_is_a_parameter_that_is_not_active(tmp_path: Path) -> None:
    """A row has only the parameters that it was measured with."""
    surface = load_surface(write_surface(tmp_path, trials=TRIALS.replace("1,f16,4,", "1,,4,")))
    assert surface.rows[0].parameters == {"engine.slots": 1, "sampling.load": 4}


def test_a_condition_names_an_earlier_parameter(tmp_path: Path) -> None:
    """A parameter with conditions is read only where they hold."""
    parameters = json.loads(json.dumps(DESCRIPTION["parameters"]))
    parameters[1]["when"] = [{"parameter": "slots", "in": [2]}]
    surface = load_surface(write_surface(tmp_path, parameters=parameters))
    assert "engine.cache" not in surface.rows[0].parameters
    assert surface.rows[2].parameters["engine.cache"] == "f16"


def test_null_is_the_same_as_a_field_that_is_not_there(tmp_path: Path) -> None:
    """Programs that write every field write null for what a surface does not have."""
    parameters = [
        {"name": "slots", "group": "engine", "kind": "int", "low": 1, "high": 8, "log": None, "step": None},
        {"name": "cache", "group": "engine", "kind": "categorical", "choices": ["f16", "q8"], "when": None},
        {"name": "load", "group": "request", "kind": "float", "low": 4, "high": 8, "log": None, "step": None},
    ]
    objectives = [{"metric": "speed", "goal": "maximize", "weight": None}]
    folder = write_surface(tmp_path, parameters=parameters, objectives=objectives, constraints=None)
    problem = load_surface(folder).problem
    assert problem.constraints == ()
    assert problem.objectives[0].weight == 1.0
    assert problem.space.parameters[0].dimension == IntDimension(1, 8)


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document.pop(name)


def _set(value: Any, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_without("parameters"), "parameters: expected a list of at least 1 objects"),
        (_without("complete"), "complete: expected true or false"),
        (_set("yes", "complete"), "complete: expected true or false"),
        (_set("server", "parameters", 0, "group"), "parameters[0].group: expected one of engine, request"),
        (
            _set("enum", "parameters", 1, "kind"),
            "parameters[1].kind: expected one of categorical, int, float",
        ),
        (_set([], "parameters", 1, "choices"), "parameters[1].choices: expected a list of texts"),
        (_set("slots", "parameters", 1, "name"), "parameters[1].name: expected a name that no other"),
        (_set("up", "objectives", 0, "goal"), "objectives[0].goal: expected one of maximize, minimize"),
        (_set("0", "objectives", 0, "weight"), "objectives[0].weight: expected a number above 0"),
        (
            _set({"metric": "delay"}, "constraints", 0),
            "constraints[0].max: expected exactly one of min and max",
        ),
        (_set(5, "start_seconds"), "start_seconds: expected a text"),
        (_set("began", "start_seconds"), "trials.csv: header: expected a column began"),
        (_set("size", "parameters", 2, "name"), "trials.csv: header: expected a column size"),
        (_set([1, 3], "parameters", 0, "choices"), "trials.csv: line 4, column slots: expected one of 1, 3"),
    ],
)
def test_a_wrong_description_is_named(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], place: str
) -> None:
    """The one message has the file, the field and what is expected."""
    document = json.loads(json.dumps(DESCRIPTION))
    change(document)
    with pytest.raises(SurfaceInvalid) as caught:
        load_surface(write_surface(tmp_path, **document, only_given=True))
    assert place in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("100,10,0.01", "fast,10,0.01", "line 2, column speed: expected a number, found 'fast'"),
        ("100,10,0.01", "nan,10,0.01", "line 2, column speed: expected a number, found 'nan'"),
        ("100,10,0.01", "100,,0.01", "line 2, column delay: expected a number"),
        ("10,30,ok", "-1,30,ok", "line 2, column seconds: expected seconds from 0 on"),
        (",ok", ",failed", "column state: expected at least one row with the state ok"),
        ("10,30,ok", "10,30,", "line 2, column state: expected ok"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, old: str, new: str, place: str) -> None:
    """The message has the line and the column."""
    with pytest.raises(SurfaceInvalid) as caught:
        load_surface(write_surface(tmp_path, trials=TRIALS.replace(old, new)))
    assert place in str(caught.value)


def test_a_folder_without_files_is_named(tmp_path: Path) -> None:
    """A missing file is said by its path."""
    with pytest.raises(SurfaceInvalid, match=r"surface\.json: file: expected a readable file"):
        load_surface(tmp_path / "absent")
    (tmp_path / "surface.json").write_text("{", encoding="utf-8")
    with pytest.raises(SurfaceInvalid, match=r"surface\.json: file: expected a JSON document"):
        load_surface(tmp_path)
