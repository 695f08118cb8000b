"""What every fitted regression model can do."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


class Predictor(Protocol):
    """A fitted regression model that knows how uncertain it is."""

    @property
    def targets(self) -> Vector:
        """The targets of the rows that `held_out` predicts."""

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return the mean and the standard deviation at each of `rows`, both of shape (rows,)."""

    def held_out(self) -> tuple[Vector, Vector]:
        """Return mean and standard deviation at each row of the fit, predicted without its target."""

    def draws(self, rows: Matrix, count: int, chance: np.random.Generator) -> Matrix:
        """Return functions that may be the true one, evaluated at `rows`: shape (count, rows)."""
