"""Effects in a resource's status: what the operator writes there is what is read again."""

import functools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.effects import Interval, difference_effect, ratio_effect, unproved_effect
from llmopt_core.resources import status
from llmopt_core.results.status_effects import status_effect

SPEED, SCORE = "output_tokens_per_second", "accuracy"


def document(effect):
    """Return what the API server stores."""
    return status_effect(effect).model_dump(mode="json", by_alias=True, exclude_none=True)


def test_twice_as_fast_is_reported_in_tokens_and_in_shares():
    """From 50 to 100 tokens/s: +50 and its interval in tokens/s, +1 and its own, better."""
    effect = ratio_effect(
        SPEED, "maximize", 50.0, math.log(2), Interval(math.log(1.9), math.log(2.1)), smallest_gain=0.02
    )
    assert document(effect) == {
        "metric": SPEED,
        "baseline": "50",
        "best": "100",
        "difference": "50",
        "interval": {"low": "45", "high": "55"},
        "ratio": "2",
        "relative": "1",
        "relativeInterval": {"low": "0.9", "high": "1.1"},
        "significant": True,
        "verdict": "better",
    }


def test_a_significant_loss_is_significant_and_worse():
    """An interval wholly on the bad side is no open question."""
    loss = difference_effect(SCORE, "maximize", 0.75, -0.25, Interval(-0.4, -0.1), smallest_gain=0.02)
    assert (document(loss)["significant"], document(loss)["verdict"]) == (True, "worse")


def test_what_was_not_repeated_has_no_interval():
    """Its verdict is open."""
    assert document(unproved_effect(SCORE, "maximize", 0.0, 0.5)) == {
        "metric": SCORE, "baseline": "0", "best": "0.5", "difference": "0.5", "significant": False,
        "verdict": "undecided",
    }  # fmt: skip


def test_an_infinite_end_leaves_the_interval_out():
    """No decimal says it."""
    effect = ratio_effect(SPEED, "maximize", 50.0, 0.1, Interval(-900, 900), smallest_gain=0.02)
    assert "interval" not in document(effect)


@given(st.floats(0.01, 1e5), st.floats(-1, 1), st.floats(0, 1), st.sampled_from(["maximize", "minimize"]))
def test_what_is_written_is_read_again(baseline, change, width, direction):
    """To six digits, on both scales, with its verdict."""
    effect = ratio_effect(
        SPEED, direction, baseline, change, Interval(change - width, change + width), smallest_gain=0.02
    )
    read = status.ReportedEffect.model_validate(document(effect))
    assert read.verdict is effect.verdict
    assert read.absolute == pytest.approx(effect.absolute, rel=1e-5)
    assert read.relative == pytest.approx(effect.relative, rel=1e-5, abs=1e-9)
    assert read.relative_interval.low == pytest.approx(effect.relative_interval.low, rel=1e-5, abs=1e-9)


# Products of subnormal numbers are 0 or not by rounding alone: no measurement is that small.
shares = functools.partial(st.floats, allow_subnormal=False)


@given(
    st.sampled_from(["maximize", "minimize"]),
    st.floats(0.01, 1e5),
    shares(-1, 1),
    shares(0, 1),
    st.booleans(),
)
def test_what_is_shown_together_agrees_on_every_scale(direction, baseline, change, width, is_ratio):
    """Value, difference, quotient, both intervals and the verdict are one statement."""
    if is_ratio:
        span = Interval(change - width, change + width)
        effect = ratio_effect(SPEED, direction, baseline, change, span)
    else:
        span = Interval((change - width) * baseline, (change + width) * baseline)
        effect = difference_effect(SCORE, direction, baseline, change * baseline, span)
    shown = status.ReportedEffect.model_validate(document(effect))
    close = {"rel": 1e-4, "abs": 1e-5 * max(baseline, 1.0)}
    assert shown.value - shown.baseline == pytest.approx(shown.absolute, **close)
    assert shown.value / shown.baseline - 1 == pytest.approx(shown.relative, rel=1e-4, abs=1e-4)
    assert shown.ratio - 1 == pytest.approx(shown.relative, rel=1e-4, abs=1e-4)
    for low_or_high in ("low", "high"):
        absolute, relative = (
            getattr(each, low_or_high) for each in (shown.absolute_interval, shown.relative_interval)
        )
        assert absolute / shown.baseline == pytest.approx(relative, rel=1e-4, abs=1e-9)
        assert absolute * relative >= 0
    above, below = shown.absolute_interval.low > 0, shown.absolute_interval.high < 0
    assert shown.better == (above if direction == "maximize" else below)
    assert shown.worse == (below if direction == "maximize" else above)
    assert shown.significant == (above or below)
