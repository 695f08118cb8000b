import pytest
from fakes.studies import MIXED_POINTS, MIXED_SPACE
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.sampling.designs import GridDesign, QuasiRandomDesign
from llmopt_core.search.spaces import (
    ChoiceDimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.points import contains, dimensions


def _space(**dimensions):
    return SearchSpace(tuple(SpaceParameter(f"engine.{name}", each) for name, each in dimensions.items()))


def _walk(design, count, fixed=None):
    taken = []
    while len(taken) < count and (point := design.propose(taken, fixed or {})) is not None:
        taken.append(point)
    return taken


def test_grid_gives_each_point_once():
    """All points of the conditional space come once, none of them inactive parameters, then None."""
    points = _walk(GridDesign(MIXED_SPACE, 0), 1000)
    assert len(points) == len({tuple(sorted(point.items())) for point in points}) == MIXED_POINTS
    for point in points:
        assert ("sampling.top_p" in point) == (point["sampling.temperature"] > 0.5)


def test_grid_prefers_what_is_fixed():
    """Points with the fixed values come first, then the others: none is lost."""
    points = _walk(GridDesign(MIXED_SPACE, 0), 1000, {"engine.kv": "q8_0"})
    half = MIXED_POINTS // 2
    assert {point["engine.kv"] for point in points[:half]} == {"q8_0"}
    assert len(points) == MIXED_POINTS


def test_order_is_the_seeds():
    """The order is the same for every runner of a seed and another for another seed."""
    orders = [_walk(GridDesign(MIXED_SPACE, seed), 1000) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_grid_distinguishes_equal_values_of_other_types():
    """1, 1.0 and True are three points."""
    assert len(_walk(GridDesign(_space(a=ChoiceDimension((1, 1.0, True))), 0), 9)) == 3


def test_grid_includes_both_ends():
    """A stepped dimension has its ends, and its values are not blurred by rounding."""
    points = _walk(GridDesign(_space(a=FloatDimension(0.1, 0.7, step=0.1)), 0), 99)
    assert sorted(point["engine.a"] for point in points) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]


@given(st.integers(0, 200), st.integers(0, 5))
def test_quasi_random_points_lie_in_the_space(place, seed):
    """Every point of the sequence lies in the space, and its inactive parameters are absent."""
    space = SearchSpace(
        (
            *MIXED_SPACE.parameters,
            SpaceParameter("engine.log", IntDimension(1, 64, log=True)),
            SpaceParameter("engine.real", FloatDimension(0.01, 1.0, log=True)),
            SpaceParameter("engine.plain", FloatDimension(-1.0, 1.0)),
        )
    )
    known = dimensions(space)
    point = QuasiRandomDesign(space, seed).propose([{}] * place, {})
    assert all(contains(known[name], value) for name, value in point.items())


def test_quasi_random_points_spread():
    """Sixteen points of one dimension fall into sixteen equal parts of it."""
    design = QuasiRandomDesign(_space(a=FloatDimension(0.0, 16.0)), 3)
    points = [design.propose([{}] * place, {})["engine.a"] for place in range(16)]
    assert sorted(int(value) for value in points) == list(range(16))


def test_space_without_parameters():
    """An empty space has one point on the grid, and the empty point for ever in the sequence."""
    assert _walk(GridDesign(SearchSpace(()), 0), 9) == [{}]
    assert _walk(QuasiRandomDesign(SearchSpace(()), 0), 3) == [{}, {}, {}]


@pytest.mark.parametrize("design", [GridDesign, QuasiRandomDesign])
def test_entries_are_completed(design):
    """An entry keeps its values, also where they change which parameters are active."""
    point = design(MIXED_SPACE, 0).complete([], {"sampling.temperature": 1.0, "engine.kv": "q8_0"})
    assert point["sampling.temperature"] == 1.0
    assert point["engine.kv"] == "q8_0"
    assert "sampling.top_p" in point
