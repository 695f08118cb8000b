"""A Gaussian process about what earlier studies predict, instead of about one value."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from llmopt_core.sampling.auto.gaussian import GaussianProcess, fit_process

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class Prior(Protocol):
    """What is expected of a metric before it is measured."""

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the expected values at `rows`, shape (rows,), logarithms where the model has them."""


@dataclass(frozen=True)
class ScaledPrior:
    """A prior on the scale of a model's targets: `centre` is their zero, `width` their unit."""

    prior: Prior
    centre: float
    width: float

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the expected targets at `rows`."""
        return np.asarray((self.prior.mean_at(rows) - self.centre) / self.width)


@dataclass(frozen=True)
class InformedProcess:
    """The process `rest` of what a prior leaves unexplained: a `Predictor` of the whole."""

    prior: Prior
    rest: GaussianProcess

    @property
    def targets(self) -> Vector:
        """The targets of the fit, for as many rows as it kept."""
        return self.rest.targets + self.prior.mean_at(self.rest.rows)

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return the mean and the standard deviation at each of `rows`."""
        mean, spread = self.rest.predict(rows)
        return mean + self.prior.mean_at(rows), spread

    def held_out(self) -> tuple[Vector, Vector]:
        """Return mean and standard deviation at each row of the fit, predicted without its target."""
        mean, spread = self.rest.held_out()
        return mean + self.prior.mean_at(self.rest.rows), spread

    def draws(self, rows: Matrix, count: int, chance: np.random.Generator) -> Matrix:
        """Return functions that may be the true one, evaluated at `rows`: shape (count, rows)."""
        return self.rest.draws(rows, count, chance) + self.prior.mean_at(rows)


def fit_informed(rows: Matrix, targets: Vector, known: Vector, prior: Prior) -> InformedProcess:
    """Return the process about `prior` that suits `targets`; `known` is the variance of each one's noise."""
    return InformedProcess(prior, fit_process(rows, targets - prior.mean_at(rows), known))
