"""Effects and means in words."""

import pytest
from fakes.comparisons import SPEED
from fakes.statuses import compared, effect

from llmopt_core.analysis.effects import Interval
from llmopt_core.results.effect_texts import gain_text, interval_text, mean_interval_text, mean_text, verdict

PROVED = effect(interval=Interval(0.05, 0.15))
OPEN = effect(interval=Interval(-0.05, 0.15))
SAME = effect(difference=0.005, interval=Interval(-0.01, 0.02))
WORSE = effect(difference=-0.1, interval=Interval(-0.15, -0.05))
CLEAR = compared([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62], [40, 41, 39, 40, 41])


def test_a_gain_is_percent_or_points():
    """Ratios are percent with their sign, scores differences."""
    assert gain_text(effect("ttft_ms_p50", -0.052)) == "-10.4 %"
    assert gain_text(effect()) == "+0.100"
    assert gain_text(None) == ""


def test_an_interval_is_only_shown_where_there_is_one():
    """Without repeats there is no interval."""
    assert interval_text(PROVED) == "+0.050 to +0.150"
    assert interval_text(effect()) == interval_text(None) == ""


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (effect(), "not verified"),
        (PROVED, "better, significant"),
        (OPEN, "not significant"),
        (SAME, "no relevant difference"),
        (WORSE, "worse, significant"),
        (None, ""),
    ],
)
def test_a_verdict_says_what_is_proved(shown, text):
    """Only what the repeats prove is called better or worse."""
    assert verdict(shown) == text


def test_what_is_no_objective_is_for_information():
    """Nobody asked for it to be confirmed."""
    assert verdict(effect(), objective=False) == "for information"


def test_numbers_of_candidates_are_reported_with_their_intervals():
    """A mean has its interval, a difference its own, in the words of an optimization's gain."""
    better = CLEAR.candidate("a")
    assert mean_text(better.metrics[SPEED]) == "60.57"
    assert mean_interval_text(better.metrics[SPEED]).startswith("58.")
    assert gain_text(better.against_baseline[SPEED]) == "+20.2 %"
    assert interval_text(better.against_baseline[SPEED]).endswith(" %")
    verdicts = [verdict(each.against_baseline.get(SPEED)) for each in CLEAR.candidates]
    assert verdicts == ["", "better, significant", "worse, significant"]


def test_what_is_missing_of_a_candidate_is_empty():
    """A single repeat has no interval, a candidate without repeats has nothing."""
    single = compared([50.0], [60.0]).candidate("a")
    assert (mean_text(single.metrics[SPEED]), mean_interval_text(single.metrics[SPEED])) == ("60", "")
    assert gain_text(single.against_baseline.get(SPEED)) == ""
    assert mean_text(None) == mean_interval_text(None) == ""
