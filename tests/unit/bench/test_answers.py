"""What the simulated engine answers, by the three rules."""

from pathlib import Path

import numpy as np
import pytest
from fakes.recorded_surfaces import TRIALS, write_surface
from surfaces.answers import Answers, ForestAnswers, NearestAnswers, RowAnswers, answers_of
from surfaces.encoding import gower_distances, positions
from surfaces.objective import Objective, relative_regret
from surfaces.recorded import load_surface

from llmopt_core.search.spaces import ChoiceDimension, IntDimension, SearchSpace, SpaceParameter

BEST = {"engine.slots": 2, "engine.cache": "f16", "sampling.load": 8}


def test_a_complete_surface_answers_by_its_rows(tmp_path: Path) -> None:
    """A row gives its metrics, times and noise; what has no row does not start, and takes a usual start."""
    answers = answers_of(load_surface(write_surface(tmp_path)))
    assert isinstance(answers, RowAnswers)
    found = answers.answer({"engine.slots": 1, "engine.cache": "f16", "sampling.load": 4})
    assert (found.metrics["speed"], found.seconds, found.start_seconds) == (100.0, 10.0, 30.0)
    assert (dict(found.deviations), found.known) == ({"speed": 1.0}, {"speed"})
    absent = answers.answer({"engine.slots": 1, "engine.cache": "q8", "sampling.load": 4})
    assert (absent.works, absent.seconds, absent.start_seconds) == (False, 0.0, 40.0)


def test_a_recorded_failure_fails(tmp_path: Path) -> None:
    """It takes the start that was recorded."""
    answers = answers_of(load_surface(write_surface(tmp_path)))
    found = answers.answer({"engine.slots": 2, "engine.cache": "q8", "sampling.load": 4})
    assert (found.works, found.start_seconds) == (False, 50.0)


def test_the_best_keeps_the_constraints(tmp_path: Path) -> None:
    """A faster row that breaks one is not the best."""
    surface = load_surface(write_surface(tmp_path))
    assert answers_of(surface).best(Objective(surface)) == 200.0


def test_a_small_incomplete_surface_answers_by_the_nearest_row(tmp_path: Path) -> None:
    """A configuration without a row has the answer of the one that differs least."""
    answers = answers_of(load_surface(write_surface(tmp_path, complete=False)))
    assert isinstance(answers, NearestAnswers)
    near = answers.answer({"engine.slots": 1, "engine.cache": "q8", "sampling.load": 4})
    assert near.metrics["speed"] == 100.0  # the first of those that differ in one of three
    assert answers.answer(BEST).metrics["speed"] == 200.0


def test_the_distance_of_gower_counts_ranges_ranks_and_what_is_not_active() -> None:
    """Numbers by their share of the range, ranks of numbers, texts as equal or not, presence as one."""
    space = SearchSpace(
        (
            SpaceParameter("engine.a", IntDimension(0, 10)),
            SpaceParameter("engine.b", ChoiceDimension((4, 8, 16))),
            SpaceParameter("engine.c", ChoiceDimension(("x", "y", "z"))),
        )
    )
    rows = positions(
        space,
        [
            {"engine.a": 10, "engine.b": 4, "engine.c": "x"},
            {"engine.a": 5, "engine.b": 16, "engine.c": "z"},
            {"engine.b": 8, "engine.c": "x"},
        ],
    )
    point = positions(space, [{"engine.a": 5, "engine.b": 8, "engine.c": "x"}])[0]
    assert gower_distances(space, rows, point) == pytest.approx([1 / 3, 1.5 / 3, 1 / 3])
    absent = positions(space, [{"engine.b": 8, "engine.c": "x"}])[0]
    assert gower_distances(space, rows, absent)[2] == 0.0


def _large(folder: Path) -> Answers:
    """400 rows of `speed` = `size` with a deviation of 1; sizes above 90 fail."""
    chance = np.random.default_rng(1)
    lines = ["size,speed,seconds,state"]
    for at in range(400):
        size = at / 4
        speed = f"{size + chance.standard_normal():.4f}"
        lines.append(f"{size},{speed},2,ok" if size <= 90 else f"{size},,,failed")
    parameters = [{"name": "size", "group": "request", "kind": "float", "low": 0, "high": 100}]
    write_surface(
        folder,
        trials="\n".join(lines),
        complete=False,
        start_seconds=None,
        parameters=parameters,
        constraints=[],
    )
    return answers_of(load_surface(folder))


def test_a_large_incomplete_surface_answers_by_a_forest(tmp_path: Path) -> None:
    """The forest gives the trend, the noise that of the residuals, and failures are learnt."""
    answers = _large(tmp_path)
    assert isinstance(answers, ForestAnswers)
    found = answers.answer({"sampling.size": 50.1})
    assert found.metrics["speed"] == pytest.approx(50, abs=2)
    assert found.deviations["speed"] == pytest.approx(1, abs=0.4)
    assert not found.known
    assert (found.works, found.seconds, found.start_seconds) == (True, pytest.approx(2), None)
    assert not answers.answer({"sampling.size": 97.0}).works
    assert answers.best(Objective(answers.surface)) == pytest.approx(90, abs=2)


def test_several_objectives_become_one_number_by_their_weights(tmp_path: Path) -> None:
    """Each counts by its place between the worst and the best of the feasible rows."""
    objectives = [
        {"metric": "speed", "goal": "maximize", "weight": 3},
        {"metric": "delay", "goal": "minimize", "weight": 1},
    ]
    objective = Objective(load_surface(write_surface(tmp_path, objectives=objectives)))
    assert objective.utility({"speed": 200.0, "delay": 10.0}) == 1.0
    assert objective.utility({"speed": 100.0, "delay": 10.0}) == 0.25
    assert objective.utility({"speed": 150.0, "delay": 15.0}) == pytest.approx(0.375)


def test_regret_is_relative_to_the_best() -> None:
    """It is never negative, and the sign of a minimised metric plays no part."""
    assert relative_regret(95.0, 100.0) == pytest.approx(0.05)
    assert relative_regret(-1.1, -1.0) == pytest.approx(0.1)
    assert relative_regret(101.0, 100.0) == 0.0


def test_a_start_that_was_not_recorded_takes_the_usual_time(tmp_path: Path) -> None:
    """An empty cell of a row that worked is one that was measured on a running engine."""
    trials = TRIALS.replace("2,f16,8,200,15,,10,40,ok", "2,f16,8,200,15,,10,,ok")
    answers = answers_of(load_surface(write_surface(tmp_path, trials=trials)))
    assert answers.answer(BEST).start_seconds == 40.0
