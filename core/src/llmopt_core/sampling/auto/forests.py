"""Random forests whose trees' spread is the uncertainty, as in SMAC (Hutter, Hoos, Leyton-Brown 2011)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TREES = 24
# Each tree is fitted with at most so many rows: the time of a proposal stays bounded.
_MOST_ROWS = 256
# Of the columns, each split tries this share.
_COLUMNS = 0.8


@dataclass(frozen=True)
class Forest:
    """A fitted forest; `drawn[t, i]` says whether tree `t` was fitted with row `i`."""

    model: "ExtraTreesRegressor"
    drawn: NDArray[np.bool_]
    rows: Matrix
    targets: Vector

    def predict(self, rows: Matrix) -> tuple[Vector, Vector]:
        """Return the mean and the standard deviation over the trees at each of `rows`."""
        values = self._tree_values(rows)
        return values.mean(axis=0), values.std(axis=0)

    def held_out(self) -> tuple[Vector, Vector]:
        """Return mean and standard deviation at each row of the fit, of the trees without it."""
        values = self._tree_values(self.rows)
        outside = ~self.drawn
        count = np.maximum(outside.sum(axis=0), 1)
        mean = np.where(outside, values, 0.0).sum(axis=0) / count
        square = np.where(outside, (values - mean) ** 2, 0.0).sum(axis=0) / count
        unseen = outside.any(axis=0)
        return np.where(unseen, mean, self.targets.mean()), np.where(unseen, np.sqrt(square), 1.0)

    def draws(self, rows: Matrix, count: int, chance: np.random.Generator) -> Matrix:
        """Return the values of `count` trees at `rows`, shape (count, rows)."""
        return self._tree_values(rows)[chance.integers(len(self.drawn), size=count)]

    def _tree_values(self, rows: Matrix) -> Matrix:
        narrow = np.ascontiguousarray(rows, dtype=np.float32)
        return np.stack([tree.tree_.predict(narrow)[:, 0] for tree in self.model.estimators_])


def fit_forest(rows: Matrix, targets: Vector, variances: Vector, seed: int, trees: int = TREES) -> Forest:
    """Return a forest of `trees` extremely randomised trees on bootstrap samples.

    `variances` are the known variances of the targets' noise: rows weigh less the noisier they are.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415 - seconds to load, and short searches need none

    model = ExtraTreesRegressor(
        n_estimators=trees,
        bootstrap=True,
        max_samples=min(len(rows), _MOST_ROWS),
        max_features=_COLUMNS,
        n_jobs=1,
        random_state=seed,
    )
    total = float(targets.var()) or 1.0
    model.fit(rows.astype(np.float32), targets, sample_weight=total / (total + variances))
    drawn = np.zeros((trees, len(rows)), dtype=np.bool_)
    for index, sample in enumerate(model.estimators_samples_):
        drawn[index, sample] = True
    return Forest(model, drawn, rows, targets)
