import pytest

from llmopt_core.analysis.confirmation import Choice
from llmopt_core.analysis.effects import Interval, difference_effect
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.results.optimizations import OptimizationResult
from llmopt_core.results.wording import (
    advice,
    choice_lines,
    compact_duration,
    duration,
    gain_text,
    headline,
    interval_text,
    number,
    value_text,
    verdict,
)


def effect(metric="accuracy", difference=0.1, interval=None):
    return difference_effect(metric, find_metric(metric).direction, 0.5, difference, interval)


def result(*effects, **changes):
    fields = {"study": "s", "ended": "TrialsExhausted", "message": "", "trials": 9, "trial": 3}
    shown = {"objectives": tuple(each.metric for each in effects), "effects": effects}
    return OptimizationResult(**(fields | shown | changes))


PROVED = effect(interval=Interval(0.05, 0.15))
OPEN = effect(interval=Interval(-0.05, 0.15))
SAME = effect(difference=0.005, interval=Interval(-0.01, 0.02))
WORSE = effect(difference=-0.1, interval=Interval(-0.15, -0.05))
SLOWER = effect("e2e_ms_p50", 0.1, Interval(0.05, 0.15))
FASTER = effect("output_tokens_per_second", 0.1, Interval(0.05, 0.15))


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
        (effect(), "not confirmed"),
        (PROVED, "better, significant"),
        (OPEN, "not significant"),
        (SAME, "no relevant difference"),
        (WORSE, "worse, significant"),
    ],
)
def test_a_verdict_says_what_is_proved(shown, text):
    """Only what the repeats prove is called better or worse."""
    assert verdict(shown) == text


def test_what_is_no_objective_is_for_information():
    """Nobody asked for it to be confirmed."""
    assert verdict(effect(), objective=False) == "for information"


def test_without_a_proved_gain_the_default_is_to_be_kept():
    """A winner that is not proved better is no reason to change anything."""
    assert "keep the default" in advice(result(OPEN, confirmed=True))
    assert advice(result(PROVED, confirmed=True, significant=True)) == ""
    assert advice(result(effect())) == ""


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (result(trial=None), "No configuration could be measured"),
        (result(), "The default was not measured"),
        (result(effect(), default_is_best=True), "No gain: nothing that was tried"),
        (result(effect(), default_is_best=True, trials=1), "Only the default was measured"),
        (result(effect()), "Not confirmed by repeats: accuracy +0.100"),
        (result(OPEN, confirmed=True), "No significant gain over the default (accuracy"),
        (
            result(PROVED, confirmed=True, significant=True),
            "Significant gain over the default: accuracy +0.100 [+0.050 to +0.150]",
        ),
        (
            result(PROVED, SLOWER, confirmed=True),
            "A trade-off against the default: accuracy +0.100 [+0.050 to +0.150] for e2e_ms_p50 +20.0 %",
        ),
    ],
)
def test_the_headline_is_honest(shown, text):
    """A gain is called significant only when it is proved and nothing else got worse."""
    assert headline(shown).startswith(text)


def test_better_in_one_and_worse_in_another_is_a_trade_off():
    """Who pays a significant loss for a significant gain is told both, not to keep the default."""
    text = advice(result(FASTER, WORSE, confirmed=True))
    assert text.startswith("A trade-off: output_tokens_per_second for accuracy.")


def choice(trial, accuracy, speed):
    effects = (
        effect(difference=accuracy, interval=Interval(accuracy - 0.05, accuracy + 0.05)),
        effect("output_tokens_per_second", speed, Interval(speed - 0.05, speed + 0.05)),
    )
    return Choice(trial, {}, trial, effects, 5)


def test_what_was_verified_is_shown_as_a_choice():
    """Each configuration says in what it is the best, and what that costs."""
    choices = (choice(16, 0.5, -0.1), choice(7, 0.1, 0.3))
    title, first, second = choice_lines(result(*choices[0].effects, confirmed=True, choices=choices))
    assert title == "Verified over the default, on items that the search never saw:"
    assert first.startswith("  trial 16 (best by the weights, most for accuracy): accuracy +0.500")
    assert second.startswith("  trial 7 (most for output_tokens_per_second): accuracy +0.100")


def test_one_verified_configuration_is_no_choice():
    """The headline says it all."""
    assert not list(choice_lines(result(PROVED, confirmed=True, choices=(choice(16, 0.5, 0.1),))))
