"""How long users think: the distribution that was asked for, the same times for the same conversation."""

from statistics import fmean, stdev

import pytest

from llmopt_core.resources.load import ThinkTime
from llmopt_runner.trial.think_times import think_seconds


def _drawn(**think):
    return think_seconds(ThinkTime(**think), "a", 20_000, 7)


@pytest.mark.parametrize(
    ("think", "mean", "deviation"),
    [
        ({"mean": "1m5s"}, 65.0, 0.0),
        ({"mean": "5s", "distribution": "exponential"}, 5.0, 5.0),
        ({"mean": "800ms", "distribution": "lognormal"}, 0.8, 0.8),
        ({"mean": "4s", "distribution": "lognormal", "standard_deviation": "1s500ms"}, 4.0, 1.5),
    ],
)
def test_times_have_the_mean_and_the_spread_that_were_asked_for(think, mean, deviation):
    """An exponential distribution spreads as far as its mean, a lognormal one unless said as well."""
    seconds = _drawn(**think)
    assert fmean(seconds) == pytest.approx(mean, rel=0.05)
    assert stdev(seconds) == pytest.approx(deviation, rel=0.1)
    assert min(seconds) > 0


def test_a_conversation_has_its_own_times():
    """They follow from seed and conversation alone, so that configurations are compared at the same ones."""
    think = ThinkTime(mean="5s", distribution="exponential")
    assert think_seconds(think, "a", 3, 1) == think_seconds(think, "a", 5, 1)[:3]
    assert think_seconds(think, "a", 3, 1) != think_seconds(think, "b", 3, 1)
    assert think_seconds(think, "a", 3, 1) != think_seconds(think, "a", 3, 2)


def test_nobody_thinks_unless_asked_to():
    """Without a think time the next turn is sent at once."""
    assert think_seconds(None, "a", 2, 1) == [0.0, 0.0]
