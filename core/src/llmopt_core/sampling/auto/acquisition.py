"""What measuring a configuration is worth: expected improvement, by the probability that it may be used."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Vector = NDArray[np.float64]

# Every further trial on an engine is expected to add this share of what the one before it added.
_FOLLOWING = 0.8
_SESSIONS = (1, 2, 3, 4, 6, 8, 12, 16)


def expected_improvement(mean: Vector, spread: Vector, best: float) -> Vector:
    """Return how much a normal value is expected to exceed `best` (Jones et al. 1998)."""
    place = (mean - best) / spread
    density = np.exp(-0.5 * place**2) / math.sqrt(2 * math.pi)
    return np.asarray(spread * (place * ndtr(place) + density))


def within(mean: Vector, spread: Vector, minimum: float | None, maximum: float | None) -> Vector:
    """Return the probability that a normal value lies within the bounds."""
    upper = 1.0 if maximum is None else ndtr((maximum - mean) / spread)
    lower = 0.0 if minimum is None else ndtr((minimum - mean) / spread)
    return np.clip(np.asarray(upper - lower, dtype=np.float64) + np.zeros_like(mean), 0.0, 1.0)


def gain_per_second(
    gain: Vector, seconds: Vector, running: NDArray[np.bool_], start_seconds: float, most_trials: int
) -> Vector:
    """Return the expected gain per second of engine time at each configuration.

    On the running engine a configuration costs its measurement. Another engine costs a start too, which
    serves up to `most_trials` trials: the rate is that of the best length of such a session, each further
    trial adding a falling share of the gain.
    """
    starting = np.zeros_like(gain)
    for trials in _SESSIONS:
        if trials > most_trials:
            break
        total = gain * (1 - _FOLLOWING**trials) / (1 - _FOLLOWING)
        starting = np.maximum(starting, total / (start_seconds + trials * seconds))
    return np.where(running, gain / seconds, starting)
