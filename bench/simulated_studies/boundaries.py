"""Boundaries for repeated looks, compared: when a gain is decided, and how often."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from llmopt_core.analysis.sequential import boundary
from llmopt_core.analysis.student import quantile
from simulated_studies.scenarios import GAIN
from simulated_studies.tables import share


def boundary_rows(count: int) -> Iterator[str]:
    """Compare boundaries: mean rounds until +5 % is decided to be better, and how often within the limit."""
    generator = np.random.default_rng(11)
    for candidates, objectives, rounds, spread in (
        (1, 1, 10, 0.02),
        (1, 2, 10, 0.02),
        (3, 2, 10, 0.02),
        (3, 2, 5, 0.01),
    ):
        values = generator.normal(0, spread, (rounds, count, candidates + 1))
        values[..., 1] += GAIN
        found = boundary(candidates, objectives, rounds, shared=True)
        family = candidates * objectives
        rules: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
            "simulated": partial(crosses, found.level, found.first_look),
            "Bonferroni over looks": partial(crosses, 0.05 / family / (rounds - 1), 2),
            "mixture martingale (e-values)": partial(evidence, family / 0.05),
        }
        for name, rule in rules.items():
            decided = np.full(count, rounds + 1)
            for seen in range(rounds, 1, -1):
                degrees = candidates * (seen - 1)
                decided[rule(statistics(values[:seen], degrees), seen, degrees)] = seen
            inside = decided <= rounds
            mean = np.minimum(decided, rounds).mean()
            yield (
                f"| {candidates} | {objectives} | {rounds} | {100 * spread:.0f} % | {name} | {mean:.2f} | "
                f"{share(list(inside))} |"
            )


def statistics(values: np.ndarray, degrees: int) -> np.ndarray:
    """Return the first candidate's t statistic; `values`: (rounds, studies, 1 + candidates)."""
    means = values.mean(axis=0)
    residual = values - means - values.mean(axis=-1, keepdims=True) + means.mean(axis=-1)[None, :, None]
    error = np.sqrt(2 * (residual**2).sum(axis=(0, -1)) / degrees / len(values))
    return (means[:, 1] - means[:, 0]) / error


def crosses(level: float, first: int, t: np.ndarray, look: int, degrees: int) -> np.ndarray:
    return (t > quantile(1 - level / 2, degrees)) & (look >= first)


def evidence(threshold: float, t: np.ndarray, look: int, degrees: int) -> np.ndarray:
    """Compare the Bayes factor of the t statistic with a threshold: Wang and Ramdas 2024.

    The mixture is a normal one over standardised effects with a standard deviation of 2.
    """
    spread = 1 + look / 2 * 4.0
    power = (degrees + 1) / 2
    factor = spread**-0.5 * ((1 + t**2 / degrees) / (1 + t**2 / degrees / spread)) ** power
    return (factor > threshold) & (t > 0)


BOUNDARY_HEADER = """

## Boundaries

Rounds until a gain of 5 % of one candidate is decided, by what is used for repeated looks (the spread of one
measurement as given, compared round by round; {count:,} studies).

| candidates | objectives | largest number of rounds | spread | boundary | rounds | decided, % |
| --- | --- | --- | --- | --- | --- | --- |
"""
