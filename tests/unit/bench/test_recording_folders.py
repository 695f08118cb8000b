"""A surface out of measurements: means, noise, states, and that it is read as it was meant."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from recording.folders import relative_spread, rows, write_folder
from recording.journals import Measurement
from recording.plans import Plan
from recording.recipes import Recipe, llamacpp
from surfaces.answers import answers_of
from surfaces.recorded import load_surface
from surfaces.running import Prepared


@pytest.fixture(name="recipe")
def _recipe() -> Recipe:
    return replace(llamacpp(), engines=3, requests=2)


def _measured(repeat: int, engine: int, request: int, rate: float = 2.0, **more: object) -> Measurement:
    metrics = {"good_answers_per_second": rate, "accuracy": 0.5, "ttft_ms_p50": 80.0, "itl_ms_p99": 3.0}
    fields = {"state": "ok", "seconds": 4.0, "metrics": metrics, **more}
    return Measurement(repeat, engine, request, **fields)


def _all(plan: Plan) -> list[Measurement]:
    return [
        _measured(
            start.repeat, start.engine, request, start_seconds=1.5 if request == start.requests[0] else None
        )
        for start in plan.starts
        for request in start.requests
    ]


def test_what_is_written_is_read(recipe: Recipe, tmp_path: Path) -> None:
    """Parameters, conditions, objectives, times and values come back as they were measured."""
    plan = Plan.of(recipe)
    assert write_folder(tmp_path, recipe, plan, _all(plan), "here") == 6
    surface = load_surface(tmp_path)
    assert surface.problem.space.parameters[:9] == plan.space.parameters[:9]
    conditions = {each.name: each.when for each in surface.problem.space.parameters}
    assert conditions["sampling.top_p"][0].above == 0
    assert [each.metric for each in surface.problem.objectives] == ["good_answers_per_second", "accuracy"]
    assert (surface.origin, surface.licence, surface.complete) == ("here", "Apache-2.0", False)
    for row, (engine, request) in zip(
        surface.rows, [(engine, request) for engine in range(3) for request in range(2)], strict=True
    ):
        plain = {name.partition(".")[2]: value for name, value in plan.configuration(engine, request).items()}
        assert {name.partition(".")[2]: value for name, value in row.parameters.items()} == plain
        assert (row.works, row.seconds, row.start_seconds) == (True, 4.0, 1.5)
        assert row.metrics == {"good_answers_per_second": 2.0, "accuracy": 0.5}


def test_the_searches_can_run_on_it(recipe: Recipe, tmp_path: Path) -> None:
    """A configuration of the plan is answered by its own row."""
    plan = Plan.of(recipe)
    measured = [replace(each, metrics={**each.metrics, "good_answers_per_second": 1.0 + each.engine})
                for each in _all(plan)]  # fmt: skip
    write_folder(tmp_path, recipe, plan, measured, "here")
    answers = answers_of(load_surface(tmp_path))
    row = answers.surface.rows[4]
    assert answers.answer(row.parameters).metrics["good_answers_per_second"] == 3.0
    assert Prepared.of(tmp_path).cases()[0].start_factor is None


def test_values_are_means_and_noise_their_spread(recipe: Recipe) -> None:
    """The noise is the relative standard deviation over the repeats, of each metric by itself."""
    plan = Plan.of(recipe)
    (row,) = rows(plan, [_measured(0, 1, 0, 1.0), _measured(1, 1, 0, 2.0), _measured(2, 1, 0, 3.0)])
    assert row.metrics["good_answers_per_second"] == 2.0
    assert row.noise["good_answers_per_second"] == pytest.approx(0.5)
    assert row.noise["accuracy"] == 0.0
    assert relative_spread([0.0, 0.0]) == 0.0


def test_a_configuration_that_fails_mostly_is_a_failure(recipe: Recipe) -> None:
    """Its row has a state and no values; one failure of three is left out."""
    plan = Plan.of(recipe)
    broken = {"state": "infeasible", "metrics": {}, "seconds": 1.0}
    once, twice = rows(
        plan,
        [
            *(_measured(repeat, 0, 0) for repeat in (0, 1)),
            _measured(2, 0, 0, **broken),
            _measured(0, 0, 1),
            *(_measured(repeat, 0, 1, **broken) for repeat in (1, 2)),
        ],
    )
    assert (once.state, once.repeats) == ("ok", 2)
    assert (twice.state, twice.metrics, twice.seconds) == ("infeasible", {}, None)


def test_one_repeat_makes_no_row(recipe: Recipe) -> None:
    """Without a second start the noise is not known."""
    assert not list(rows(Plan.of(recipe), [_measured(0, 0, 0)]))


def test_the_note_says_what_stayed_disturbed(recipe: Recipe, tmp_path: Path) -> None:
    """How many measurements were made again, and how many are still disturbed."""
    plan = Plan.of(recipe)
    measured = _all(plan)
    again = [replace(measured[0], disturbed=True), *measured, replace(measured[-1], disturbed=True)]
    write_folder(tmp_path, recipe, plan, again, "here")
    note = json.loads((tmp_path / "surface.json").read_text())["note"]
    assert "6 of 3 repeats" in note
    assert "took the processor: 2, still disturbed: 1" in note
