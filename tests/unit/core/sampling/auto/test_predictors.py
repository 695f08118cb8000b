import numpy as np
import pytest

from llmopt_core.sampling.auto.forests import fit_forest
from llmopt_core.sampling.auto.gaussian import fit_process


def _data(count, seed=0):
    chance = np.random.default_rng(seed)
    rows = chance.random((count, 4))
    return rows, np.sin(4 * rows[:, 0]) + rows[:, 1] - 0.8 + 0.2 * chance.standard_normal(count)


@pytest.mark.parametrize(
    "fit", [fit_process, lambda rows, targets, known: fit_forest(rows, targets, known, 0)]
)
def test_models_conform(fit):
    """Every model predicts what it has not seen better than the mean does, and draws accordingly."""
    rows, targets = _data(60)
    model = fit(rows, targets, np.zeros(60))
    others, truth = _data(200, seed=1)
    mean, spread = model.predict(others)
    assert mean.shape == spread.shape == (200,)
    assert (spread >= 0).all()
    assert np.mean((mean - truth) ** 2) < 0.4 * truth.var()
    held, _ = model.held_out()
    assert np.mean((held - targets) ** 2) < 0.6 * targets.var()
    draws = model.draws(others, 300, np.random.default_rng(0))
    assert draws.shape == (300, 200)
    assert np.abs(draws.mean(axis=0) - mean).max() < 0.5
    assert draws.std(axis=0).mean() == pytest.approx(spread.mean(), rel=0.2)
