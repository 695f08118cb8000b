"""A Gaussian process with a length scale per column, small enough to be fitted anew for every proposal."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_ROOT5 = math.sqrt(5.0)
# Added to the diagonal, so that equal rows can be inverted.
_JITTER = 1e-6
_DRAW_JITTER = 1e-6
# Targets are standardised: before any is seen, a thousandth of their variance is taken for noise. Both priors
# are wide: exact repeats must be recognised as exact, and parameters without effect as such.
_NOISE, _NOISE_SPREAD = math.log(1e-3), 2.0
_SCALE, _SCALE_SPREAD = -0.3, 1.5
_SCALE_BOUNDS = (math.log(0.05), math.log(50.0))
_VARIANCE_BOUNDS = (math.log(0.05), math.log(20.0))
_NOISE_BOUNDS = (math.log(1e-5), math.log(2.0))
# Time grows with the cube of the rows: scales are found on so many, and so many are conditioned on, of them
# the newest, which lie where the search goes on, and those with the highest and lowest targets.
_SCALE_ROWS = 80
_MOST_ROWS = 240
_NEWEST, _EXTREME = 100, 20
# The search for the scales ends when a step changes the likelihood by less than this share.
_STEPS, _TOLERANCE = 25, 1e-5


@dataclass(frozen=True)
class GaussianProcess:
    """A fitted process; `factor` is the Cholesky factor of the covariance of `targets`, noise included."""

    rows: Matrix
    inverse_scales: Vector
    variance: float
    noise: float
    factor: Matrix
    weights: Vector
    targets: Vector
    mean: float

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return the mean and the standard deviation at each of `rows`, without the noise."""
        cross = self._covariance(rows)
        mean = self.mean + cross @ self.weights
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        variance = self.variance - np.einsum("ij,ij->j", half, half)
        return mean, np.sqrt(np.maximum(variance, 1e-10))

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the mean at each of `rows`, a part of the time that `predict` takes."""
        return np.asarray(self.mean + self._covariance(rows) @ self.weights)

    def held_out(self) -> tuple[Vector, Vector]:
        """Return mean and deviation of each target given all others (Sundararajan & Keerthi 2001)."""
        inverse = cho_solve((self.factor, True), np.eye(len(self.targets)), check_finite=False)
        diagonal = np.diag(inverse)
        return self.targets - self.weights / diagonal, np.sqrt(1.0 / diagonal)

    def draws(self, rows: Matrix, count: int, chance: np.random.Generator) -> Matrix:
        """Return `count` functions drawn from the process at `rows`, shape (count, rows)."""
        scaled = rows * self.inverse_scales
        cross = self._covariance(rows)
        half = solve_triangular(self.factor, cross.T, lower=True, check_finite=False)
        spread = self.variance * _matern(_distances(scaled, scaled)) - half.T @ half
        spread[np.diag_indices_from(spread)] += _DRAW_JITTER * self.variance
        factor = cholesky(spread, lower=True, check_finite=False)
        noise = chance.standard_normal((count, len(rows))) @ factor.T
        return np.asarray(self.mean + cross @ self.weights + noise)

    def _covariance(self, rows: Matrix) -> Matrix:
        distances = _distances(rows * self.inverse_scales, self.rows * self.inverse_scales)
        return np.asarray(self.variance * _matern(distances))


def fit_process(rows: Matrix, targets: Vector, known: Vector) -> GaussianProcess:
    """Return the process that suits `targets` best; `known` is the variance of each target's noise."""
    centre = float(targets.mean())
    kept = _most_informative(targets)
    rows, targets, known = rows[kept], targets[kept], known[kept]
    chosen = _evenly(len(rows), _SCALE_ROWS)
    parameters = _search(rows[chosen], targets[chosen] - centre, known[chosen], _STEPS)
    return _conditioned(rows, targets, known, parameters, centre)


def _most_informative(targets: Vector) -> NDArray[np.intp]:
    """Return the places of at most `_MOST_ROWS` targets, sorted."""
    count = len(targets)
    if count <= _MOST_ROWS:
        return np.arange(count)
    order = np.argsort(targets, kind="stable")
    chosen = {*range(count - _NEWEST, count), *order[:_EXTREME].tolist(), *order[-_EXTREME:].tolist()}
    others = np.array([place for place in range(count) if place not in chosen])
    return np.array(sorted({*chosen, *others[_evenly(len(others), _MOST_ROWS - len(chosen))].tolist()}))


def _evenly(count: int, most: int) -> NDArray[np.intp]:
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).astype(np.intp)


def _conditioned(
    rows: Matrix, targets: Vector, known: Vector, parameters: Vector, centre: float
) -> GaussianProcess:
    width = rows.shape[1]
    inverse_scales = np.exp(-parameters[:width])
    variance, noise = math.exp(parameters[width]), math.exp(parameters[width + 1])
    scaled = rows * inverse_scales
    matrix: Matrix = variance * _matern(_distances(scaled, scaled))
    matrix[np.diag_indices_from(matrix)] += noise + known + _JITTER
    factor = cholesky(matrix, lower=True, check_finite=False)
    weights = cho_solve((factor, True), targets - centre, check_finite=False)
    return GaussianProcess(rows, inverse_scales, variance, noise, factor, weights, targets, centre)


def _search(rows: Matrix, targets: Vector, known: Vector, steps: int) -> Vector:
    """Return the logarithms of the length scales, the variance and the noise, all most probable a posteriori.

    Length scales are expected to grow with the root of the number of columns (Hvarfner et al. 2024).
    """
    width = rows.shape[1]
    expected = np.array([*[0.5 * math.log(max(width, 1)) + _SCALE] * width, 0.0, _NOISE])
    spreads = np.array([*[_SCALE_SPREAD] * width, 1.0, _NOISE_SPREAD])
    squares = (rows[:, None, :] - rows[None, :, :]) ** 2

    def loss(parameters: Vector) -> tuple[float, Vector]:
        value, gradient = _negative_likelihood(parameters, squares, targets, known)
        away = (parameters - expected) / spreads
        return value + 0.5 * float(away @ away), gradient + away / spreads

    bounds = [*[_SCALE_BOUNDS] * width, _VARIANCE_BOUNDS, _NOISE_BOUNDS]
    options = {"maxiter": steps, "ftol": _TOLERANCE}
    found = minimize(loss, expected, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x, dtype=np.float64)


def _negative_likelihood(
    parameters: Vector, squares: NDArray[np.float64], targets: Vector, known: Vector
) -> tuple[float, Vector]:
    """Return the value and its gradient (Rasmussen & Williams 2006, equations 5.8 and 5.9)."""
    width = squares.shape[2]
    weights = np.exp(-2.0 * parameters[:width])
    variance, noise = math.exp(parameters[width]), math.exp(parameters[width + 1])
    distance = _ROOT5 * np.sqrt(squares @ weights + 1e-12)
    decay = np.exp(-distance)
    shape = (1.0 + distance + distance**2 / 3.0) * decay
    matrix = variance * shape
    matrix[np.diag_indices_from(matrix)] += noise + known + _JITTER
    factor, _ = dpotrf(matrix, lower=True, overwrite_a=True)
    half, _ = dpotri(factor, lower=True)
    inverse = half + np.tril(half, -1).T
    solved = inverse @ targets
    outer = inverse - np.outer(solved, solved)
    slope = 5.0 / 3.0 * variance * (1.0 + distance) * decay * outer
    gradient = np.empty_like(parameters)
    gradient[:width] = 0.5 * (slope.ravel() @ squares.reshape(-1, width)) * weights
    gradient[width] = 0.5 * variance * float((outer * shape).sum())
    gradient[width + 1] = 0.5 * noise * float(np.trace(outer))
    return 0.5 * float(targets @ solved) + float(np.log(factor.diagonal()).sum()), gradient


def _distances(left: Matrix, right: Matrix) -> Matrix:
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2.0 * left @ right.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _matern(distance: Matrix) -> Matrix:
    """Return the correlations of a Matern kernel with smoothness 5/2."""
    return np.asarray((1.0 + _ROOT5 * distance + 5.0 / 3.0 * distance**2) * np.exp(-_ROOT5 * distance))
