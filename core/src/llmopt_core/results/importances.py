"""Which searched parameters matter, by Optuna, from a copy of the trials in memory."""

import warnings
from collections.abc import Mapping
from datetime import datetime

import optuna
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from llmopt_core.sampling.distributions import distributions
from llmopt_core.sampling.optuna_studies import optuna_state, study_in_memory
from llmopt_core.storage.bounds import bounded
from llmopt_core.storage.outcomes import constraint_values, objective_values
from llmopt_core.storage.points import known_part
from llmopt_core.storage.records import Phase, StudyDefinition, TrialRecord
from llmopt_core.storage.views import StudyView

# Below it, importances say nothing.
_FEWEST_TRIALS = 4


def importances(study: StudyView) -> Mapping[str, Mapping[str, float]]:
    """Return the share of the differences that each searched parameter explains, by objective.

    The most important come first. An objective is left out where there are too few trials for it, or where
    all are equally good.
    """
    copy = _copy(study.trials(), study.definition)
    complete = [trial for trial in copy.get_trials(deepcopy=False) if trial.state is TrialState.COMPLETE]
    searched = _searched(complete)
    if len(complete) < _FEWEST_TRIALS or not searched:
        return {}
    return {
        objective.metric: _importances(copy, place, searched)
        for place, objective in enumerate(study.definition.objectives)
        if len({trial.values[place] for trial in complete}) > 1
    }


def _importances(study: optuna.Study, place: int, searched: list[str]) -> Mapping[str, float]:
    sign = -1 if study.directions[place] is StudyDirection.MAXIMIZE else 1
    with warnings.catch_warnings():
        # It says that it is experimental (pinned with Optuna), that it looks for what makes the target low
        # (which is why it is given costs), and that importances of few trials are rough.
        warnings.simplefilter("ignore", UserWarning)
        shares = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(),
            target=lambda trial: sign * float(trial.values[place]),
        )
    return {name: share for name, share in shares.items() if name in searched}


def _searched(complete: list[FrozenTrial]) -> list[str]:
    """Return the parameters that took more than one value."""
    values: dict[str, set[object]] = {}
    for trial in complete:
        for name, value in trial.params.items():
            values.setdefault(name, set()).add(value)
    return [name for name, seen in values.items() if len(seen) > 1]


def _copy(trials: tuple[TrialRecord, ...], definition: StudyDefinition) -> optuna.Study:
    definition = bounded(definition, trials)
    study = study_in_memory([each.direction for each in definition.objectives])
    space = distributions(definition.space)
    for trial in trials:
        if trial.phase is not Phase.CONFIRM and trial.outcome is not None and trial.started_at is not None:
            study.add_trial(_frozen(trial, definition, space))
    return study


def _frozen(
    trial: TrialRecord, definition: StudyDefinition, space: Mapping[str, BaseDistribution]
) -> FrozenTrial:
    assert trial.outcome is not None  # noqa: S101 - the caller looked
    values = objective_values(trial.outcome, definition)
    flat = trial.outcome.configuration.flat() if trial.phase is Phase.BASELINE else trial.parameters
    parameters = known_part(definition.space, flat) or {}
    frozen = FrozenTrial(
        number=trial.number,
        trial_id=trial.number,
        state=optuna_state(trial.outcome.kind),
        value=None,
        values=values or None,
        datetime_start=_moment(trial.started_at),
        datetime_complete=_moment(trial.finished_at),
        params=dict(parameters),
        distributions={name: space[name] for name in parameters},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )
    for name, value in constraint_values(trial.outcome, definition).items():
        frozen.set_constraint(name, value)
    return frozen


def _moment(seconds: float | None) -> datetime | None:
    """Return local time without a zone, which is what Optuna draws."""
    return None if seconds is None else datetime.fromtimestamp(seconds)  # noqa: DTZ006 - as Optuna has it
