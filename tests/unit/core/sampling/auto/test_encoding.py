import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.sampling.auto.candidates import PointSource
from llmopt_core.sampling.auto.encoding import INACTIVE, Encoding, ordered_places
from llmopt_core.sampling.dimensions import unit_of
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.points import identity

_numbers = st.integers(1, 1000)
_dimensions = st.one_of(
    st.tuples(_numbers, _numbers, st.booleans()).map(
        lambda drawn: IntDimension(drawn[0], drawn[0] + drawn[1], log=drawn[2])
    ),
    st.tuples(_numbers, _numbers).map(lambda drawn: IntDimension(drawn[0], drawn[0] + drawn[1], step=3)),
    st.tuples(_numbers, _numbers, st.booleans()).map(
        lambda drawn: FloatDimension(drawn[0] / 7, (drawn[0] + drawn[1]) / 7, log=drawn[2])
    ),
    st.lists(st.one_of(st.booleans(), st.integers(), st.text()), min_size=1, max_size=5, unique_by=repr).map(
        lambda choices: ChoiceDimension(tuple(choices))
    ),
)


@st.composite
def spaces(draw):
    """Spaces whose second half of parameters is active under some values of the first only."""
    parameters = [
        SpaceParameter(f"engine.p{place}", each)
        for place, each in enumerate(draw(st.lists(_dimensions, min_size=1, max_size=4)))
    ]
    switch = SpaceParameter("engine.switch", ChoiceDimension(("on", "off", "auto")))
    when = (Condition("engine.switch", among=("on", "auto")),)
    conditional = [
        SpaceParameter(f"sampling.c{place}", each, when)
        for place, each in enumerate(draw(st.lists(_dimensions, max_size=3)))
    ]
    return SearchSpace((*parameters, switch, *conditional))


@given(spaces(), st.integers(0, 1000))
def test_rows_hold_places_or_the_mark_of_inactive(space, seed):
    """Columns of active parameters lie between 0 and 1, those of inactive ones hold the mark."""
    source = PointSource(space, {}, np.random.default_rng(seed))
    encoding = Encoding(space)
    points = [source.random({}) for _ in range(5)]
    rows = encoding.rows(points)
    assert rows.shape == (5, encoding.width)
    for point, row in zip(points, rows, strict=True):
        for name, place in zip(encoding.names, row, strict=True):
            assert 0 <= place <= 1 if name in point else place == INACTIVE


@given(spaces(), st.integers(0, 1000))
def test_different_points_have_different_rows(space, seed):
    """A model can say any two points apart, as long as floats differ by more than rounding."""
    source = PointSource(space, {}, np.random.default_rng(seed))
    encoding = Encoding(space)
    left, right = source.random({}), source.random({})
    same = identity(left) == identity(right)
    close = all(
        left.get(name) == right.get(name)
        or (isinstance(left.get(name), float) and isinstance(right.get(name), float))
        for name in {*left, *right}
    )
    assert same or close or (encoding.rows([left]) != encoding.rows([right])).any()


def test_numbers_given_as_choices_have_an_order():
    """Choices that read as numbers become ranks in one column, whatever order they are listed in."""
    places = ordered_places(ChoiceDimension(("128", "16", "32")))
    assert places == {("str", "16"): 0.0, ("str", "32"): 0.5, ("str", "128"): 1.0}


def test_names_have_no_order():
    """Three names get an indicator each, two share a column."""
    assert ordered_places(ChoiceDimension(("fcfs", "priority", "lpm"))) is None
    space = SearchSpace(
        (
            SpaceParameter("engine.a", ChoiceDimension(("fcfs", "priority", "lpm"))),
            SpaceParameter("engine.b", ChoiceDimension(("f16", "q8_0"))),
        )
    )
    rows = Encoding(space).rows([{"engine.a": "priority", "engine.b": "q8_0"}])
    assert rows.tolist() == [[0.0, 1.0, 0.0, 1.0]]


def test_equal_numbers_of_different_types_are_different_values():
    """1, 1.0 and True are three values of a choice."""
    assert len({identity({"engine.a": value}) for value in (1, 1.0, True)}) == 3


def test_log_scale_spaces_orders_of_magnitude_evenly():
    """On a log scale 8 lies as far from 1 as 64 from 8."""
    space = SearchSpace((SpaceParameter("engine.n", IntDimension(1, 64, log=True)),))
    rows = Encoding(space).rows([{"engine.n": 1}, {"engine.n": 8}, {"engine.n": 64}])
    assert np.allclose(rows[:, 0], [0.0, 0.5, 1.0])


@given(st.integers(1, 50), st.integers(0, 500), st.booleans())
def test_numbers_are_placed_as_one_by_one(low, width, log):
    """Many values at once get the places that each has alone, also in a range of a single value."""
    dimension = IntDimension(low, low + width, log=log)
    space = SearchSpace((SpaceParameter("engine.n", dimension),))
    values = sorted({low, low + width // 3, low + width})
    rows = Encoding(space).rows([{"engine.n": value} for value in values])
    assert rows[:, 0].tolist() == pytest.approx([unit_of(dimension, value) for value in values])


def test_powers_of_two_among_other_numbers_have_a_column():
    """Choices of which some are powers of two have their rank, and whether they are one."""
    space = SearchSpace((SpaceParameter("engine.n", ChoiceDimension((16, 48, 64, 80))),))
    rows = Encoding(space).rows([{"engine.n": value} for value in (16, 48, 64, 80)])
    assert rows[:, 1].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert rows[:, 0].tolist() == sorted(rows[:, 0])


def test_nothing_but_powers_of_two_has_one_column():
    """A column that is the same for all choices says nothing, and is left out."""
    space = SearchSpace((SpaceParameter("engine.n", ChoiceDimension((1, 2, 4, 8))),))
    assert Encoding(space).width == 1
