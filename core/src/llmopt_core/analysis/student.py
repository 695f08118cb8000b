"""Student's t distribution with any degrees of freedom, whole or not.

Written out because it is all that would bring scipy into a process that only reads studies: 140 MB on disk
and 50 MB of memory.
"""

import math
from functools import lru_cache

_STEPS = 64  # more than a double has digits, so that halving alone would do
_TERMS = 500
_SMALLEST = 1e-300
_PRECISION = 1e-15


@lru_cache(maxsize=4096)
def quantile(probability: float, degrees: float) -> float:
    """Return the value that Student's t with `degrees` (> 0) is below with `probability` (in (0, 1))."""
    if not 0 < probability < 1 or degrees <= 0:
        raise ValueError(f"no quantile at probability {probability} with {degrees} degrees of freedom")
    outside = 2 * min(probability, 1 - probability)
    low, high = 0.0, math.pi / 2  # t = sqrt(degrees) * tan(angle): the angle is bounded, t is not
    angle = (low + high) / 2
    for _ in range(_STEPS):
        excess = _outside(angle, degrees) - outside
        low, high = (angle, high) if excess > 0 else (low, angle)
        newton = angle + excess / _density(angle, degrees)
        closer = newton if low < newton < high else (low + high) / 2
        if abs(closer - angle) < _PRECISION:
            break
        angle = closer
    return math.copysign(math.sqrt(degrees) * math.tan(angle), probability - 0.5)


def two_sided(value: float, degrees: float) -> float:
    """Return P(|T| > |value|) for Student's t with `degrees` (> 0)."""
    return _outside(math.atan(abs(value) / math.sqrt(degrees)), degrees)


def _density(angle: float, degrees: float) -> float:
    """Return how fast `_outside` falls with the angle; never 0."""
    scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - math.lgamma(0.5)
    return max(_SMALLEST, 2 * math.exp(scale) * math.pow(math.cos(angle), degrees - 1))


def _outside(angle: float, degrees: float) -> float:
    """Return P(|T| > sqrt(degrees) * tan(angle)): Abramowitz and Stegun, 26.7.1."""
    return _incomplete_beta(math.cos(angle) ** 2, degrees / 2, 0.5)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b): Abramowitz and Stegun, 26.5."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast below this
        return 1 - _incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / a / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of 26.5.8 by Lentz's method (Thompson and Barnett 1986)."""
    value, upper, lower = 1.0, 1.0, 0.0
    for term in range(1, _TERMS):
        lower = 1 / _away_from_zero(1 + _coefficient(term, x, a, b) * lower)
        upper = _away_from_zero(1 + _coefficient(term, x, a, b) / upper)
        value *= upper * lower
        if abs(upper * lower - 1) < _PRECISION:
            break
    return value


def _coefficient(term: int, x: float, a: float, b: float) -> float:
    half, odd = divmod(term, 2)
    if odd:
        return -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
    return half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _SMALLEST else _SMALLEST
