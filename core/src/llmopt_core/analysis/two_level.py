"""Means and contrasts of measurements that come in groups: by engine start and by item or block.

Two starts of one configuration can differ by several percent for all items at once, so items of one start
are not independent. Speeds: blocks lie within cells (one candidate in one round, usually an engine start of
its own), and a straight line in time or the rounds take out what drifts. Scores: each item is answered
on several starts, and starts and items both contribute (two-way clustering: Cameron, Gelbach and Miller 2011,
"Robust Inference with Multiway Clustering").
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A candidate, and the round it was measured in.
Cell = tuple[int, int]
# An engine start, or a round, and an item.
Answer = tuple[Hashable, Hashable]

_FEWEST = 2


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error and the degrees of freedom of that.

    `floor` is the part of the standard error that more rounds of the same kind do not reduce.
    """

    value: float
    standard_error: float
    degrees: float
    floor: float = 0.0


@dataclass(frozen=True)
class Components:
    """Variances of one measurement: `start` between engine starts, `item` within one, `time` between rounds.

    On the scale of the estimate: of logarithms for speeds, so that the square root is a relative spread.
    """

    start: float
    item: float
    time: float = 0.0


def contrasts(
    cells: Mapping[Cell, Sequence[float]], baseline: int = 0, *, when: Mapping[Cell, float] | None = None
) -> dict[int, Estimate]:
    """Return each candidate's difference to `baseline`, where both were measured in a common round.

    Mean of a cell = candidate + drift + start. Drift is a straight line in the time `when` each cell was
    measured (analysis of covariance), which leaves two or three rounds degrees of freedom enough to decide
    something; what it does not follow counts as spread. Without `when` it is one value a round: for
    candidates that share the starts, which then cancel. All candidates share one variance of cells. Empty
    where no degree of freedom is left.
    """
    fit = _fit(cells, when)
    if fit is None or baseline not in fit.candidates:
        return {}
    return {
        candidate: fit.contrast(candidate, baseline)
        for candidate in fit.candidates
        if candidate != baseline and _share_a_round(cells, candidate, baseline)
    }


def speed_components(cells: Mapping[Cell, Sequence[float]]) -> Components | None:
    """Return the variances of the values in `cells`, None where no degree of freedom is left."""
    fit = _fit(cells, None)
    if fit is None:
        return None
    blocks = np.array([len(values) for values in cells.values()])
    spare = int((blocks - 1).sum())
    within = sum(float(np.var(values)) * len(values) for values in cells.values()) / spare if spare else 0.0
    per_block = float((1 / blocks).mean())
    rounds = fit.effects[len(fit.candidates) :]
    between = float(np.var(rounds, ddof=1)) if len(rounds) > 1 else 0.0
    time = max(0.0, between - fit.variance / len(fit.candidates))
    return Components(max(0.0, fit.variance - within * per_block), within, time)


@dataclass(frozen=True)
class _Fit:
    candidates: tuple[int, ...]
    effects: Floats
    unscaled: Floats  # covariance of the effects / variance of a cell
    variance: float
    degrees: int

    def contrast(self, candidate: int, baseline: int) -> Estimate:
        weights = np.zeros(len(self.effects))
        weights[self.candidates.index(candidate)], weights[self.candidates.index(baseline)] = 1.0, -1.0
        error = math.sqrt(max(0.0, float(weights @ self.unscaled @ weights)) * self.variance)
        return Estimate(float(weights @ self.effects), error, self.degrees)


def _fit(cells: Mapping[Cell, Sequence[float]], when: Mapping[Cell, float] | None) -> _Fit | None:
    """Fit candidates and drift to the means of `cells` by least squares."""
    if not cells:
        return None
    places = tuple(cells)
    design = _design(places, None if when is None else tuple(when[cell] for cell in places))
    if design.degrees < 1:
        return None
    means = np.array([fmean(values) for values in cells.values()])
    effects = design.solve @ means
    residual = means - design.columns @ effects
    variance = float(residual @ residual) / design.degrees
    candidates = tuple(sorted({candidate for candidate, _ in places}))
    return _Fit(candidates, effects, design.unscaled, variance, design.degrees)


@dataclass(frozen=True)
class _Design:
    columns: Floats
    solve: Floats  # from means of cells to effects
    unscaled: Floats
    degrees: int


@lru_cache(maxsize=64)  # one of the largest verifications allowed takes a megabyte
def _design(cells: tuple[Cell, ...], times: tuple[float, ...] | None) -> _Design:
    """Return the matrices of a fit: they depend on what was measured when, not on what was found."""
    when = None if times is None else dict(zip(cells, times, strict=True))
    columns = np.array([*candidate_columns(cells), *drift_columns(cells, when)], dtype=np.float64).T
    unscaled = np.asarray(np.linalg.pinv(columns.T @ columns), dtype=np.float64)
    return _Design(columns, unscaled @ columns.T, unscaled, len(cells) - int(np.linalg.matrix_rank(columns)))


def candidate_columns(cells: Sequence[Cell]) -> list[list[float]]:
    """Return a design's columns, one for each candidate: 1 in its cells."""
    return [
        [float(candidate == one) for candidate, _ in cells] for one in sorted({place for place, _ in cells})
    ]


def drift_columns(cells: Sequence[Cell], when: Mapping[Cell, float] | None) -> list[list[float]]:
    """Return a design's columns for drift: the centred time, or one a round without times."""
    if when is None:
        return [[float(round_ == one) for _, round_ in cells] for one in sorted({each for _, each in cells})]
    middle = fmean(when[cell] for cell in cells)
    return [[when[cell] - middle for cell in cells]]


def _share_a_round(cells: Mapping[Cell, Sequence[float]], one: int, other: int) -> bool:
    return any((other, round_) in cells for candidate, round_ in cells if candidate == one)


def crossed_mean(answers: Mapping[Answer, float], *, pseudo: float = 0.0) -> Estimate | None:
    """Return the mean of `answers`, each of a start and an item; None with fewer than 2 starts or items.

    The start level counts only where it exceeds what items alone explain. `pseudo` > 0 adds that many squared
    units to the items' sum of squares, and two items: for differences of paired scores in 0..1 one unit is
    the correction of Agresti and Min (2005, "Simple improved confidence intervals for comparing matched
    proportions"), so that a few equal answers are not taken as exact.
    """
    levels = _levels(answers, pseudo)
    if levels is None:
        return None
    extra = max(0.0, levels.start - levels.cell)
    variance = levels.item + extra
    spread = levels.item**2 / (levels.items - 1)
    if extra:
        spread += levels.start**2 / (levels.starts - 1) + levels.cell**2 / (levels.count - 1)
    degrees = variance**2 / spread if spread else float(levels.items - 1)
    floor = math.sqrt(levels.item) if levels.repeated else 0.0
    return Estimate(levels.mean, math.sqrt(variance), degrees, floor)


def score_components(answers: Mapping[Answer, float]) -> Components | None:
    """Return the variances of `answers`; None with fewer than 2 starts or items."""
    levels = _levels(answers, 0.0)
    if levels is None:
        return None
    start = max(0.0, levels.start - levels.cell) * levels.starts
    return Components(start, levels.item * levels.items)


@dataclass(frozen=True)
class _Levels:
    """Variances of the mean as if starts, items or single answers were what is independent."""

    mean: float
    start: float
    item: float
    cell: float
    starts: int
    items: int
    count: int

    @property
    def repeated(self) -> bool:
        """Whether items were answered on several starts: further rounds bring no new items."""
        return self.count > self.items


def _levels(answers: Mapping[Answer, float], pseudo: float) -> _Levels | None:
    if not answers:
        return None
    mean = sum(answers.values()) / len(answers)
    starts: dict[Hashable, float] = {}
    items: dict[Hashable, float] = {}
    for (start, item), value in answers.items():
        starts[start] = starts.get(start, 0.0) + value - mean
        items[item] = items.get(item, 0.0) + value - mean
    if min(len(starts), len(items)) < _FEWEST:
        return None
    singles = [value - mean for value in answers.values()]
    return _Levels(
        mean=mean,
        start=_clustered(list(starts.values()), len(answers)),
        item=_clustered(list(items.values()), len(answers), pseudo),
        cell=_clustered(singles, len(answers)),
        starts=len(starts),
        items=len(items),
        count=len(answers),
    )


def _clustered(sums: Sequence[float], count: int, pseudo: float = 0.0) -> float:
    """Return the variance of a mean of `count` values, where `sums` of residuals are independent."""
    clusters = len(sums) + 2 * pseudo
    size = count / len(sums)
    squares = sum(value**2 for value in sums) / size**2 + pseudo
    return squares / clusters / (clusters - 1)
