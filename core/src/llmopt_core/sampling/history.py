"""What the sampler is shown: the search trials as an Optuna study in this process's memory.

Optuna's samplers read all trials several times per question and write their notes back one transaction at a
time. In memory that is cheap; what they noted goes into the trial's request, in the claim's one transaction.
Confirm trials are not shown: their items are others. The default is shown where the engine said what its
parameters were.
"""

import itertools
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from llmopt_core.analysis.ranking import pareto_front
from llmopt_core.sampling.distributions import distributions, suggest
from llmopt_core.sampling.optuna_studies import optuna_state, study_in_memory
from llmopt_core.sampling.samplers import make_sampler
from llmopt_core.search.configurations import Value
from llmopt_core.storage.bounds import bounded, is_measured
from llmopt_core.storage.methods import Proposal, Request, Sampler
from llmopt_core.storage.outcomes import constraint_values, objective_values
from llmopt_core.storage.points import known_part, walk
from llmopt_core.storage.records import Phase, StudyDefinition
from llmopt_core.storage.snapshot import Snapshot, StoredTrial
from llmopt_core.storage.tables import CONSTRAINT_PREFIX

# How many trials a model is built from, where its time grows with them: TPE takes 0.1 s a question from 2,000
# trials with two objectives, the Gaussian process grows with the cube. Others count generations over all.
_MOST_TRIALS = {"tpe": 500, "gp": 200}
_SLACK = 1.25
# TPE's way to inform other processes of a running trial's parameters; a claim writes all of them at once.
_NOT_KEPT = "tpe:relative_params"


@dataclass(frozen=True, eq=False)
class _Placed(Proposal):
    """A proposal and its place in the history."""

    place: int = -1


class OptunaSampler(Sampler):
    """One study's search trials in memory, and Optuna's sampler. Not safe from several threads."""

    def __init__(self, definition: StudyDefinition) -> None:
        self._definition = definition
        self._space = distributions(definition.space)
        self._most = _MOST_TRIALS.get(definition.sampler)
        self._changes_taken = 0
        self._samplers: dict[str, BaseSampler] = {}  # by runner
        self._begin()

    def _begin(self) -> None:
        self._storage = InMemoryStorage()
        directions = [each.direction for each in self._definition.objectives]
        self._study = study_in_memory(directions, self._storage)
        self._places: dict[int, int] = {}  # trial number in the record: identifier here

    def prepare(self, runner: str, trials: int) -> None:
        """Make the sampler of `runner`; raises SamplerUnavailable."""
        if runner not in self._samplers:
            self._samplers[runner] = make_sampler(self._definition, runner, trials)

    def propose(self, snapshot: Snapshot, request: Request) -> Proposal:
        """Return what the runner's sampler proposes where `request.known` holds."""
        self._update(snapshot)
        sampler = self._samplers[request.runner]
        self._study.sampler = _fixing(request.known, sampler) if request.known else sampler
        trial = self._study.ask()
        space = self._definition.space
        parameters = walk(space, lambda name: suggest(trial, name, self._space[name]))
        noted = self._storage.get_trial_system_attrs(self._identifier(trial.number))
        notes = {key: note for key, note in noted.items() if not key.startswith(_NOT_KEPT)}
        return _Placed(parameters, notes, place=trial.number)

    def settle(self, proposal: Proposal, number: int | None) -> None:
        """Remember that `proposal` became trial `number`, or forget it."""
        assert isinstance(proposal, _Placed)  # noqa: S101 - it came from `propose`
        place = self._identifier(proposal.place)
        if number is None:
            self._storage.set_trial_state_values(place, TrialState.FAIL)
        else:
            self._places[number] = place

    def _update(self, snapshot: Snapshot) -> None:
        """Take over what changed in `snapshot`."""
        definition = bounded(self._definition, (trial.record for trial in snapshot.trials.values()))
        if definition != self._definition:
            self._definition = definition
            self._begin_with(snapshot, self._places)
        changed = dict.fromkeys(snapshot.changes[self._changes_taken :])
        self._changes_taken = len(snapshot.changes)
        for number in changed:
            self._take(snapshot.trials[number])
        if self._most is not None and len(self._places) > self._most * _SLACK:
            self._shrink(snapshot, self._most)

    def _shrink(self, snapshot: Snapshot, most: int) -> None:
        """Begin again with the running trials, the best in each objective, the front and the newest."""
        shown = [snapshot.trials[number] for number in sorted(self._places)]
        kept = {trial.number for trial in shown if trial.ending is None}
        kept.update(_most_informative(shown, self._definition, most // 4))
        newest = (trial.number for trial in reversed(shown) if trial.number not in kept)
        kept.update(itertools.islice(newest, max(0, most - len(kept))))
        self._begin_with(snapshot, kept)

    def _begin_with(self, snapshot: Snapshot, numbers: Iterable[int]) -> None:
        """Begin again with the trials of these `numbers`."""
        kept = sorted(numbers)
        self._begin()
        for number in kept:
            self._take(snapshot.trials[number])

    def _take(self, trial: StoredTrial) -> None:
        if trial.assignment.phase is Phase.CONFIRM or trial.record.state == "waiting":
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
        self._storage.set_trial_state_values(place, optuna_state(outcome.kind), values or None)

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
    state = TrialState.RUNNING if outcome is None else optuna_state(outcome.kind)
    if state is TrialState.FAIL:
        return None
    return optuna.trial.create_trial(
        state=state,
        values=objective_values(outcome, definition) or None if outcome else None,
        params=parameters,
        distributions={name: space[name] for name in parameters},
        system_attrs=dict(trial.assignment.sampler),
        constraints=constraint_values(outcome, definition) if outcome else None,
    )


def _most_informative(trials: Sequence[StoredTrial], definition: StudyDefinition, most: int) -> set[int]:
    """Return the numbers of the front's trials and of the best in each objective, about `most`."""
    records = [trial.record for trial in trials if trial.ending is not None]
    informative = {trial.number for trial in pareto_front(records, definition)[:most]}
    measured = [record for record in records if is_measured(record)]
    for objective in definition.objectives:
        ordered = sorted(
            measured,
            key=lambda record: record.outcome.metrics[objective.metric] if record.outcome else 0.0,
            reverse=objective.direction == "maximize",
        )
        informative.update(record.number for record in ordered[: most // len(definition.objectives)])
    return informative


def _parameters(trial: StoredTrial, definition: StudyDefinition) -> dict[str, Value] | None:
    if trial.assignment.phase is not Phase.BASELINE:
        return known_part(definition.space, trial.assignment.parameters)
    if trial.ending is None:
        return None
    return known_part(definition.space, trial.ending.outcome.configuration.flat())


def _fixing(fixed: Mapping[str, Value], sampler: BaseSampler) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # PartialFixedSampler: pinned with Optuna
        return PartialFixedSampler(dict(fixed), sampler)
