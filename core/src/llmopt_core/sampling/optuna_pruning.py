"""Optuna's pruners: a trial is judged by one score after another.

They read intermediate values, each a transaction of its own. Here what was measured stays in the runner's
memory, beside that of the trials to compare with, and is stored once, with the trial's end.
"""

import importlib
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, MedianPruner, WilcoxonPruner
from optuna.trial import TrialState, create_trial

from llmopt_core.sampling.optuna_studies import study_in_memory
from llmopt_core.storage.bounds import bounded
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.outcomes import keeps_constraints, objective_values
from llmopt_core.storage.records import OutcomeKind, Phase, StudyDefinition
from llmopt_core.storage.snapshot import StoredTrial

# Six differences are the fewest for which a one-sided Wilcoxon test can reach p < 0.1 with a margin.
_FIRST_SAMPLES = 6
_P_THRESHOLD = 0.1
# Scores of right and wrong have ties, and up to 13 of them SciPy 1.17 goes through all 2^n signs: a second at
# n = 12, in the middle of a measurement. So it is asked twice while that takes milliseconds, then from 14 on.
_SLOW_COUNTS = frozenset({7, 9, 10, 11, 12, 13})


class TrialPruning:
    """The scores of one running trial against those of the trials before it."""

    def __init__(self, definition: StudyDefinition, finished: Iterable[StoredTrial]) -> None:
        self._by_sample = definition.pruner == "wilcoxon"
        self._scores: dict[int, float] = {}
        directions = [definition.objectives[0].direction]
        self._study = study_in_memory(directions, pruner=_pruner(definition.pruner))
        finished = tuple(finished)
        definition = bounded(definition, (trial.record for trial in finished))
        rivals = [trial for trial in finished if _is_rival(trial, definition)]
        for trial in _best(rivals, definition) if self._by_sample else rivals:
            self._study.add_trial(_frozen(trial, definition, by_sample=self._by_sample))
        shown = self._study.get_trials(deepcopy=False)
        self._useful = bool(shown)
        self._comparable = frozenset(shown[0].intermediate_values) if shown and self._by_sample else None
        self._trial = self._study.ask()
        if self._by_sample and self._useful:
            importlib.import_module("scipy.stats")  # now, for it takes a second that must not be measured

    @property
    def scores(self) -> tuple[tuple[int, float], ...]:
        """The scores in the order they came."""
        return tuple(self._scores.items())

    def report(self, place: int, item: MeasuredItem) -> bool:
        """Take one item's score; say whether the trial should stop."""
        return item.score is not None and self._report(place, item.score)

    def _report(self, sample_index: int, score: float) -> bool:
        if not math.isfinite(score):
            return False
        self._scores[sample_index] = float(score)
        if not self._useful:
            return False
        if self._comparable is not None and sample_index not in self._comparable:
            return False
        step, value = (sample_index, score) if self._by_sample else _mean_so_far(self._scores)
        self._trial.report(float(value), step)
        return self._is_time() and self._trial.should_prune()

    def _is_time(self) -> bool:
        count = len(self._scores)
        return count >= _FIRST_SAMPLES and not (self._by_sample and count in _SLOW_COUNTS)


def _pruner(name: str) -> BasePruner:
    if name == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=_FIRST_SAMPLES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # pinned with Optuna
        return WilcoxonPruner(p_threshold=_P_THRESHOLD, n_startup_steps=_FIRST_SAMPLES)


def _is_rival(trial: StoredTrial, definition: StudyDefinition) -> bool:
    """Say whether `trial` was measured whole, with scores, on the items of the search, and is acceptable."""
    return (
        trial.ending is not None
        and trial.kind is OutcomeKind.MEASURED
        and trial.assignment.phase is not Phase.CONFIRM
        and len(trial.ending.scores) > 0
        and keeps_constraints(trial.ending.outcome, definition)
    )


def _best(trials: Sequence[StoredTrial], definition: StudyDefinition) -> Sequence[StoredTrial]:
    sign = 1 if definition.objectives[0].direction == "maximize" else -1
    return sorted(trials, key=lambda trial: -sign * _value(trial, definition))[:1]


def _value(trial: StoredTrial, definition: StudyDefinition) -> float:
    assert trial.ending is not None  # noqa: S101 - rivals have ended
    return objective_values(trial.ending.outcome, definition)[0]


def _frozen(trial: StoredTrial, definition: StudyDefinition, *, by_sample: bool) -> optuna.trial.FrozenTrial:
    assert trial.ending is not None  # noqa: S101 - rivals have ended
    scores = dict(trial.ending.scores)
    return create_trial(
        state=TrialState.COMPLETE,
        value=_value(trial, definition),
        intermediate_values=scores if by_sample else _running_means(scores),
    )


def _running_means(scores: Mapping[int, float]) -> dict[int, float]:
    means: dict[int, float] = {}
    total = 0.0
    for count, score in enumerate(scores.values(), start=1):
        total += score
        means[count] = total / count
    return means


def _mean_so_far(scores: Mapping[int, float]) -> tuple[int, float]:
    return len(scores), sum(scores.values()) / len(scores)
