"""Figures over seeds, and ratios between strategies where some did not reach the best."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from surfaces.figures import CaseFigures, Ratio, RunFigures, Spread, fastest, ratio

INFINITE = math.inf


def _runs(*near: float, spent: float = 100.0) -> CaseFigures:
    return CaseFigures.of(
        [RunFigures(each, spent, each, (0.0, 0.0, 0.0, 0.0, 0.0), 10, 5, 1, 2) for each in near]
    )


def test_a_run_that_did_not_arrive_counts_as_later_than_all_others() -> None:
    """The median is infinite once half of the runs are."""
    assert Spread.of([10.0, 30.0, INFINITE]) == Spread(30.0, 20.0, INFINITE)
    assert Spread.of([10.0, INFINITE]).median == INFINITE
    assert Spread.of([INFINITE, INFINITE]) == Spread(INFINITE, INFINITE, INFINITE)


@given(st.lists(st.floats(0, 1e6) | st.just(INFINITE), min_size=1))
def test_quartiles_are_in_order(values: list[float]) -> None:
    """They are never undefined, whatever did not arrive."""
    spread = Spread.of(values)
    assert spread.low <= spread.median <= spread.high


def test_the_share_that_arrived_is_reported() -> None:
    """Two of four runs are one half."""
    assert _runs(10.0, 20.0, INFINITE, INFINITE).reached == 0.5


def test_a_ratio_is_one_of_medians() -> None:
    """Of seconds until within 5 % of the best."""
    assert ratio(_runs(20.0, 40.0, 60.0), _runs(10.0), 100.0) == Ratio(4.0)


@pytest.mark.parametrize(
    ("over", "under", "expected"),
    [
        (_runs(INFINITE, spent=80.0), _runs(10.0), Ratio(8.0, ">= ")),
        (_runs(10.0), _runs(INFINITE, spent=80.0), Ratio(0.1, "<= ")),
        (_runs(INFINITE), _runs(INFINITE), None),
    ],
)
def test_a_ratio_is_a_bound_where_one_did_not_arrive(
    over: CaseFigures, under: CaseFigures, expected: Ratio | None
) -> None:
    """The other one had at least what it spent, the own strategy at most the budget."""
    assert ratio(over, under, 100.0) == expected


def test_the_fastest_has_the_lowest_median_then_the_largest_share() -> None:
    """Names that were not run are left out."""
    figures = {"a": _runs(30.0), "b": _runs(INFINITE, INFINITE, 5.0), "c": _runs(INFINITE)}
    assert fastest(figures, ["a", "b", "absent"]) == "a"
    assert fastest(figures, ["b", "c"]) == "b"
    assert fastest(figures, ["absent"]) is None
