"""How long users think between the turns of a conversation: drawn by seed, the same in all trials. Pure."""

import math
from statistics import NormalDist

from llmopt_core.resources.base import short_duration_seconds
from llmopt_core.resources.load import ThinkTime
from llmopt_runner.datasets.draws import Draw


def think_seconds(think: ThinkTime | None, conversation: str, count: int, seed: int) -> list[float]:
    """Return the times before the `count` later turns of `conversation`; zeros where nobody thinks."""
    if think is None:
        return [0.0] * count
    draw = Draw(f"think/{seed}/{conversation}")
    return [_one(think, draw.fraction()) for _ in range(count)]


def _one(think: ThinkTime, fraction: float) -> float:
    """Return the quantile `fraction` of the distribution."""
    mean = short_duration_seconds(think.mean)
    if think.distribution == "exponential":
        return -mean * math.log1p(-fraction)
    if think.distribution == "lognormal":
        deviation = short_duration_seconds(think.standard_deviation or think.mean)
        variance = math.log1p((deviation / mean) ** 2)
        return mean * math.exp(math.sqrt(variance) * NormalDist().inv_cdf(fraction) - variance / 2)
    return mean
