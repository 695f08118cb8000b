"""All that is learned from the trials of a study: its metrics, which configurations work, what they cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from llmopt_core.sampling.auto.acquisition import within
from llmopt_core.sampling.auto.encoding import Encoding
from llmopt_core.sampling.auto.gaussian import GaussianProcess, fit_process
from llmopt_core.sampling.auto.surrogates import Surrogate, fit_surrogate, is_logarithmic
from llmopt_core.sampling.auto.transfer import Transfer, TransferPrior
from llmopt_core.sampling.observations import Observation, ObservedState, Problem

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MEASURED = (ObservedState.MEASURED, ObservedState.STOPPED)
REFUSED = (ObservedState.INFEASIBLE, ObservedState.FAILED)

# A running trial is taken to give the mean of so many finished ones nearest to it.
_NEAREST = 3
# A label between working and refused is uncertain by at least this.
_LABEL_SPREAD = 0.1
_LEAST_CHANCE = 1e-3
# So much more likely than a success may a failure be that costs no more than a usual trial.
_LONGEST_ODDS = 4.0
# Predicted seconds stay within this factor of what was seen.
_SECONDS_SLACK = 2.0
_LEAST_FOR_SECONDS = 3
# With more measured trials of its own a study needs no other, and a proposal has no time for it.
_MOST_WITH_PRIOR = 100


@dataclass(frozen=True)
class Models:
    """The fitted models of one study; `rows` are those of its measured trials.

    `start_seconds` is what the start of an engine costs that serves, `failure_seconds` what a trial costs
    that fails: a hanging start costs its whole timeout. `priors` are what earlier studies show about the
    metrics.
    """

    problem: Problem
    rows: Matrix
    metrics: Mapping[str, Surrogate]
    working: GaussianProcess | None
    seconds: GaussianProcess | None
    measured_seconds: Vector
    start_seconds: float
    failure_seconds: float
    priors: Mapping[str, TransferPrior]

    def objectives(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """Return means and standard deviations of the objectives' targets, both (rows, objectives)."""
        parts = [self.metrics[each.metric].predict(rows) for each in self.problem.objectives]
        return np.stack([mean for mean, _ in parts], axis=1), np.stack(
            [spread for _, spread in parts], axis=1
        )

    def relative(self, utility: float) -> float:
        """Return a difference in utility relative to what it is added to.

        With several objectives, utility is a share of the observed ranges already.
        """
        if len(self.problem.objectives) > 1:
            return utility
        return math.expm1(utility * self.metrics[self.problem.objectives[0].metric].scale.relative)

    def utility(self, relative: float) -> float:
        """Return the difference in utility that is this relative gain; the inverse of `relative`."""
        if len(self.problem.objectives) > 1:
            return relative
        return math.log1p(relative) / self.metrics[self.problem.objectives[0].metric].scale.relative

    def allowed(self, rows: Matrix) -> Vector:
        """Return the probability that all constraints are kept."""
        chances = np.ones(len(rows))
        for constraint in self.problem.constraints:
            model = self.metrics[constraint.metric]
            bounds = [
                None if bound is None else model.scale.target(bound)
                for bound in (constraint.minimum, constraint.maximum)
            ]
            chances *= within(*model.predict(rows), *bounds)
        return chances

    @property
    def least_working(self) -> float:
        """The probability below which a start is tried only where nothing else is left.

        A fifth where a failure costs as much as a usual trial or less. The more it costs, the surer a start
        must be: in the odds of a failure its cost counts.
        """
        usual = self.start_seconds + float(np.median(self.measured_seconds))
        return 1.0 / (1.0 + _LONGEST_ODDS / max(1.0, self.failure_seconds / usual))

    def works(self, rows: Matrix) -> Vector:
        """Return the probability that the engine starts and serves."""
        if self.working is None:
            return np.ones(len(rows))
        mean, spread = self.working.predict(rows)
        chances = ndtr((mean - 0.5) / np.hypot(spread, _LABEL_SPREAD))
        return np.asarray(np.clip(chances, _LEAST_CHANCE, 1.0))

    def measurement_seconds(self, rows: Matrix) -> Vector:
        """Return how long measuring is expected to take."""
        if self.seconds is None:
            return np.full(len(rows), float(np.median(self.measured_seconds)))
        logarithms = np.log(self.measured_seconds)
        mean = self.seconds.mean_at(rows)
        low, high = self.measured_seconds.min(), self.measured_seconds.max()
        predicted = np.exp(mean * logarithms.std() + logarithms.mean())
        return np.asarray(np.clip(predicted, low / _SECONDS_SLACK, high * _SECONDS_SLACK))


def fit_models(
    problem: Problem,
    encoding: Encoding,
    observations: Sequence[Observation],
    seed: int,
    transfer: Transfer | None = None,
) -> Models:
    """Return the models of `observations`, of which at least one is measured."""
    measured = [each for each in observations if each.state in MEASURED]
    running = [each for each in observations if each.state is ObservedState.RUNNING]
    rows = encoding.rows([each.parameters for each in measured])
    expected = encoding.rows([each.parameters for each in running])
    series = {name: _series(name, rows, measured) for name in problem.metrics}
    priors = {}
    if transfer is not None and len(measured) <= _MOST_WITH_PRIOR:
        priors = priors_of(problem, encoding, observations, transfer)
    metrics = {
        name: _metric_model(each, expected, priors.get(name), seed + place)
        for place, (name, each) in enumerate(series.items())
    }
    seconds = np.maximum([each.seconds for each in measured], 1e-6)
    return Models(
        problem,
        rows,
        metrics,
        _working_model(encoding, observations),
        _seconds_model(rows, seconds),
        seconds,
        _start_seconds(observations),
        _failure_seconds(observations),
        priors,
    )


def priors_of(
    problem: Problem, encoding: Encoding, observations: Sequence[Observation], transfer: Transfer
) -> dict[str, TransferPrior]:
    """Return what earlier studies show about each metric that was measured."""
    measured = [each for each in observations if each.state in MEASURED]
    rows = encoding.rows([each.parameters for each in measured])
    series = (_series(name, rows, measured) for name in problem.metrics)
    return {each.metric: each.prior(transfer) for each in series if each.values}


@dataclass(frozen=True)
class _Series:
    """One metric as it was measured at `rows`, with standard errors, 0 where unknown."""

    metric: str
    rows: Matrix
    values: Sequence[float]
    errors: Sequence[float]

    @property
    def logarithmic(self) -> bool:
        return is_logarithmic(self.metric, self.values)

    def prior(self, transfer: Transfer) -> TransferPrior:
        return transfer.prior(self.metric, self.rows, self.values, logarithmic=self.logarithmic)


def _series(name: str, rows: Matrix, measured: Sequence[Observation]) -> _Series:
    having = [index for index, each in enumerate(measured) if name in each.metrics]
    values = [measured[index].metrics[name] for index in having]
    errors = [measured[index].standard_errors.get(name, 0.0) for index in having]
    return _Series(name, rows[having], values, errors)


def _metric_model(series: _Series, expected: Matrix, prior: TransferPrior | None, seed: int) -> Surrogate:
    return fit_surrogate(
        np.vstack([series.rows, expected]),
        [*series.values, *_nearest_values(series.rows, series.values, expected)],
        [*series.errors, *[0.0] * len(expected)],
        seed,
        logarithmic=series.logarithmic,
        prior=prior if prior is not None and prior.parts else None,
    )


def _nearest_values(rows: Matrix, values: Sequence[float], expected: Matrix) -> list[float]:
    """Return what running trials are taken to give, so that no other runner measures close to them."""
    found = []
    for row in expected:
        nearest = np.argsort(((rows - row) ** 2).sum(axis=1), kind="stable")[:_NEAREST]
        found.append(float(np.mean([values[index] for index in nearest])))
    return found


def _working_model(encoding: Encoding, observations: Sequence[Observation]) -> GaussianProcess | None:
    ended = [each for each in observations if each.state in (*MEASURED, *REFUSED)]
    labels = np.array([float(each.state in MEASURED) for each in ended])
    if labels.all():
        return None
    rows = encoding.rows([each.parameters for each in ended])
    return fit_process(rows, labels, np.zeros(len(labels)))


def _seconds_model(rows: Matrix, seconds: Vector) -> GaussianProcess | None:
    logarithms = np.log(seconds)
    if len(seconds) < _LEAST_FOR_SECONDS or logarithms.std() < _LABEL_SPREAD:
        return None
    return fit_process(rows, (logarithms - logarithms.mean()) / logarithms.std(), np.zeros(len(seconds)))


def _start_seconds(observations: Sequence[Observation]) -> float:
    starts = [(each.state, each.start_seconds) for each in observations if each.start_seconds is not None]
    served = [seconds for state, seconds in starts if state in MEASURED]
    known = served or [seconds for _, seconds in starts]
    return float(np.median(known)) if known else 0.0


def _failure_seconds(observations: Sequence[Observation]) -> float:
    lost = [(each.start_seconds or 0.0) + each.seconds for each in observations if each.state in REFUSED]
    return float(np.mean(lost)) if lost else 0.0
