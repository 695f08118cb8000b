"""Where values lie on an axis, and which of them are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.report.scales import Bands, axis_of

NUMBERS = st.floats(min_value=-1e6, max_value=1e6).map(lambda value: round(value, 3))
POSITIVE = st.floats(min_value=1e-3, max_value=1e6)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_all_values_lie_on_the_axis_in_their_order(values):
    """Whatever the values are, also a single one, and with space beside them."""
    axis = axis_of(values, 100, 0)
    places = [axis.place(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)
    assert all(0 <= place <= 100 for place in places)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.booleans())
def test_a_few_round_values_are_written(values, grows_upwards):
    """They lie within the axis, and there are neither none nor too many."""
    ends = (100, 0) if grows_upwards else (0, 100)
    ticks = axis_of(values, *ends).ticks()
    assert 2 <= len(ticks) <= 12
    assert all(0 <= tick.at <= 100 for tick in ticks)


@given(st.lists(POSITIVE, min_size=1, max_size=20))
def test_a_logarithmic_axis_has_equal_steps_for_equal_factors(values):
    """Its ticks are powers of ten and their doubles and fives."""
    low, high = min(values), max(values)
    axis = axis_of([*values, low * 100], 0, 100, log=True)
    assert axis.log
    assert axis.place(low * 10) == pytest.approx((axis.place(low) + axis.place(low * 100)) / 2, abs=0.2)
    assert axis.place(low) <= axis.place(high)
    assert 2 <= len(axis.ticks()) <= 6
    assert all(0 <= tick.at <= 100 for tick in axis.ticks())


def test_round_values_are_round():
    """Steps are one, two or five."""
    assert [tick.label for tick in axis_of([0, 0.9], 0, 100).ticks()] == ["0", "0.2", "0.4", "0.6", "0.8"]
    assert [tick.label for tick in axis_of([1, 16], 0, 100, log=True).ticks()] == ["1", "2", "5", "10"]


def test_whole_numbers_are_written_between_whole_numbers():
    """Half an example in a prompt is none."""
    assert [tick.label for tick in axis_of([0, 3], 0, 100).ticks()] == ["0", "1", "2", "3"]


def test_zero_has_no_place_on_a_logarithmic_axis():
    """Such values are shown on a linear one, and so are those that differ little."""
    assert not axis_of([0, 4], 0, 100, log=True).log
    assert not axis_of([3, 4], 0, 100, log=True).log


def test_words_have_bands_of_their_own():
    """Each lies in the middle of its band."""
    bands = Bands(("f16", "q8_0"), 0, 100)
    assert [(tick.label, tick.at) for tick in bands.ticks()] == [("f16", 25.0), ("q8_0", 75.0)]
