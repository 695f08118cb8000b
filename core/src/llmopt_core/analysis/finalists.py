"""Which configurations of a search are worth verifying: a few that differ clearly. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Differences of this many standard errors are distinguished from noise.
_CLEAR = 2.0
MOST_FINALISTS = 4


@dataclass(frozen=True)
class Contender:
    """A configuration that the search measured.

    `gains` over the baseline, one an objective, positive where it is better: logarithms of quotients on a
    ratio scale, else differences. `errors` are their standard errors (0 where nothing is known).
    """

    trial: int
    gains: tuple[float, ...]
    errors: tuple[float, ...]
    feasible: bool = True


def choose_finalists(
    contenders: Sequence[Contender],
    weights: Sequence[float],
    smallest_gains: Sequence[float],
    *,
    most: int = MOST_FINALISTS,
    must_gain: bool = True,
) -> tuple[Contender, ...]:
    """Return up to `most` finalists, the best by the weights first, then each objective's best, and the knee.

    Only feasible ones that gain something count (without `must_gain` all feasible ones), and only what is
    clearly better in some objective than each that was chosen before: of two that are equal within noise, and
    of one that is equal and worse, one is verified. `smallest_gains` is per objective: a smaller difference
    counts as none.
    """
    able = [each for each in contenders if each.feasible and (max(each.gains) > 0 or not must_gain)]
    chosen: list[Contender] = []
    for each in _in_order(able, weights):
        if len(chosen) < most and all(is_clearly_better(each, other, smallest_gains) for other in chosen):
            chosen.append(each)
    return tuple(chosen)


def is_clearly_better(one: Contender, other: Contender, smallest_gains: Sequence[float]) -> bool:
    """Say whether `one` is better in some objective by more than noise and the smallest relevant gain."""
    noise = _CLEAR * np.hypot(one.errors, other.errors)
    return bool((np.subtract(one.gains, other.gains) > np.maximum(noise, smallest_gains)).any())


def _in_order(able: Sequence[Contender], weights: Sequence[float]) -> Iterator[Contender]:
    if not able:
        return
    total = sum(weights)
    yield max(able, key=lambda each: (np.dot(each.gains, weights) / total, -each.trial))
    for place in range(len(weights)):
        yield max(able, key=lambda each: (each.gains[place], np.dot(each.gains, weights), -each.trial))
    yield _knee(able)


def _knee(able: Sequence[Contender]) -> Contender:
    """Return the one whose worst objective, scaled to the range of those on the front, is best."""
    front = [each for each in able if not any(_dominates(other, each) for other in able)]
    gains = np.array([each.gains for each in front])
    low, spread = gains.min(axis=0), np.ptp(gains, axis=0)
    scaled = (gains - low) / np.where(spread > 0, spread, 1.0)
    scaled[:, spread == 0] = 1.0  # all are equal in it
    return front[int(scaled.min(axis=1).argmax())]


def _dominates(one: Contender, other: Contender) -> bool:
    return all(a >= b for a, b in zip(one.gains, other.gains, strict=True)) and one.gains != other.gains
