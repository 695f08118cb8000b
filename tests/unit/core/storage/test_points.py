import pytest
from fakes.studies import MIXED_SPACE

from llmopt_core.search.spaces import (
    ChoiceDimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.errors import EnqueueInvalid
from llmopt_core.storage.points import check_enqueued, contains, known_part


@pytest.mark.parametrize(
    ("dimension", "inside", "outside"),
    [
        (IntDimension(1, 8), (1, 8, 3.0), (0, 9, 1.5, "1", True)),
        (IntDimension(1, 8, step=3), (1, 4, 7), (2, 8)),
        (IntDimension(1, 8, log=True), (1, 5, 8), (0, 9)),
        (FloatDimension(0.0, 1.0), (0, 0.0, 1.0, 0.33), (-0.1, 1.1, "0.5", True)),
        (FloatDimension(0.0, 1.0, step=0.25), (0.25, 1.0), (0.3,)),
        (ChoiceDimension((1, "a", True, 0.5)), (1, "a", True, 0.5), (1.0, 0, False, "True")),
        (ChoiceDimension((0, "a")), (0,), (False, 0.0)),
    ],
)
def test_contains(dimension, inside, outside):
    """A dimension contains its values, each with its type, and nothing else."""
    assert [value for value in inside if not contains(dimension, value)] == []
    assert [value for value in outside if contains(dimension, value)] == []


def test_known_part_is_the_active_part():
    """Of a complete configuration only searched and active parameters are taken; one missing gives None."""
    whole = {"engine.n_parallel": 3, "engine.kv": "f16", "sampling.temperature": 0.25, "sampling.top_p": 0.5}
    assert known_part(MIXED_SPACE, {**whole, "engine.other": 1}) == {
        name: whole[name] for name in ("engine.n_parallel", "engine.kv", "sampling.temperature")
    }
    assert known_part(MIXED_SPACE, {**whole, "sampling.temperature": 1.0})["sampling.top_p"] == 0.5
    assert known_part(MIXED_SPACE, {**whole, "engine.kv": "f32"}) is None
    assert known_part(MIXED_SPACE, {"engine.kv": "f16"}) is None


def test_enqueued_entries_may_be_partial():
    """An entry that lies in the space is accepted, whole, partial or empty."""
    check_enqueued(
        MIXED_SPACE, ({}, {"engine.kv": "f16"}, {"sampling.temperature": 1.0, "sampling.top_p": 0.5})
    )


def test_nothing_searched():
    """Where nothing is searched, the message says so."""
    with pytest.raises(EnqueueInvalid, match="searched is nothing"):
        check_enqueued(SearchSpace(()), ({"engine.kv": "f16"},))
    space = SearchSpace((SpaceParameter("engine.n", IntDimension(1, 2)),))
    with pytest.raises(EnqueueInvalid, match=r"searched is engine\.n"):
        check_enqueued(space, ({"engine.kv": "f16"},))
