"""Intervals of few measurements: they hold the truth as often as they say, at every corrected level."""

import numpy as np
import pytest
from fakes.records import outcome

from llmopt_core.analysis.effects import Interval
from llmopt_core.analysis.intervals import change, corrected, level, mean, mean_interval
from llmopt_core.metrics.catalog import CATALOG

SPEED = CATALOG["output_tokens_per_second"]
ACCURACY = CATALOG["accuracy"]
DISTINCT = CATALOG["distinct_1"]
GOOD = CATALOG["good_answers_per_second"]


def speeds(*values):
    return [outcome(metrics={SPEED.name: value}) for value in values]


def span(effect):
    return effect.absolute, effect.absolute_interval.low, effect.absolute_interval.high


def scored(*repeats):
    """Return outcomes with one score an item: each repeat is a list of them."""
    return [
        outcome(
            metrics={"accuracy": float(np.mean(scores))},
            samples={f"i{number}": score for number, score in enumerate(scores)},
        )
        for scores in repeats
    ]


@pytest.mark.parametrize("pairs", [2, 5, 24])
@pytest.mark.parametrize("confidence", [0.95, 0.997])
def test_an_interval_holds_the_truth_about_as_often_as_it_says(pairs, confidence):
    """Of 4,000 samples, no more miss the true mean than one minus the confidence and its own chance allow."""
    generator = np.random.default_rng(7)
    samples = generator.normal(1.0, 2.0, size=(4000, pairs))
    spans = [mean_interval(sample, confidence=confidence) for sample in samples]
    missed = np.mean([not low <= 1.0 <= high for _, low, high in spans])
    expected = 1 - confidence
    assert abs(missed - expected) < 4 * np.sqrt(expected * (1 - expected) / len(samples))


def test_one_value_has_no_interval():
    """A single value says nothing about its spread."""
    with pytest.raises(ValueError, match="at least 2"):
        mean_interval(np.array([1.0]), confidence=0.95)


def test_a_correction_shares_the_error_out():
    """Ten intervals that together miss one time in twenty miss one time in two hundred each."""
    assert corrected(0.95, 10) == pytest.approx(0.995)
    assert corrected(0.95, 1) == pytest.approx(0.95)


def test_speeds_are_compared_as_quotients():
    """Twice as fast in every repeat is a change of 100 %, whatever the repeats themselves were."""
    changed = change(SPEED, "maximize", speeds(10, 50, 90), speeds(20, 100, 180), confidence=0.95)
    assert changed.relative == pytest.approx(1.0)
    assert changed.relative_interval == Interval(pytest.approx(1.0), pytest.approx(1.0))


def test_means_and_changes_of_speeds_agree():
    """The quotient of two means, less one, is the change between them."""
    old, new = speeds(40, 50, 44), speeds(60, 52, 71)
    changed = change(SPEED, "maximize", old, new, confidence=0.95)
    assert mean(SPEED, new) / mean(SPEED, old) - 1 == pytest.approx(changed.relative)
    assert (changed.baseline, changed.value) == pytest.approx((mean(SPEED, old), mean(SPEED, new)))
    assert level(SPEED, new, confidence=0.95)[0] == pytest.approx(mean(SPEED, new))


def test_scores_are_compared_item_by_item():
    """An item's repeats are averaged first: they are not independent, so the pairs are the items."""
    old, new = scored([0, 0, 1, 1], [0, 0, 1, 1]), scored([1, 0, 1, 1], [1, 1, 1, 1])
    changed = change(ACCURACY, "maximize", old, new, confidence=0.95)
    assert span(changed) == mean_interval(np.array([1.0, 0.5, 0.0, 0.0]), confidence=0.95)


def test_a_score_without_items_is_compared_repeat_by_repeat():
    """Distinct-n belongs to all answers together: each repeat gives one difference."""
    old, new = ([outcome(metrics={"distinct_1": value}) for value in row] for row in ((0.2, 0.3), (0.4, 0.6)))
    changed = change(DISTINCT, "maximize", old, new, confidence=0.9)
    assert span(changed) == mean_interval(np.array([0.2, 0.3]), confidence=0.9)


def test_the_interval_of_a_score_stays_a_score():
    """What few items leave open is not told as an accuracy below 0 or above 1."""
    _, low, high = level(ACCURACY, scored([1, 1, 1, 0]), confidence=0.99)
    assert low == 0.0
    assert high == 1.0


@pytest.mark.parametrize("old", [speeds(0.0, 5.0), speeds(5.0)])
def test_what_has_no_quotient_or_no_pair_is_not_compared(old):
    """A zero on a ratio scale, and a single repeat, leave no interval, and no error."""
    new = speeds(*[5.0] * len(old))
    assert change(SPEED, "maximize", old, new, confidence=0.95) is None
    assert level(SPEED, old, confidence=0.95) is None
    assert mean(SPEED, old) == pytest.approx(np.mean([each.metrics[SPEED.name] for each in old]))


def good(*values):
    return [outcome(metrics={GOOD.name: value}) for value in values]


def test_repeats_without_a_good_answer_are_compared_by_their_means():
    """Two of five repeats had none: the gain is the quotient of the means, and it is proved."""
    weak, strong = good(0.0, 0.3, 0.0, 0.2, 0.5), good(1.0, 1.1, 0.9, 1.0, 1.0)
    gain = change(GOOD, "maximize", weak, strong, confidence=0.95)
    assert (gain.relative, gain.absolute) == (pytest.approx(4.0), pytest.approx(0.8))
    assert 0 < gain.relative_interval.low < gain.relative < gain.relative_interval.high
    loss = change(GOOD, "maximize", strong, weak, confidence=0.95)
    assert loss.relative == pytest.approx(-0.8)
    assert -1 <= loss.relative_interval.low < loss.relative < loss.relative_interval.high < 0
    assert loss.worse


def test_nothing_but_zeros_is_no_measure_of_a_gain():
    """Nothing is a multiple of zero; and a speed of zero is no measurement."""
    assert change(GOOD, "maximize", good(0.0, 0.0), good(1.0, 1.1), confidence=0.95) is None
    assert change(SPEED, "maximize", speeds(0.0, 1.0), speeds(1.0, 1.1), confidence=0.95) is None


def test_gains_over_a_weak_baseline_are_claimed_by_chance_as_seldom_as_with_logarithms():
    """Of 2,000 comparisons of the same binomial rates, with zeros among them, few claim a difference."""
    generator = np.random.default_rng(3)
    claims, compared = 0, 0
    for _ in range(2000):
        before, after = (generator.binomial(20, 0.12, size=5) / 4 for _ in range(2))
        effect = change(GOOD, "maximize", good(*before), good(*after), confidence=0.95)
        if effect is not None:
            compared += 1
            claims += effect.significant
    assert compared > 1900
    assert claims / compared < 0.06
