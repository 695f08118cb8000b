"""What the sampler is shown: the search trials as an Optuna study in this process's memory.

Optuna's samplers read all trials several times per question and write their notes back one transaction at a
time. In memory that is cheap; what they noted goes into the trial's ticket, in the claim's one transaction.
Confirm trials are not shown: their items are others. The default is shown where the engine said what its
parameters were.
"""

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from llmopt_core.search.configurations import Value
from llmopt_core.study.distributions import distributions, known_part, suggest, walk
from llmopt_core.study.outcomes import constraint_values, objective_values, trial_state
from llmopt_core.study.ranking import is_measured, pareto_front
from llmopt_core.study.records import Phase, StudyDefinition
from llmopt_core.study.snapshot import Snapshot, StoredTrial
from llmopt_core.study.tables import CONSTRAINT_PREFIX, BaseDistribution

# How many trials a model is built from, where its time grows with them: TPE takes 0.1 s a question from 2,000
# trials with two objectives, the Gaussian process grows with the cube. Others count generations over all.
_MOST_TRIALS = {"tpe": 500, "gp": 200}
_SLACK = 1.25
# TPE's way to tell other processes of a running trial's parameters; a claim writes all of them at once.
_NOT_KEPT = "tpe:relative_params"


@dataclass(frozen=True)
class Proposal:
    """What a sampler proposed: parameters by full name, its notes, and its place in the history."""

    parameters: Mapping[str, Value]
    notes: Mapping[str, Any]
    place: int


class History:
    """One study's search trials, in memory. Not safe from several threads."""

    def __init__(self, definition: StudyDefinition) -> None:
        self._definition = definition
        self._space = distributions(definition.space)
        self._most = _MOST_TRIALS.get(definition.sampler)
        self._changes_taken = 0
        self._begin()

    def _begin(self) -> None:
        self._storage = InMemoryStorage()
        self._study = optuna.create_study(
            storage=self._storage, directions=[each.direction for each in self._definition.objectives]
        )
        self._places: dict[int, int] = {}  # trial number in the record: identifier here

    def update(self, snapshot: Snapshot) -> None:
        """Take over what changed in `snapshot`."""
        changed = dict.fromkeys(snapshot.changes[self._changes_taken :])
        self._changes_taken = len(snapshot.changes)
        for number in changed:
            self._take(snapshot.trials[number])
        if self._most is not None and len(self._places) > self._most * _SLACK:
            self._shrink(snapshot, self._most)

    def ask(self, sampler: BaseSampler, fixed: Mapping[str, Value]) -> Proposal:
        """Return what `sampler` proposes where `fixed` holds; to be followed by `keep` or `drop`."""
        self._study.sampler = sampler if not fixed else _fixing(fixed, sampler)
        trial = self._study.ask()
        parameters = walk(self._definition.space, lambda name: suggest(trial, name, self._space[name]))
        noted = self._storage.get_trial_system_attrs(self._identifier(trial.number))
        notes = {key: note for key, note in noted.items() if not key.startswith(_NOT_KEPT)}
        return Proposal(parameters, notes, trial.number)

    def keep(self, proposal: Proposal, number: int) -> None:
        """Say that `proposal` became trial `number`."""
        self._places[number] = self._identifier(proposal.place)

    def drop(self, proposal: Proposal) -> None:
        """Say that `proposal` became no trial."""
        self._storage.set_trial_state_values(self._identifier(proposal.place), TrialState.FAIL)

    def _shrink(self, snapshot: Snapshot, most: int) -> None:
        """Begin again with the running trials, the best in each objective, the front and the newest."""
        shown = [snapshot.trials[number] for number in sorted(self._places)]
        kept = {trial.number for trial in shown if trial.ending is None}
        kept.update(_most_telling(shown, self._definition, most // 4))
        newest = (trial.number for trial in reversed(shown) if trial.number not in kept)
        kept.update(itertools.islice(newest, max(0, most - len(kept))))
        self._begin()
        for number in sorted(kept):
            self._take(snapshot.trials[number])

    def _take(self, trial: StoredTrial) -> None:
        if trial.ticket.phase is Phase.CONFIRM or trial.record.state == "waiting":
            return
        place = self._places.get(trial.number)
        if place is None:
            self._add(trial)
        elif trial.ending is not None and not self._storage.get_trial(place).state.is_finished():
            self._finish(place, trial)

    def _add(self, trial: StoredTrial) -> None:
        frozen = freeze(trial, self._definition, self._space)
        if frozen is not None:
            study_id = self._storage.get_study_id_from_name(self._study.study_name)
            self._places[trial.number] = self._storage.create_new_trial(study_id, frozen)

    def _finish(self, place: int, trial: StoredTrial) -> None:
        assert trial.ending is not None  # noqa: S101 - the caller looked
        outcome = trial.ending.outcome
        for name, value in constraint_values(outcome, self._definition).items():
            self._storage.set_trial_system_attr(place, f"{CONSTRAINT_PREFIX}{name}", value)
        values = objective_values(outcome, self._definition)
        self._storage.set_trial_state_values(place, trial_state(outcome.kind), values or None)

    def _identifier(self, place: int) -> int:
        study_id = self._storage.get_study_id_from_name(self._study.study_name)
        return self._storage.get_trial_id_from_study_id_trial_number(study_id, place)


def freeze(
    trial: StoredTrial, definition: StudyDefinition, space: Mapping[str, BaseDistribution]
) -> FrozenTrial | None:
    """Return `trial` as Optuna's, or None where it says nothing to a sampler."""
    parameters = _parameters(trial, definition)
    if parameters is None:
        return None
    outcome = None if trial.ending is None else trial.ending.outcome
    state = TrialState.RUNNING if outcome is None else trial_state(outcome.kind)
    if state is TrialState.FAIL:
        return None
    return optuna.trial.create_trial(
        state=state,
        values=objective_values(outcome, definition) or None if outcome else None,
        params=parameters,
        distributions={name: space[name] for name in parameters},
        system_attrs=dict(trial.ticket.sampler),
        constraints=constraint_values(outcome, definition) if outcome else None,
    )


def _most_telling(trials: Sequence[StoredTrial], definition: StudyDefinition, most: int) -> set[int]:
    """Return the numbers of the front's trials and of the best in each objective, about `most`."""
    records = [trial.record for trial in trials if trial.ending is not None]
    telling = {trial.number for trial in pareto_front(records, definition)[:most]}
    measured = [record for record in records if is_measured(record)]
    for objective in definition.objectives:
        ordered = sorted(
            measured,
            key=lambda record: record.outcome.metrics[objective.metric] if record.outcome else 0.0,
            reverse=objective.direction == "maximize",
        )
        telling.update(record.number for record in ordered[: most // len(definition.objectives)])
    return telling


def _parameters(trial: StoredTrial, definition: StudyDefinition) -> dict[str, Value] | None:
    if trial.ticket.phase is not Phase.BASELINE:
        return known_part(definition.space, trial.ticket.parameters)
    if trial.ending is None:
        return None
    return known_part(definition.space, trial.ending.outcome.configuration.flat())


def _fixing(fixed: Mapping[str, Value], sampler: BaseSampler) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # PartialFixedSampler: pinned with Optuna
        return PartialFixedSampler(dict(fixed), sampler)
