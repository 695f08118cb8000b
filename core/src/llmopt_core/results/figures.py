"""Pictures of a search, drawn by Optuna from a copy of its trials in memory."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import optuna
from optuna import visualization
from optuna.distributions import BaseDistribution
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from llmopt_core.sampling.distributions import distributions
from llmopt_core.sampling.optuna_studies import optuna_state, study_in_memory
from llmopt_core.storage.bounds import bounded
from llmopt_core.storage.outcomes import constraint_values, objective_values
from llmopt_core.storage.points import known_part
from llmopt_core.storage.records import Phase, StudyDefinition, TrialRecord
from llmopt_core.storage.studies import Study

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Below it, importances and slices say nothing.
_FEWEST_TRIALS = 4
# Optuna draws fronts of two or three objectives.
_FRONTS = (2, 3)


def figures(study: Study) -> "Mapping[str, Figure]":
    """Return the figures of `study`'s search by name, such as `history accuracy`; repeats are not in them.

    A figure that needs more trials than there are is left out. Needs plotly (`llmopt[report]`).
    """
    copy = _copy(study.trials(), study.definition)
    complete = [trial for trial in copy.get_trials(deepcopy=False) if trial.state is TrialState.COMPLETE]
    drawn: dict[str, Figure] = {}
    if not complete:
        return drawn
    for place, objective in enumerate(study.definition.objectives):
        drawn.update(_of_objective(copy, complete, objective.metric, place))
    if len(study.definition.objectives) in _FRONTS:
        names = [objective.metric for objective in study.definition.objectives]
        drawn["front"] = visualization.plot_pareto_front(copy, target_names=names)
    drawn["timeline"] = visualization.plot_timeline(copy)
    return drawn


def _of_objective(
    study: optuna.Study, complete: list[FrozenTrial], metric: str, place: int
) -> "Iterator[tuple[str, Figure]]":
    def value(trial: FrozenTrial) -> float:
        return float(trial.values[place])

    yield (
        f"history {metric}",
        visualization.plot_optimization_history(study, target=value, target_name=metric),
    )
    searched = _searched(complete)
    if len(complete) < _FEWEST_TRIALS or not searched:
        return
    if len({value(trial) for trial in complete}) > 1:
        sign = -1 if study.directions[place] is StudyDirection.MAXIMIZE else 1
        yield f"importances {metric}", _importances(study, metric, lambda trial: sign * value(trial))
    yield f"slices {metric}", visualization.plot_slice(study, searched, target=value, target_name=metric)


def _importances(study: optuna.Study, metric: str, cost: Callable[[FrozenTrial], float]) -> "Figure":
    with warnings.catch_warnings():
        # It says that it is experimental (pinned with Optuna), that it looks for what makes the target low
        # (which is why it is given costs), and that importances of few trials are rough.
        warnings.simplefilter("ignore", UserWarning)
        evaluator = PedAnovaImportanceEvaluator()
        return visualization.plot_param_importances(
            study, evaluator=evaluator, target=cost, target_name=metric
        )


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
    told = trial.outcome.configuration.flat() if trial.phase is Phase.BASELINE else trial.parameters
    parameters = known_part(definition.space, told) or {}
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
