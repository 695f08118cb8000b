"""What earlier studies show about this one: predictions of its metrics, weighted by how well they hold here.

Studies of other models and machines differ in level, so their predictions are fitted to what was measured
here by a shift and a slope. Each is weighted by how often it puts two trials of this study in the right order
(as in RGPE, Feurer et al. 2018) and is not used where that is hardly better than chance. The weighted mean of
those that are left is the prior of a Gaussian process, which competes with the models that know no other
study.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llmopt_core.sampling.auto.encoding import Encoding, Point
from llmopt_core.sampling.auto.gaussian import GaussianProcess, fit_process
from llmopt_core.sampling.auto.surrogates import is_logarithmic
from llmopt_core.sampling.dimensions import unit_of, value_at
from llmopt_core.sampling.observations import Problem
from llmopt_core.search.configurations import Value
from llmopt_core.search.spaces import ChoiceDimension, Dimension, SearchSpace
from llmopt_core.storage.earlier import EarlierStudy, EarlierTrial, Learned
from llmopt_core.storage.points import contains, dimensions

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

# A study of which fewer trials can be used predicts too little.
_LEAST_TRIALS = 5
# Before it is tested here, an earlier study counts as if so many trials had agreed with it so well.
_ASSUMED_TRIALS, _ASSUMED_AGREEMENT = 3.0, 0.6
# With less agreement a study is not used.
_LEAST_AGREEMENT = 0.25
# The slope of this study's values over an earlier one's is expected to be 1, give or take; `_NOISE` is the
# variance of standardised values about the line.
_SLOPE_SPREAD, _NOISE, _MOST_SLOPE = 0.5, 0.3, 1.5
_SMALL = 1e-9


@dataclass(frozen=True)
class MetricModel:
    """What an earlier study predicts of one metric, on its own scale, from the `columns` that it varied."""

    process: GaussianProcess
    columns: NDArray[np.intp]
    centre: float
    width: float

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the predicted values at `rows`, logarithms where it was fitted to logarithms."""
        return np.asarray(self.process.mean_at(rows[:, self.columns]) * self.width + self.centre)


@dataclass(frozen=True)
class Calibrated:
    """A prediction moved to the level of this study and stretched to its scale."""

    model: MetricModel
    slope: float
    shift: float

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the predicted values at `rows` as this study would measure them."""
        return np.asarray(self.model.mean_at(rows) * self.slope + self.shift)


@dataclass(frozen=True)
class TransferPrior:
    """What the earlier studies predict of one metric: `weights` of all of them, None where one has none."""

    weights: tuple[float | None, ...]
    parts: tuple[tuple[float, Calibrated], ...]

    def mean_at(self, rows: Matrix) -> Vector:
        """Return the mean of the predictions at `rows`, by the studies' weights."""
        return np.asarray(np.sum([share * part.mean_at(rows) for share, part in self.parts], axis=0))


@dataclass(frozen=True)
class _Source:
    """An earlier study in the rows of this one; `points` holds what of its trials lies in this space."""

    study: EarlierStudy
    points: tuple[Point, ...]
    trials: tuple[EarlierTrial, ...]
    rows: Matrix
    columns: NDArray[np.intp]


@dataclass
class Transfer:
    """The earlier studies of one study. Their models are fitted once for each metric."""

    space: SearchSpace
    studies: Sequence[EarlierStudy]
    _models: dict[tuple[str, bool], tuple[MetricModel | None, ...]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        encoding = Encoding(self.space)
        self._sources = tuple(_source(study, self.space, encoding) for study in self.studies)

    def fit(self, metrics: Iterable[str]) -> None:
        """Fit the models of `metrics` now, so that no proposal waits for them."""
        for metric in metrics:
            values = [
                each.metrics[metric]
                for study in self.studies
                for each in study.trials
                if metric in each.metrics
            ]
            if values:
                self._fitted(metric, logarithmic=is_logarithmic(metric, values))

    def prior(
        self, metric: str, rows: Matrix, values: Sequence[float], *, logarithmic: bool
    ) -> TransferPrior:
        """Return what is expected of `metric`: nothing, with no `parts`, where no study predicts it well.

        `values` are what this study measured at `rows`.
        """
        models = self._fitted(metric, logarithmic=logarithmic)
        own = np.log(values) if logarithmic else np.asarray(values, dtype=np.float64)
        predicted = [None if model is None else model.mean_at(rows) for model in models]
        weights = tuple(None if each is None else agreement(each, own) for each in predicted)
        total = sum(weight or 0.0 for weight in weights)
        parts = tuple(
            (weight / total, calibrated(model, expected, own))
            for model, expected, weight in zip(models, predicted, weights, strict=True)
            if model is not None and expected is not None and weight
        )
        return TransferPrior(weights, parts)

    def learned(self, priors: Iterable[TransferPrior]) -> tuple[Learned, ...]:
        """Return how far each study is used: its mean weight over the metrics of `priors` that it has."""
        table = [prior.weights for prior in priors]
        return tuple(
            Learned(source.study.resource, len(source.trials), _mean(row[place] for row in table))
            for place, source in enumerate(self._sources)
        )

    def leaders(self, problem: Problem) -> Iterator[Point]:
        """Yield the best configurations of the earlier studies, as far as they lie in the space.

        First the best of each, then the second best of each; numbers between those of a grid are moved to it.
        """
        ordered = [_ordered(source, problem) for source in self._sources]
        for place in range(max((len(each) for each in ordered), default=0)):
            yield from (_settled(self.space, each[place]) for each in ordered if place < len(each))

    def _fitted(self, metric: str, *, logarithmic: bool) -> tuple[MetricModel | None, ...]:
        key = (metric, logarithmic)
        if key not in self._models:
            self._models[key] = tuple(
                _fit(source, metric, logarithmic=logarithmic) for source in self._sources
            )
        return self._models[key]


def agreement(predicted: Vector, measured: Vector) -> float:
    """Return how well `predicted` orders what was `measured`, from 0 (not to be used) to 1 (always right).

    Pairs count by how much they differ, so that noise among equals counts little.
    """
    count = len(measured)
    differences = measured[:, None] - measured[None, :]
    total = float(np.abs(differences).sum())
    if count < 2 or total < _SMALL:  # noqa: PLR2004 - a pair
        return _ASSUMED_AGREEMENT
    signs = np.sign(predicted[:, None] - predicted[None, :])
    seen = float((differences * signs).sum()) / total
    tested = count - 1
    trusted = (_ASSUMED_TRIALS * _ASSUMED_AGREEMENT + tested * seen) / (_ASSUMED_TRIALS + tested)
    return trusted if trusted >= _LEAST_AGREEMENT else 0.0


def calibrated(model: MetricModel, predicted: Vector, measured: Vector) -> Calibrated:
    """Return `model`, whose values at the measured trials are `predicted`, fitted to what was `measured`."""
    width = float(measured.std()) or 1.0
    across, up = (predicted - predicted.mean()) / width, (measured - measured.mean()) / width
    precision = 1.0 / _SLOPE_SPREAD**2
    slope = (float(across @ up) / _NOISE + precision) / (float(across @ across) / _NOISE + precision)
    slope = min(max(slope, 0.0), _MOST_SLOPE)
    return Calibrated(model, slope, float(measured.mean() - slope * predicted.mean()))


def _source(study: EarlierStudy, space: SearchSpace, encoding: Encoding) -> _Source:
    pairs = [(part, trial) for trial in study.trials if (part := _part(space, trial.parameters)) is not None]
    rows = encoding.rows([part for part, _ in pairs])
    # What never varied there says nothing here, also where that study did not have the parameter.
    varied = np.flatnonzero(np.ptp(rows, axis=0) > 0) if pairs else np.zeros(0, dtype=np.intp)
    return _Source(study, tuple(part for part, _ in pairs), tuple(trial for _, trial in pairs), rows, varied)


def _part(space: SearchSpace, values: Mapping[str, Value]) -> Point | None:
    """Return the active parameters of `values`, None where one lies outside the space."""
    part: dict[str, Value] = {}
    for parameter in space.parameters:
        if parameter.name not in values or not parameter.active(part):
            continue
        if (value := _within(parameter.dimension, values[parameter.name])) is None:
            return None
        part[parameter.name] = value
    return part


def _within(dimension: Dimension, value: Value) -> Value | None:
    """Return `value` where a model of `dimension` can place it: a number need not lie on the grid."""
    if isinstance(dimension, ChoiceDimension):
        return dimension.settled(value)
    if isinstance(value, bool | str) or not dimension.low <= value <= dimension.high:
        return None
    return value


def _settled(space: SearchSpace, part: Point) -> Point:
    """Return `part` with values that the dimensions of `space` can give."""
    known = dimensions(space)
    return {
        name: value if contains(known[name], value) else value_at(known[name], unit_of(known[name], value))
        for name, value in part.items()
    }


def _fit(source: _Source, metric: str, *, logarithmic: bool) -> MetricModel | None:
    having = [place for place, trial in enumerate(source.trials) if _usable(trial, metric, logarithmic)]
    if len(having) < _LEAST_TRIALS or not len(source.columns):
        return None
    values = np.array([source.trials[place].metrics[metric] for place in having])
    values = np.log(values) if logarithmic else values
    width = float(values.std())
    if width < _SMALL:
        return None
    centre = float(values.mean())
    rows = source.rows[having][:, source.columns]
    process = fit_process(rows, (values - centre) / width, np.zeros(len(values)))
    return MetricModel(process, source.columns, centre, width)


def _usable(trial: EarlierTrial, metric: str, logarithmic: bool) -> bool:  # noqa: FBT001 - private, named at its call
    return metric in trial.metrics and (not logarithmic or trial.metrics[metric] > 0)


def _ordered(source: _Source, problem: Problem) -> list[Point]:
    """Return the points of `source`, the best first: those that keep the constraints, by the objectives."""
    names = [each.metric for each in problem.objectives]
    having = [
        place for place, each in enumerate(source.trials) if all(name in each.metrics for name in names)
    ]
    if not having:
        return []
    utility = np.zeros(len(having))
    for objective in problem.objectives:
        values = np.array([source.trials[place].metrics[objective.metric] for place in having])
        sign = 1.0 if objective.direction == "maximize" else -1.0
        utility += sign * objective.weight * (values - values.mean()) / (float(values.std()) or 1.0)
    broken = np.array([_breaks(source.trials[place], problem) for place in having])
    order = np.lexsort((-utility, broken))
    return [source.points[having[int(place)]] for place in order]


def _breaks(trial: EarlierTrial, problem: Problem) -> bool:
    return any(
        each.metric in trial.metrics and each.violation(trial.metrics[each.metric]) > 0
        for each in problem.constraints
    )


def _mean(weights: Iterable[float | None]) -> float | None:
    known = [weight for weight in weights if weight is not None]
    return round(sum(known) / len(known), 1) if known else None
