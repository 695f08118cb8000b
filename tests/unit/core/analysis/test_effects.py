"""One finding of one metric: consistent on every scale."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.effects import Interval, difference_effect, judge, ratio_effect
from llmopt_core.api.verdicts import Verdict

# Two values that differ at all differ by more than 1e-16 of them: smaller changes are none.
changes = st.floats(-3, 3).map(lambda change: round(change, 12))
widths = st.floats(0, 2).map(lambda width: round(width, 12))
directions = st.sampled_from(["maximize", "minimize"])


def check(effect):
    """Both intervals describe one set, hold the estimates, and agree with the verdict."""
    assert effect.value == pytest.approx(effect.baseline + effect.absolute)
    assert effect.absolute in effect.absolute_interval
    if effect.relative is not None:
        assert effect.relative in effect.relative_interval
        scaled = effect.relative_interval.scaled(effect.baseline)
        assert scaled.low == pytest.approx(effect.absolute_interval.low, rel=1e-9, abs=1e-12)
        assert scaled.high == pytest.approx(effect.absolute_interval.high, rel=1e-9, abs=1e-12)
    leaves_zero_out = effect.absolute_interval.low > 0 or effect.absolute_interval.high < 0
    assert effect.significant == leaves_zero_out
    if effect.significant:
        assert (effect.verdict is Verdict.BETTER) == (effect.improvement > 0)


@given(st.floats(1e-3, 1e6), changes, widths, directions)
def test_quotients_agree_on_every_scale(baseline, change, width, direction):
    """The effect of a quotient is the same in the metric's unit and relative to the baseline."""
    interval = Interval(change - width, change + width)
    check(ratio_effect("speed", direction, baseline, change, interval, smallest_gain=0.02))


@given(
    st.floats(-100, 100).filter(lambda value: value == 0 or abs(value) > 1e-3), changes, widths, directions
)
def test_differences_agree_on_every_scale(baseline, change, width, direction):
    """The effect of a difference is the same in the metric's unit and relative to the baseline."""
    interval = Interval(change - width, change + width)
    check(difference_effect("accuracy", direction, baseline, change, interval, smallest_gain=0.02))


def test_twice_as_fast_is_fifty_more_and_one_hundred_percent():
    """From 50 to 100 tokens/s: +50 with an interval in tokens/s, +1.0 with one of its own, better."""
    interval = Interval(math.log(1.9), math.log(2.1))
    effect = ratio_effect("speed", "maximize", 50.0, math.log(2), interval, smallest_gain=0.02)
    assert (effect.absolute, effect.relative) == (pytest.approx(50), pytest.approx(1.0))
    assert effect.absolute_interval == Interval(pytest.approx(45), pytest.approx(55))
    assert effect.relative_interval == Interval(pytest.approx(0.9), pytest.approx(1.1))
    assert effect.verdict is Verdict.BETTER


@pytest.mark.parametrize(
    ("low", "high", "direction", "verdict"),
    [
        (0.01, 0.3, "maximize", Verdict.BETTER),
        (0.01, 0.3, "minimize", Verdict.WORSE),
        (-0.3, -0.001, "maximize", Verdict.WORSE),
        (-0.3, -0.001, "minimize", Verdict.BETTER),
        (-0.02, 0.02, "maximize", Verdict.EQUIVALENT),
        (-0.021, 0.01, "maximize", Verdict.UNDECIDED),
    ],
)
def test_the_verdict_follows_from_the_interval(low, high, direction, verdict):
    """Significant in a direction, within the smallest relevant gain, or undecided."""
    assert judge(Interval(low, high), direction, 0.02) is verdict


def test_without_an_interval_nothing_is_decided():
    """A single repeat has a value, no interval, and no verdict."""
    effect = ratio_effect("speed", "maximize", 50.0, 0.7, None, smallest_gain=0.02)
    assert effect.verdict is Verdict.UNDECIDED
    assert effect.absolute_interval is None
    assert effect.relative_interval is None


def test_a_baseline_of_zero_has_no_relative_change():
    """From nothing, a gain has a size but no percentage."""
    effect = difference_effect("accuracy", "maximize", 0.0, 0.5, Interval(0.2, 0.8), smallest_gain=0.02)
    assert (effect.relative, effect.relative_interval) == (None, None)
    assert effect.verdict is Verdict.BETTER


def test_a_quotient_of_zero_is_refused():
    """Where the baseline is 0, a difference must be taken."""
    with pytest.raises(ValueError, match="baseline above 0"):
        ratio_effect("speed", "maximize", 0.0, 0.1, None, smallest_gain=0.02)


def test_an_interval_too_wide_for_a_double_is_infinite():
    """With one degree of freedom an interval of logarithms may exceed what a double holds."""
    effect = ratio_effect("speed", "maximize", 50.0, 0.1, Interval(-900, 900), smallest_gain=0.02)
    assert effect.absolute_interval == Interval(-50, math.inf)
    assert effect.verdict is Verdict.UNDECIDED


def test_a_score_stays_within_its_range():
    """A baseline and a difference that sum to 1 give 1, whatever their last digits."""
    baseline = 0.1 + 0.2
    assert baseline + (0.7 + 4e-16) > 1
    assert difference_effect("accuracy", "maximize", baseline, 0.7 + 4e-16, None).value == 1
