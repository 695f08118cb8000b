import numpy as np
import pytest

from llmopt_core.sampling.auto.gaussian import fit_process


def _data(count, seed=0):
    chance = np.random.default_rng(seed)
    rows = chance.random((count, 4))
    return rows, np.sin(4 * rows[:, 0]) + rows[:, 1] - 0.8


def test_noise_that_is_known_is_not_followed():
    """A target with a large known variance moves the mean less than an exact one."""
    rows = np.linspace(0, 1, 9)[:, None]
    targets = np.zeros(9)
    targets[4] = 3.0
    exact = fit_process(rows, targets, np.zeros(9)).predict(rows)[0][4]
    noisy = fit_process(rows, targets, np.where(targets > 0, 4.0, 0.0)).predict(rows)[0][4]
    assert noisy < 0.5 * exact


def test_a_process_held_out_equals_one_fitted_without_the_row():
    """The closed form of leaving one out gives what conditioning on the others gives."""
    rows, targets = _data(12)
    model = fit_process(rows, targets, np.zeros(12))
    held, spread = model.held_out()
    distances = np.sqrt((((rows[:, None] - rows[None]) * model.inverse_scales) ** 2).sum(axis=2))
    root = np.sqrt(5.0) * distances
    covariance = model.variance * (1 + root + root**2 / 3) * np.exp(-root)
    others = np.arange(1, 12)
    inverse = np.linalg.inv(covariance[np.ix_(others, others)] + (model.noise + 1e-6) * np.eye(11))
    expected = model.mean + covariance[0, others] @ inverse @ (targets[others] - model.mean)
    assert held[0] == pytest.approx(expected, abs=1e-6)
    assert spread[0] > 0
