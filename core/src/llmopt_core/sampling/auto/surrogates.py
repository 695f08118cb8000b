"""The model of one metric: a forest and a Gaussian process, each counted by how well it predicts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.sampling.auto.forests import fit_forest
from llmopt_core.sampling.auto.gaussian import fit_process
from llmopt_core.sampling.auto.informed import Prior, ScaledPrior, fit_informed
from llmopt_core.sampling.auto.predictors import Predictor

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# With fewer rows a forest says little, and no held-out score is worth a choice.
_LEAST_FOR_FOREST = 16
# A member with a smaller share is left out.
_LEAST_SHARE = 0.05
# The difference of two held-out log densities counts by this many of the rows.
_EVIDENCE = 0.5
_SMALL = 1e-9


@dataclass(frozen=True)
class TargetScale:
    """A metric's values as a model's targets: logarithms of ratio scales, standardised."""

    logarithmic: bool
    centre: float
    width: float

    def targets(self, values: Vector) -> Vector:
        """Return `values` on this scale."""
        shifted = np.log(values) if self.logarithmic else values
        return np.asarray((shifted - self.centre) / self.width, dtype=np.float64)

    def target(self, value: float) -> float:
        """Return one value on this scale; zero and below lie at minus infinity of a logarithmic one."""
        if self.logarithmic and value <= 0:
            return -math.inf
        return ((math.log(value) if self.logarithmic else value) - self.centre) / self.width

    @property
    def relative(self) -> float:
        """What one unit of the targets is as a relative difference, for small ones its logarithm.

        At most 1 where the scale is not logarithmic: of values about zero, as where no answer is right yet, a
        share of their spread is taken for it.
        """
        return self.width if self.logarithmic else self.width / max(abs(self.centre), self.width)


@dataclass(frozen=True)
class Surrogate:
    """The fitted model of one metric: a mixture of `members`, each with its share."""

    scale: TargetScale
    members: tuple[tuple[float, Predictor], ...]

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return mean and standard deviation of the metric without its noise, as targets of `scale`."""
        parts = [(share, *member.predict(rows)) for share, member in self.members]
        mean = np.sum([share * centre for share, centre, _ in parts], axis=0)
        square = np.sum([share * (spread**2 + centre**2) for share, centre, spread in parts], axis=0)
        return mean, np.sqrt(np.maximum(square - mean**2, 1e-10))

    def draws(self, rows: Matrix, count: int, chance: np.random.Generator) -> Matrix:
        """Return functions that may be the true one, evaluated at `rows`: shape (count, rows)."""
        shares = [share for share, _ in self.members]
        counts = chance.multinomial(count, shares)
        parts = [
            member.draws(rows, int(part), chance)
            for (_, member), part in zip(self.members, counts, strict=True)
            if part
        ]
        return chance.permutation(np.vstack(parts), axis=0)


def is_logarithmic(metric: str, values: Sequence[float]) -> bool:
    """Say whether ratios of `metric` count: by the catalogue, else where some `values` are above 1."""
    if min(values) <= 0:
        return False
    known = CATALOG.get(metric)
    return known.scale == "ratio" if known is not None else max(values) > 1


def fit_surrogate(
    rows: Matrix,
    values: Sequence[float],
    errors: Sequence[float],
    seed: int,
    *,
    logarithmic: bool,
    prior: Prior | None = None,
) -> Surrogate:
    """Return the model of `values` at `rows`; `errors` are their known standard errors, 0 where unknown.

    With a `prior`, a process about it is a member too, as far as it predicts better than the others.
    """
    raw = np.asarray(values, dtype=np.float64)
    scale = _scale(raw, logarithmic=logarithmic)
    targets = scale.targets(raw)
    spread = np.asarray(errors, dtype=np.float64) / (raw if logarithmic else 1.0) / scale.width
    members: list[Predictor] = [fit_process(rows, targets, spread**2)]
    if prior is not None:
        expected = ScaledPrior(prior, scale.centre, scale.width)
        members.append(fit_informed(rows, targets, spread**2, expected))
    if len(raw) >= _LEAST_FOR_FOREST:
        members.append(fit_forest(rows, targets, spread**2, seed))
    return Surrogate(scale, _weighed(members, len(raw)))


def _scale(raw: Vector, *, logarithmic: bool) -> TargetScale:
    shifted = np.log(raw) if logarithmic else raw
    width = float(shifted.std())
    return TargetScale(logarithmic, float(shifted.mean()), width if width > _SMALL else 1.0)


def _weighed(members: Sequence[Predictor], rows: int) -> tuple[tuple[float, Predictor], ...]:
    """Return the members with shares by how well each predicts the targets that are held out from it."""
    scores = np.array([_score(*each.held_out(), each.targets) for each in members])
    shares = np.exp(np.maximum((scores - scores.max()) * rows * _EVIDENCE, -50.0))
    shares = np.where(shares < _LEAST_SHARE * shares.sum(), 0.0, shares)
    shares /= shares.sum()
    return tuple((float(share), each) for share, each in zip(shares, members, strict=True) if share)


def _score(mean: Vector, spread: Vector, targets: Vector) -> float:
    """Return the mean log density of `targets`, each spread widened by what suits all of them best."""
    variance = spread**2 + 1e-3
    squares = (targets - mean) ** 2
    variance = variance * max(float((squares / variance).mean()), 1e-6)
    return float((-0.5 * squares / variance - 0.5 * np.log(variance)).mean())
