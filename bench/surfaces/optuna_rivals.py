"""Optuna's samplers as rivals, alone and with the trials grouped by engine."""

import json
import math
import warnings
from collections.abc import Callable, Mapping

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    GPSampler,
    NSGAIISampler,
    PartialFixedSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import TrialState

from llmopt_core.resources.optimization import Budget
from llmopt_core.sampling.distributions import distributions, suggest
from llmopt_core.search.configurations import Value
from llmopt_core.storage.points import walk
from llmopt_runner.engine_slot.trials_per_load import trials_per_load
from surfaces.rivals import Measurement, Rival, Setting

_STARTS = "starts"


class OptunaRival(Rival):
    """A study with one sampler.

    A broken constraint is reported as one. A trial whose engine does not start breaks one more, and has the
    worst value so far: only TPE of these samplers looks at pruned trials. Before the first value it fails.
    """

    def __init__(self, setting: Setting, sampler: Callable[[int], BaseSampler]) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._setting = setting
        self._distributions = distributions(setting.problem.space)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            self._sampler = sampler(setting.seed)
        self._study = optuna.create_study(direction="maximize", sampler=self._sampler)
        self._trial: optuna.Trial | None = None
        self._worst: float | None = None

    def propose(self, _running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return what the sampler suggests."""
        self._trial = trial = self._study.ask()
        return walk(self._setting.problem.space, lambda name: suggest(trial, name, self._distributions[name]))

    def observe(self, measurement: Measurement) -> None:
        """Report to the study."""
        assert self._trial is not None
        if self._setting.starts_can_fail:
            self._trial.set_constraint(_STARTS, -1.0 if measurement.works else 1.0)
        for place in range(len(self._setting.problem.constraints)):
            violation = measurement.violations[place] if measurement.works else 0.0
            self._trial.set_constraint(f"constraint {place}", violation)
        if measurement.utility is not None:
            self._worst = min(measurement.utility, math.inf if self._worst is None else self._worst)
        state = TrialState.FAIL if self._worst is None else TrialState.COMPLETE
        self._study.tell(
            self._trial, self._worst if measurement.utility is None else measurement.utility, state
        )


class GroupedTpe(OptunaRival):
    """TPE with several trials on one engine, as a runner groups them: a start takes a fifth of their time.

    As a runner does, it gives TPE the known result of a configuration that was measured before, at no cost.
    The engine is then chosen freely: all that it can be asked may have been measured.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, tpe)
        self._known: dict[str, Measurement] = {}
        self._start_seconds = 0.0
        self._trial_seconds = 0.0
        self._served = 0

    def propose(self, running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        """Return what TPE suggests, for the running engine until it has served enough trials."""
        grouped = running_engine is not None and self._served < self._wanted()
        fixed = running_engine if grouped else None
        for _ in range(self._setting.trials):
            parameters = self._suggested(fixed)
            known = self._known.get(_identity(parameters))
            if known is None:
                return parameters
            super().observe(known)
            fixed = None
        return None

    def observe(self, measurement: Measurement) -> None:
        """Report to the study, and count the trials of the engine."""
        super().observe(measurement)
        self._known[_identity(measurement.parameters)] = measurement
        if measurement.start_seconds is not None:
            self._start_seconds, self._trial_seconds, self._served = measurement.start_seconds, 0.0, 0
        self._trial_seconds += measurement.seconds
        self._served += 1

    def _suggested(self, fixed: Mapping[str, Value] | None) -> Mapping[str, Value]:
        self._study.sampler = self._sampler
        if fixed is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._study.sampler = PartialFixedSampler(dict(fixed), self._sampler)
        return super().propose(None) or {}

    def _wanted(self) -> int:
        budget = Budget(trials=self._setting.trials)
        return trials_per_load(self._start_seconds, self._trial_seconds / self._served, budget)


def tpe(seed: int) -> BaseSampler:
    """Return TPE with the settings of llmopt's, which are Optuna's defaults."""
    return TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def random_choice(seed: int) -> BaseSampler:
    """Return uniform random search."""
    return RandomSampler(seed=seed)


def gaussian_process(seed: int) -> BaseSampler:
    """Return the Gaussian process with Optuna's defaults."""
    return GPSampler(seed=seed)


def nsga2(seed: int) -> BaseSampler:
    """Return NSGA-II with llmopt's population: Optuna's 50 would leave two generations of 100 trials."""
    return NSGAIISampler(seed=seed, population_size=12)


def _identity(parameters: Mapping[str, Value]) -> str:
    return json.dumps(parameters, sort_keys=True)
