"""How requests arrive."""

from itertools import islice, pairwise
from statistics import mean, pstdev

import pytest

from llmopt_runner.load.shapes import ClosedLoop, Poisson


def test_equal_seeds_arrive_alike():
    """A schedule can be repeated by its seed, and only by its seed."""
    times = [tuple(islice(Poisson(5.0, seed).arrivals(), 20)) for seed in (1, 1, 2)]
    assert times[0] == times[1] != times[2]


def test_gaps_are_exponential_with_the_asked_mean():
    """Mean and standard deviation of the gaps are both 1 / rate."""
    times = [0.0, *islice(Poisson(4.0, 0).arrivals(), 20_000)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert mean(gaps) == pytest.approx(0.25, rel=0.03)
    assert pstdev(gaps) == pytest.approx(0.25, rel=0.03)


def test_the_duration_ends_the_arrivals_without_moving_them():
    """A shorter duration is a prefix of the same schedule."""
    whole, cut = tuple(Poisson(10.0, 3, 4.0).arrivals()), tuple(Poisson(10.0, 3, 2.0).arrivals())
    assert cut == tuple(at for at in whole if at < 2.0)
    assert 0 < len(cut) < len(whole)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ClosedLoop(0), "concurrency is 0"),
        (lambda: Poisson(0.0, 1), "rate_per_second is 0.0"),
        (lambda: Poisson(float("nan"), 1), "rate_per_second is nan"),
        (lambda: Poisson(1.0, 1, 0.0), "duration_seconds is 0.0"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(make, named):
    """The error names the field and its value."""
    with pytest.raises(ValueError, match=named):
        make()
