"""Optuna's samplers by the names of the manifest, each set up for many runners and conditional spaces."""

import warnings
from collections.abc import Callable, Mapping

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    CmaEsSampler,
    GPSampler,
    NSGAIIISampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

from llmopt_core.sampling.checks import check_installed, runner_seed
from llmopt_core.storage.records import StudyDefinition

# Budgets are tens to hundreds of trials: Optuna's 50 would leave most of them to chance.
_POPULATION = 12


def _tpe(seed: int) -> BaseSampler:
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _random(seed: int) -> BaseSampler:
    return RandomSampler(seed=seed)


def _gp(seed: int) -> BaseSampler:
    return GPSampler(seed=seed)


def _cmaes(seed: int) -> BaseSampler:
    return CmaEsSampler(seed=seed, warn_independent_sampling=False)


def _nsga2(seed: int) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=_POPULATION)


def _nsga3(seed: int) -> BaseSampler:
    return NSGAIIISampler(seed=seed, population_size=_POPULATION)


_SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": _tpe,
    "random": _random,
    "gp": _gp,
    "cmaes": _cmaes,
    "nsga2": _nsga2,
    "nsga3": _nsga3,
}


def make_sampler(definition: StudyDefinition, runner: str, trials: int) -> BaseSampler:
    """Return the sampler of `runner`, whose chance differs from every other runner's.

    `trials` is how many the study has, so that a runner that starts again does not repeat itself. Raises
    SamplerUnavailable where the sampler needs what is not installed.
    """
    check_installed(definition.sampler)
    seed = runner_seed(definition, runner, trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # group and NSGA-III: pinned with Optuna
        return _SAMPLERS[definition.sampler](seed)
