"""Repeats of a confirmation or a benchmark: trials enqueued beforehand, in a planned order. Pure.

Candidates are measured in rounds. In each round an engine is started once for all candidates that it serves,
and measures each of them `per_start` times. Every second round runs backwards, so that what drifts evenly
meets all candidates alike. The order follows from the plan alone: several runners, and runners that resume,
work off the same one.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmopt_core.engines.registry import declaration_of
from llmopt_core.errors.classes import ErrorClass, Failure, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.resources.search_spaces import complete
from llmopt_core.storage.documents import Assignment
from llmopt_core.storage.records import (
    CandidateDefinition,
    ComparisonDefinition,
    ConfirmPlan,
    Outcome,
    OutcomeKind,
    Phase,
    TrialRecord,
)

# Which candidate, and which of its repeats.
Place = tuple[int, int]

# Why a repeat that was measured is run again.
DISTURBED = Failure(
    ErrorClass.MEASUREMENT_INVALID,
    "others took processors or GPUs during the measurement; it is measured again",
    "measure where nothing else runs",
)
# How often one repeat is measured, and which share of all are measured again, because of others.
_MOST_ATTEMPTS = 3
_MOST_AGAIN_SHARE = 0.25
_LEAST_AGAIN = 4


@dataclass(frozen=True)
class Turn:
    """One repeat of a plan: of which candidate (from 0), and on which engine start (from 0).

    `start` is None where all candidates share one engine: then any running one will do.
    """

    candidate: int
    repeat: int
    start: int | None


def turns(engines: Sequence[str], repeats: int, per_start: int = 1) -> Iterator[Turn]:
    """Give all repeats of the candidates that need `engines`, in the order in which they are measured."""
    groups: dict[str, list[int]] = {}
    for candidate, engine in enumerate(engines):
        groups.setdefault(engine, []).append(candidate)
    members = list(groups.values())
    for round_ in range(math.ceil(repeats / per_start)):
        first = round_ * per_start
        for place, group in enumerate(reversed(members) if round_ % 2 else members):
            start = round_ * len(members) + place if len(members) > 1 else None
            for repeat in range(first, min(first + per_start, repeats)):
                for candidate in reversed(group) if (round_ + repeat - first) % 2 else group:
                    yield Turn(candidate, repeat, start)


def assignments(plan: ConfirmPlan) -> Iterator[Assignment]:
    """Give the assignments of all repeats of `plan`."""
    for number, turn in enumerate(turns(engines_of(plan), plan.repeats, plan.per_start)):
        yield Assignment(
            Phase.CONFIRM,
            plan.candidates[turn.candidate],
            candidate=plan.first + turn.candidate,
            repeat=turn.repeat,
            turn=number,
            start=turn.start,
        )


def engines_of(plan: ConfirmPlan) -> tuple[str, ...]:
    """Return what names each candidate's engine: one each where the plan does not say, as in 0.1.0."""
    return plan.engines or tuple(str(place) for place in range(len(plan.candidates)))


def plan_of(comparison: ComparisonDefinition) -> ConfirmPlan:
    """Return the plan of a benchmark: every repeat of every candidate, whatever the first ones say.

    Its candidates may be other models on other engines: no two of them need vary alike.
    """
    return ConfirmPlan(
        candidates=tuple(each.parameters for each in comparison.candidates),
        source_trials=(),
        repeats=comparison.repeats,
        engines=tuple(_engine_of(each) for each in comparison.candidates),
        reference=comparison.baseline_place,
        pooled=False,
    )


def _engine_of(candidate: CandidateDefinition) -> str:
    """Return a text that is the same for candidates that one running engine can serve."""
    serving = candidate.serving
    if serving is None:
        return candidate.name
    declaration = declaration_of(serving.engine_name)
    parameters = dict(serving.parameters)
    frozen = (
        parameters if declaration is None else declaration.load_part(complete({}, parameters, declaration))
    )
    engine = {name: value for name, value in serving.engine.items() if name != "args"}
    return json.dumps([serving.model, engine, frozen], sort_keys=True, default=str)


def is_measured_again(attempt: int, again: int, planned: int) -> bool:
    """Say whether a repeat that others disturbed is measured again.

    `attempt` counts from 0, `again` is how many were measured again so far, of `planned` repeats. Never is
    it done without end: on a machine that is never quiet the result says so instead.
    """
    return attempt + 1 < _MOST_ATTEMPTS and again < max(_LEAST_AGAIN, _MOST_AGAIN_SHARE * planned)


def measured_again(trials: Sequence[TrialRecord]) -> int:
    """Return how many repeats were given back because others disturbed them."""
    return sum(
        trial.phase is Phase.CONFIRM and trial.outcome is not None and trial.outcome.failure == DISTURBED
        for trial in trials
    )


def current(trials: Sequence[TrialRecord]) -> dict[Place, TrialRecord]:
    """Return the trial that each repeat stands by now: the last one, for a repeat can be run again.

    A repeat that was given back and is not enqueued again is left out.
    """
    last: dict[Place, TrialRecord] = {}
    for trial in trials:
        if trial.candidate is not None and trial.repeat is not None:
            last[trial.candidate, trial.repeat] = trial
    return {place: trial for place, trial in last.items() if ended_as(trial) is not OutcomeKind.RETURNED}


def measured_repeats(trials: Sequence[TrialRecord], *, first: int = 0) -> dict[int, dict[int, Outcome]]:
    """Return the measured outcomes by candidate and repeat, the one called `first` as candidate 0.

    Candidates before it are of a plan that was replaced, and left out.
    """
    runs: dict[int, dict[int, Outcome]] = {}
    for trial in trials:
        if trial.candidate is None or trial.repeat is None or trial.candidate < first:
            continue
        if trial.outcome is not None and trial.outcome.kind is OutcomeKind.MEASURED:
            runs.setdefault(trial.candidate - first, {})[trial.repeat] = trial.outcome
    return runs


def ended_as(trial: TrialRecord) -> OutcomeKind | None:
    """Return how the trial ended, None while it has not."""
    return None if trial.outcome is None else trial.outcome.kind


def given_up(trials: Sequence[TrialRecord]) -> dict[int, Failure]:
    """Return, by candidate, the failure after which none of its repeats can be expected to work.

    A fatal one (its model is missing) is enough; one that means that the configuration does not work here,
    or that its server is away, is, as long as no repeat of the candidate was measured.
    """
    repeats = list(current(trials).values())
    measured = {trial.candidate for trial in repeats if ended_as(trial) is OutcomeKind.MEASURED}
    lost: dict[int, Failure] = {}
    for trial in repeats:
        failure = trial.outcome.failure if trial.outcome else None
        if trial.candidate is None or failure is None:
            continue
        policy = POLICIES[failure.error_class]
        if policy is RetryPolicy.FATAL or (
            policy in {RetryPolicy.INFEASIBLE, RetryPolicy.OUTAGE} and trial.candidate not in measured
        ):
            lost.setdefault(trial.candidate, failure)
    return lost
