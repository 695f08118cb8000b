import pytest

from llmopt_core.results.optimizations import Comparison, OptimizationResult
from llmopt_core.results.wording import (
    advice,
    compact_duration,
    duration,
    gain_text,
    headline,
    interval_text,
    number,
    value_text,
    verdict,
)


def comparison(**changes):
    fields = {
        "metric": "accuracy", "unit": "score 0..1", "scale": "bounded", "direction": "maximize",
        "objective": True, "default": 0.5, "best": 0.6, "gain": 0.1,
    }  # fmt: skip
    return Comparison(**(fields | changes))


def result(*comparisons, **changes):
    fields = {"study": "s", "ended": "TrialsExhausted", "message": "", "trials": 9, "trial": 3}
    return OptimizationResult(**(fields | {"comparisons": comparisons} | changes))


PROVED = {"low": 0.05, "high": 0.15, "significant": True, "worse": False}
OPEN = {"low": -0.05, "high": 0.15, "significant": False, "worse": False}
WORSE = {"gain": -0.1, "low": -0.15, "high": -0.05, "significant": False, "worse": True}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.7, "1 min 00 s"), (125, "2 min 05 s"), (3700, "1 h 01 min"), (90_000, "1 d 01 h")],
)
def test_a_duration_is_said_as_people_say_it(seconds, text):
    """Seconds become minutes, hours and days; rounding never gives 60 s."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0.2, "0s"),
        (59.7, "1m"),
        (40, "40s"),
        (125, "2m5s"),
        (3600, "1h"),
        (3605, "1h"),
        (3900, "1h5m"),
        (90_000, "1d1h"),
        (8_640_000, "100d"),
    ],
)
def test_a_duration_fits_into_a_table(seconds, text):
    """The two largest units, without those that are zero."""
    assert compact_duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (45.67, "45.7"), (0.12345, "0.123"), (0, "0")]
)
def test_a_number_has_the_digits_that_count(value, text):
    """Large numbers have no decimals, small ones three digits."""
    assert number(value) == text


def test_a_value_has_no_binary_noise():
    """A float parameter is shown as it was meant; other types as they are."""
    assert [value_text(v) for v in (0.7000000000000001, 4, True, "q8_0")] == ["0.7", "4", "True", "q8_0"]


def test_a_gain_is_percent_or_points():
    """Ratios are percent with their sign, scores differences."""
    assert gain_text(comparison(scale="ratio", gain=-0.104)) == "-10.4 %"
    assert gain_text(comparison()) == "+0.100"


def test_an_interval_is_only_shown_where_there_is_one():
    """Without repeats there is no interval."""
    assert interval_text(comparison(**PROVED)) == "+0.050 to +0.150"
    assert interval_text(comparison()) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "not confirmed"),
        ({"objective": False}, "for information"),
        (PROVED, "better, significant"),
        (OPEN, "not significant"),
        (WORSE, "worse, significant"),
    ],
)
def test_a_verdict_says_what_is_proved(changes, text):
    """Only what the repeats prove is called better or worse."""
    assert verdict(comparison(**changes)) == text


def test_without_a_proved_gain_the_default_is_to_be_kept():
    """A winner that is not proved better is no reason to change anything."""
    assert "keep the default" in advice(result(comparison(**OPEN), confirmed=True))
    assert advice(result(comparison(**PROVED), confirmed=True, significant=True)) == ""
    assert advice(result(comparison())) == ""


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (result(trial=None), "No configuration could be measured"),
        (result(), "The default was not measured"),
        (result(comparison(), default_is_best=True), "No gain: nothing that was tried"),
        (result(comparison()), "Not confirmed by repeats: accuracy +0.100"),
        (result(comparison(**OPEN), confirmed=True), "No significant gain over the default (accuracy"),
        (
            result(comparison(**PROVED), confirmed=True, significant=True),
            "Significant gain over the default: accuracy +0.100 [+0.050 to +0.150]",
        ),
        (
            result(comparison(**PROVED), comparison(metric="e2e_ms_p50", **WORSE), confirmed=True),
            "No gain over the default without a loss",
        ),
    ],
)
def test_the_headline_is_honest(shown, text):
    """A gain is called significant only when it is proved and nothing else got worse."""
    assert headline(shown).startswith(text)


def test_better_in_one_and_worse_in_another_is_a_trade_off():
    """Who pays a significant loss for a significant gain is told both, not to keep the default."""
    faster = comparison(metric="output_tokens_per_second", **PROVED)
    text = advice(result(faster, comparison(**WORSE), confirmed=True))
    assert text.startswith("A trade-off: output_tokens_per_second for accuracy.")
