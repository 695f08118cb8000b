"""Means of repeats and their intervals.

Speed and memory are averaged over repeats by their logarithms, scores over items. The interval of a mean is
Student's (1908, "The Probable Error of a Mean"). It keeps its error rate with two values as with a hundred. A
percentile bootstrap cannot leave the range of the values themselves: of three to ten it misses the truth
several times as often as it says, and the more so, the further its level is corrected.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from llmopt_core.analysis.student import quantile
from llmopt_core.metrics.catalog import Metric
from llmopt_core.storage.records import Outcome

FEWEST_PAIRS = 2
Floats = NDArray[np.float64]
# A mean and the two ends of its interval.
Span = tuple[float, float, float]


def mean_interval(values: Floats, *, confidence: float) -> Span:
    """Return the mean of `values` (shape (n,), n >= 2) and its interval at `confidence` (such as 0.95)."""
    count = len(values)
    if count < FEWEST_PAIRS:
        raise ValueError(f"an interval needs at least {FEWEST_PAIRS} values, not {count}")
    reach = quantile((1 + confidence) / 2, count - 1) * values.std(ddof=1) / np.sqrt(count)
    mean = float(values.mean())
    return mean, mean - float(reach), mean + float(reach)


def corrected(confidence: float, comparisons: int) -> float:
    """Return the confidence of each of several intervals that together hold at `confidence`.

    Bonferroni's correction (Dunn 1961, "Multiple Comparisons among Means"), whatever the dependence.
    """
    return 1 - (1 - confidence) / comparisons


def level(metric: Metric, outcomes: Sequence[Outcome], *, confidence: float) -> Span | None:
    """Return the mean of `metric` over repeats of one configuration, with an interval.

    Neither end of a score's lies outside 0 to 1. None where there are too few values, or zeros on a ratio
    scale.
    """
    ratio = metric.scale == "ratio"
    found = _logarithms(metric, outcomes) if ratio else _scores(metric, outcomes)
    if len(found) < FEWEST_PAIRS or not np.isfinite(found).all():
        return None
    middle, low, high = mean_interval(found, confidence=confidence)
    if ratio:
        return float(np.exp(middle)), float(np.exp(low)), float(np.exp(high))
    return middle, max(0.0, low), min(1.0, high)


def mean(metric: Metric, outcomes: Sequence[Outcome]) -> float:
    """Return the mean of `metric` over one repeat or more.

    On a ratio scale it is the geometric one, so that quotients of means are the changes, unless there is a
    zero; the mean of scores is over the items.
    """
    if metric.scale != "ratio":
        return float(_scores(metric, outcomes).mean())
    logarithms = _logarithms(metric, outcomes)
    if np.isfinite(logarithms).all():
        return float(np.exp(logarithms.mean()))
    return float(_values(metric, outcomes).mean())


def _scores(metric: Metric, outcomes: Sequence[Outcome]) -> Floats:
    if not _has_items(metric, outcomes):
        return _values(metric, outcomes)
    scores: dict[str, list[float]] = {}
    for outcome in outcomes:
        for item, score in outcome.samples.items():
            scores.setdefault(item, []).append(score)
    return _by_item(scores)


def _has_items(metric: Metric, outcomes: Sequence[Outcome]) -> bool:
    """Say whether there is a score per item: not for distinct-n and goodput, which give one per repeat."""
    return all(outcome.sample_metric == metric.name for outcome in outcomes)


def _by_item(values: Mapping[str, Sequence[float]]) -> Floats:
    """Return one value per item, its repeats averaged: repeats of an item are not independent."""
    return np.array([np.mean(values[item]) for item in sorted(values)])


def _values(metric: Metric, outcomes: Sequence[Outcome]) -> Floats:
    return np.array([outcome.metrics[metric.name] for outcome in outcomes])


def _logarithms(metric: Metric, outcomes: Sequence[Outcome]) -> Floats:
    with np.errstate(divide="ignore"):  # a zero becomes minus infinity, which is looked for
        return np.log(_values(metric, outcomes))
