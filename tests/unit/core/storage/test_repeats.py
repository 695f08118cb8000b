"""Which repeats there are, how each of them stands, and when a candidate is given up."""

from dataclasses import replace

import pytest
from fakes.comparisons import SPEED, candidate, comparison, measured, repeat
from fakes.records import outcome
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import ComparisonDefinition, OutcomeKind
from llmopt_core.storage.repeats import (
    assignments,
    current,
    given_up,
    is_measured_again,
    measured_repeats,
    plan_of,
    turns,
)

MISSING = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)
TOO_LARGE = outcome(OutcomeKind.INFEASIBLE, error=ErrorClass.HOST_OUT_OF_MEMORY)
CRASHED = outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)
AWAY = outcome(OutcomeKind.FAILED, error=ErrorClass.ENDPOINT_UNREACHABLE)
GIVEN_BACK = outcome(OutcomeKind.RETURNED, error=ErrorClass.PREEMPTED)


def order(engines, repeats, per_start=1):
    """Return candidate, repeat and start of each turn."""
    return [(turn.candidate, turn.repeat, turn.start) for turn in turns(engines, repeats, per_start)]


def test_every_second_round_runs_backwards():
    """Every candidate is measured once before any is measured again, and drift meets all of them alike."""
    made = list(assignments(plan_of(comparison("a", "b", "c", repeats=2))))
    assert [(assignment.repeat, assignment.candidate) for assignment in made] == [
        (0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0),
    ]  # fmt: skip
    assert made[2].parameters == {"engine.n_parallel": 3}


def test_each_round_has_starts_of_its_own():
    """An engine that ran last in a round is started again for the next: starts are what is compared."""
    assert order("ab", 2) == [(0, 0, 0), (1, 0, 1), (1, 1, 2), (0, 1, 3)]


def test_several_repeats_share_a_start_where_that_is_planned():
    """Two of one candidate before the engine changes; what is left over makes a smaller last round."""
    assert order("ab", 3, per_start=2) == [
        (0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 1), (1, 2, 2), (0, 2, 3),
    ]  # fmt: skip


def test_candidates_on_one_engine_follow_one_another_on_its_start():
    """The baseline's start serves the candidate that differs by requests only."""
    assert order("aba", 1) == [(0, 0, 0), (2, 0, 0), (1, 0, 1)]


def test_where_all_share_an_engine_any_running_one_will_do():
    """No start is asked for."""
    assert order("aa", 2) == [(0, 0, None), (1, 0, None), (1, 1, None), (0, 1, None)]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.integers(1, 9), st.integers(1, 4))
def test_every_repeat_has_one_turn(engines, repeats, per_start):
    """Whatever the plan, each repeat of each candidate comes once, and a start serves one engine."""
    made = list(turns(engines, repeats, per_start))
    assert sorted((turn.candidate, turn.repeat) for turn in made) == [
        (candidate, repeat) for candidate in range(len(engines)) for repeat in range(repeats)
    ]
    served = {}
    for turn in made:
        assert served.setdefault(turn.start, engines[turn.candidate]) == engines[turn.candidate]


def test_candidates_that_one_engine_can_serve_are_found():
    """They differ by what goes with each request: other slots need another start."""
    made = [candidate("a", n_parallel=1), candidate("b", n_parallel=2), candidate("c", n_parallel=1)]
    cooler = replace(
        made[2], serving=replace(made[2].serving, parameters={"engine.n_parallel": 1, "sampling.top_k": 3})
    )
    engines = plan_of(ComparisonDefinition((*made[:2], cooler), "a", 3)).engines
    assert engines[0] == engines[2] != engines[1]


def test_a_disturbed_repeat_is_measured_again_a_bounded_number_of_times():
    """Three times in all, and of all repeats a quarter, or four."""
    assert is_measured_again(0, 0, 8)
    assert is_measured_again(1, 3, 8)
    assert not is_measured_again(2, 0, 8)
    assert not is_measured_again(0, 4, 8)
    assert is_measured_again(0, 4, 40)
    assert not is_measured_again(0, 10, 40)


def test_a_repeat_stands_by_its_last_trial():
    """What was given back is no result; what runs in its place is how the repeat stands."""
    trials = [repeat(0, 0, 0, GIVEN_BACK), repeat(1, 1, 0, GIVEN_BACK), repeat(2, 0, 0, **{SPEED: 5.0})]
    assert {place: trial.number for place, trial in current(trials).items()} == {(0, 0): 2}


def test_repeats_of_a_plan_that_was_replaced_are_left_out():
    """A second confirmation counts its candidates on from the first: only its own are its repeats."""
    runs = measured_repeats(measured([1.0], [2.0], [3.0], [4.0]), first=2)
    assert {candidate: each[0].metrics[SPEED] for candidate, each in runs.items()} == {0: 3.0, 1: 4.0}


@pytest.mark.parametrize(
    ("trials", "lost"),
    [
        (measured([50, 51], [MISSING]), {1}),
        (measured([50, 51], [60, MISSING]), {1}),
        (measured([50, 51], [TOO_LARGE]), {1}),
        (measured([50, 51], [60, TOO_LARGE]), set()),
        (measured([50, 51], [CRASHED, CRASHED]), set()),
        (measured([50, 51], [AWAY]), {1}),
        (measured([50, 51], [60, AWAY]), set()),
        ([*measured([50, 51], [MISSING]), repeat(9, 1, 0)], set()),
    ],
    ids=[
        "its model is missing", "its model vanished", "it never fitted", "it fitted once", "it crashes",
        "its server is not there", "its server was there once", "it runs again",
    ],
)  # fmt: skip
def test_a_candidate_is_given_up_when_no_repeat_of_it_can_work(trials, lost):
    """A fatal failure is enough; one of this configuration is, unless it was seen to work."""
    assert set(given_up(trials)) == lost
