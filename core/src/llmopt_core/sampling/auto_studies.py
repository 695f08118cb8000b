"""The sampler `auto` on a study: what it is given of the trials, and when it ends the search."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from llmopt_core.analysis.contenders import score_errors
from llmopt_core.engines.registry import declaration_of
from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.auto.ending import measured_count, nothing_more_to_gain
from llmopt_core.sampling.auto.transfer import Transfer
from llmopt_core.sampling.checks import runner_seed
from llmopt_core.sampling.observations import Advice, Observation, ObservedState, Problem
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.search.spaces import ChoiceDimension, SearchSpace
from llmopt_core.storage.bounds import bounded, known_bounds
from llmopt_core.storage.earlier import EarlierStudy
from llmopt_core.storage.methods import Proposal, Request, Sampler
from llmopt_core.storage.points import known_part
from llmopt_core.storage.records import Outcome, OutcomeKind, Phase, StudyDefinition
from llmopt_core.storage.snapshot import Snapshot, StoredTrial

# Stages of a trial, as in `Outcome.seconds`.
_LOAD, _WARMUP, _TOTAL = "load", "warmup", "total"
_SERVED = frozenset({OutcomeKind.MEASURED, OutcomeKind.COPIED, OutcomeKind.PRUNED})
_STATES: Mapping[OutcomeKind, ObservedState] = {
    OutcomeKind.MEASURED: ObservedState.MEASURED,
    OutcomeKind.COPIED: ObservedState.MEASURED,
    OutcomeKind.PRUNED: ObservedState.STOPPED,
    OutcomeKind.INFEASIBLE: ObservedState.INFEASIBLE,
    OutcomeKind.INVALID: ObservedState.FAILED,
    OutcomeKind.FAILED: ObservedState.FAILED,
}


class AutoStudySampler(Sampler):
    """Gives the trials of one study to `AutoSampler`, which weighs gain against engine time."""

    def __init__(self, definition: StudyDefinition) -> None:
        self._definition = definition
        self._problem = problem_of(definition)
        self._transfer: Transfer | None = None
        self._seeds: dict[str, int] = {}  # by runner
        self._ended_at = -1  # how many changes of the study were known then

    def learn(self, earlier: Sequence[EarlierStudy]) -> None:
        """Take what earlier studies measured as the prior of the models."""
        self._transfer = Transfer(self._definition.space, earlier)
        self._transfer.fit(self._problem.metrics)

    def prepare(self, runner: str, trials: int) -> None:
        """Choose the seed of `runner`, whose chance differs from every other runner's."""
        if runner not in self._seeds:
            self._seeds[runner] = runner_seed(self._definition, runner, trials)

    def propose(self, snapshot: Snapshot, request: Request) -> Proposal | None:
        """Return the configuration with the most gain per second, or None where little is left to gain."""
        if self._ended_at == len(snapshot.changes) and not request.completes:
            return None
        self.ended = None  # another runner's trial may have shown that more is to be gained
        observations = list(observe(snapshot, self._definition))
        # A constraint relative to the baseline has a bound once the baseline is measured.
        records = (trial.record for trial in snapshot.trials.values())
        constraints = known_bounds(bounded(self._definition, records))
        problem = replace(self._problem, constraints=constraints)
        sampler = AutoSampler(problem, self._seeds[request.runner], self._transfer)
        known = request.known if request.completes else None
        advice = sampler.propose(observations, request.running, known)
        if advice is None:
            return None
        if not request.completes and self._ends(observations, advice):
            self._ended_at = len(snapshot.changes)
            return None
        return Proposal(advice.parameters, _notes(advice), advice.learned)

    def _ends(self, observations: list[Observation], advice: Advice) -> bool:
        if advice.bound is None or not nothing_more_to_gain(self._problem, observations, advice):
            return False
        measured = measured_count(observations)
        self.ended = (
            f"no remaining configuration is likely to be more than {max(advice.bound, 0.01):.0%} better than"
            f" the best of {measured} that were measured"
        )
        return True


def problem_of(definition: StudyDefinition) -> Problem:
    """Return the question of the study that `definition` describes, with the bounds that are known."""
    return Problem(
        space=definition.space,
        engine_parameters=_engine_parameters(definition),
        objectives=definition.objectives,
        constraints=known_bounds(definition),
    )


def _engine_parameters(definition: StudyDefinition) -> frozenset[str]:
    """Return the searched parameters that only another engine start changes.

    Whether sampling parameters are among them may depend on others (a server that keeps the sampling of its
    first request): the first value of each decides.
    """
    serving, names = definition.serving, definition.space.names()
    declaration = None if serving is None else declaration_of(serving.engine_name)
    if serving is None or declaration is None:
        return frozenset(name for name in names if name.startswith("engine."))
    parameters = {**serving.parameters, **_first_values(definition.space)}
    return frozenset(declaration.load_part(Configuration.from_flat(parameters))) & {*names}


def _first_values(space: SearchSpace) -> dict[str, Value]:
    return {
        each.name: each.dimension.choices[0]
        if isinstance(each.dimension, ChoiceDimension)
        else each.dimension.low
        for each in space.parameters
    }


def observe(snapshot: Snapshot, definition: StudyDefinition) -> Iterator[Observation]:
    """Yield what the trials of the baseline and the search show, by number."""
    for trial in snapshot.trials.values():
        if trial.assignment.phase is Phase.CONFIRM or trial.record.state == "waiting":
            continue
        parameters = _parameters(trial, definition)
        if parameters is None:
            continue
        baseline = trial.assignment.phase is Phase.BASELINE
        if trial.ending is None:
            yield Observation(parameters, ObservedState.RUNNING, is_baseline=baseline)
        elif (state := _STATES.get(trial.ending.outcome.kind)) is not None:
            yield _observation(
                parameters, state, _measured(trial.ending.outcome, snapshot), baseline=baseline
            )


def _parameters(trial: StoredTrial, definition: StudyDefinition) -> Mapping[str, Value] | None:
    """Return the point that `trial` is of, None where that does not lie in the space, or is not known yet."""
    if trial.assignment.phase is not Phase.BASELINE:
        return known_part(definition.space, trial.assignment.parameters)
    if trial.ending is None:
        return None
    return known_part(definition.space, trial.ending.outcome.configuration.flat())


def _measured(outcome: Outcome, snapshot: Snapshot) -> Outcome:
    """Return the outcome that was measured where `outcome` is a copy of it: a copy cost nothing."""
    twin = None if outcome.copied_from is None else snapshot.trials.get(outcome.copied_from)
    return outcome if twin is None or twin.ending is None else twin.ending.outcome


def _observation(
    parameters: Mapping[str, Value], state: ObservedState, outcome: Outcome, *, baseline: bool
) -> Observation:
    start = _start_seconds(outcome)
    return Observation(
        parameters,
        state,
        metrics=outcome.metrics,
        standard_errors=score_errors(outcome),
        seconds=max(0.0, outcome.seconds.get(_TOTAL, 0.0) - (start or 0.0)),
        start_seconds=start,
        is_baseline=baseline,
        of_requests=outcome.failure is not None and outcome.failure.of_requests,
    )


def _start_seconds(outcome: Outcome) -> float | None:
    """Return what the start of the engine cost with its first warm-up, None where none was started."""
    started = outcome.engine_start_seconds is not None or outcome.kind not in _SERVED
    if not started or _LOAD not in outcome.seconds:
        return None
    return outcome.seconds[_LOAD] + outcome.seconds.get(_WARMUP, 0.0)


def _notes(advice: Advice) -> Mapping[str, float]:
    noted = {"gain": advice.expected_gain, "seconds": advice.seconds, "bound": advice.bound}
    return {
        f"auto:{name}": value for name, value in noted.items() if value is not None and math.isfinite(value)
    }
