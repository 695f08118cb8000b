"""How a trace's times are scaled."""

import pytest

from llmopt_core.resources.load import Trace
from llmopt_runner.datasets.base import Item, Traced
from llmopt_runner.trial.replays import replay

ITEMS = [Item(str(time), "", "", "trace", traced=Traced(time)) for time in (100.0, 101.0, 104.0, 108.0)]


@pytest.mark.parametrize(
    ("trace", "times"),
    [
        ({}, (0.0, 1.0, 4.0, 8.0)),
        ({"time_scale": "0.5"}, (0.0, 0.5, 2.0, 4.0)),
        ({"rate": "3"}, (0.0, 0.125, 0.5, 1.0)),
    ],
)
def test_gaps_are_stretched_alike(trace, times):
    """The first request comes at once; a rate is met on average, and bursts stay bursts."""
    assert replay(Trace(**trace), ITEMS).times == pytest.approx(times)


def test_one_request_has_no_gap():
    """Nothing is to be stretched."""
    assert replay(Trace(rate="5"), ITEMS[:1]).times == (0.0,)
