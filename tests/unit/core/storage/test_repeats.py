"""Which repeats there are, how each of them stands, and when a candidate is given up."""

import pytest
from fakes.comparisons import SPEED, comparison, measured, repeat
from fakes.records import outcome

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind
from llmopt_core.storage.repeats import current, given_up, measured_repeats, of_comparison

MISSING = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)
TOO_LARGE = outcome(OutcomeKind.INFEASIBLE, error=ErrorClass.HOST_OUT_OF_MEMORY)
CRASHED = outcome(OutcomeKind.FAILED, error=ErrorClass.ENGINE_CRASHED)
GIVEN_BACK = outcome(OutcomeKind.RETURNED, error=ErrorClass.PREEMPTED)


def test_repeats_are_interleaved():
    """Every candidate is measured once before any is measured again: drift meets all of them alike."""
    tickets = list(of_comparison(comparison("a", "b", "c", repeats=2)))
    assert [(ticket.repeat, ticket.candidate) for ticket in tickets] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2),
    ]  # fmt: skip
    assert tickets[2].parameters == {"engine.n_parallel": 3}


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
        ([*measured([50, 51], [MISSING]), repeat(9, 1, 0)], set()),
    ],
    ids=[
        "its model is missing", "its model vanished", "it never fitted", "it fitted once", "it crashes",
        "it runs again",
    ],
)  # fmt: skip
def test_a_candidate_is_given_up_when_no_repeat_of_it_can_work(trials, lost):
    """A fatal failure is enough; one of this configuration is, unless it was seen to work."""
    assert set(given_up(trials)) == lost
