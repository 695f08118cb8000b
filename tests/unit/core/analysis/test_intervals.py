"""Intervals of few measurements: they hold the truth as often as they say, at every corrected level."""

import numpy as np
import pytest
from fakes.records import outcome

from llmopt_core.analysis.intervals import corrected, level, mean, mean_interval
from llmopt_core.metrics.catalog import CATALOG

SPEED = CATALOG["output_tokens_per_second"]
ACCURACY = CATALOG["accuracy"]


def speeds(*values):
    return [outcome(metrics={SPEED.name: value}) for value in values]


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


def test_the_interval_of_a_score_stays_a_score():
    """What few items leave open is not reported as an accuracy below 0 or above 1."""
    _, low, high = level(ACCURACY, scored([1, 1, 1, 0]), confidence=0.99)
    assert low == 0.0
    assert high == 1.0


@pytest.mark.parametrize("values", [(0.0, 5.0), (5.0,)])
def test_what_has_no_logarithm_or_is_alone_has_no_interval(values):
    """A zero on a ratio scale, and a single repeat, leave a mean, no interval, and no error."""
    assert level(SPEED, speeds(*values), confidence=0.95) is None
    assert mean(SPEED, speeds(*values)) == pytest.approx(np.mean(values))


def test_the_mean_of_speeds_is_geometric():
    """Twice and half as fast are alike far from the mean, and the interval is around it."""
    middle, low, high = level(SPEED, speeds(20, 40, 80), confidence=0.95)
    assert middle == pytest.approx(40) == mean(SPEED, speeds(20, 40, 80))
    assert middle / low == pytest.approx(high / middle)
