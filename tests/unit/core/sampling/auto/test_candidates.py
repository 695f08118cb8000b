import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.sampling.auto.candidates import PointSource, all_points
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)

SPACE = SearchSpace(
    (
        SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0", "q4_0"))),
        SpaceParameter("engine.parallel", IntDimension(2, 17, step=3)),
        SpaceParameter("engine.batch", IntDimension(16, 4096, log=True)),
        SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0, step=0.25)),
        SpaceParameter(
            "sampling.top_p",
            FloatDimension(0.1, 1.0),
            (Condition("sampling.temperature", above=0.0), Condition("engine.kv", among=("f16", "q8_0"))),
        ),
    )
)


@given(st.integers(0, 10_000))
def test_points_and_their_neighbours_lie_in_the_space(seed):
    """The space accepts every random point and every neighbour, values and conditions alike."""
    source = PointSource(SPACE, {}, np.random.default_rng(seed))
    point = source.random({})
    for _ in range(5):
        point = source.neighbour(point)
        assert SPACE.settled(point) == point
        assert set(point) == {each.name for each in SPACE.parameters if each.active(point)}


@given(st.integers(0, 10_000))
def test_known_values_hold(seed):
    """Known values stay in random points and in neighbours of points that lack them."""
    known = {"engine.kv": "q4_0", "engine.parallel": 5}
    source = PointSource(SPACE, known, np.random.default_rng(seed))
    other = PointSource(SPACE, {}, np.random.default_rng(seed)).random({})
    for point in (source.random({"engine.kv": "f16"}), source.neighbour(other), source.completed({}, other)):
        assert {name: point[name] for name in known} == known


def test_a_neighbour_differs_in_the_free_parameters_only():
    """All else stays as it is when only some parameters are free."""
    source = PointSource(SPACE, {}, np.random.default_rng(0))
    point = source.random({"engine.kv": "f16"})
    for _ in range(20):
        moved = source.neighbour(point, ["engine.batch"])
        assert {name for name in point if point[name] != moved.get(name)} == {"engine.batch"}


@pytest.mark.parametrize("most", [1, 5])
def test_large_spaces_are_not_listed(most):
    """More points than asked for give None, before all are made."""
    space = SearchSpace((SpaceParameter("engine.a", IntDimension(1, 6)),))
    assert all_points(space, {}, most) is None


def test_all_points_of_a_conditional_space_come_once():
    """A parameter whose condition does not hold gives no copies."""
    switch = SpaceParameter("engine.speculation", ChoiceDimension((False, True)))
    depth = SpaceParameter(
        "engine.depth", IntDimension(1, 3), (Condition("engine.speculation", among=(True,)),)
    )
    points = all_points(SearchSpace((switch, depth)), {}, 10)
    assert points is not None
    assert len(points) == 4
    assert {"engine.speculation": False} in points
