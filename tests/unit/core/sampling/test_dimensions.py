import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.sampling.dimensions import options_of, unit_of, value_at
from llmopt_core.search.spaces import ChoiceDimension, FloatDimension, IntDimension

DIMENSIONS = [
    IntDimension(2, 17, step=3),
    IntDimension(1, 4096, log=True),
    FloatDimension(0.0, 1.0, step=0.1),
    FloatDimension(0.5, 2.0),
    FloatDimension(1e-4, 1.0, log=True),
    ChoiceDimension(("a", 1, True)),
]


@given(st.sampled_from(DIMENSIONS), st.floats(-0.5, 1.5))
def test_a_value_at_any_place_is_one_of_the_dimension(dimension, unit):
    """Places outside 0 to 1 are taken for the nearest end."""
    value = value_at(dimension, unit)
    assert dimension.settled(value) == value


@pytest.mark.parametrize("dimension", [each for each in DIMENSIONS if options_of(each) is not None])
def test_every_option_is_reached(dimension):
    """Equal parts of the interval belong to the values: a fine sweep meets each of them."""
    steps = 100_000
    reached = {repr(value_at(dimension, place / steps)) for place in range(steps + 1)}
    assert reached == {repr(option) for option in options_of(dimension)}


@pytest.mark.parametrize("dimension", DIMENSIONS[:-1])
def test_places_grow_with_values(dimension):
    """The low end is at 0, the high end at 1, and the order between them is kept."""
    places = [unit_of(dimension, value_at(dimension, part / 20)) for part in range(21)]
    assert places == sorted(places)
    assert places[0] == pytest.approx(0.0)
    assert places[-1] == pytest.approx(1.0, abs=1e-9)


def test_a_range_of_one_value_has_one_place():
    """Equal ends do not divide by zero."""
    assert unit_of(IntDimension(4, 4), 4) == 0.0
