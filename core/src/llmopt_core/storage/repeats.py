"""Repeats: trials enqueued beforehand, interleaved; confirmations and comparisons consist of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from llmopt_core.errors.classes import Failure, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.search.configurations import Value
from llmopt_core.storage.documents import Ticket
from llmopt_core.storage.records import ComparisonDefinition, Outcome, OutcomeKind, Phase, TrialRecord

# Which candidate, and which of its repeats.
Place = tuple[int, int]


def interleaved(
    candidates: Sequence[Mapping[str, Value]], repeats: int, *, first: int = 0
) -> Iterator[Ticket]:
    """Give the tickets of all repeats, every candidate once before any is run again.

    `candidates` are their parameters; the first of them is called `first` in the trials.
    """
    for repeat in range(repeats):
        for candidate, parameters in enumerate(candidates, start=first):
            yield Ticket(Phase.CONFIRM, parameters, candidate=candidate, repeat=repeat)


def of_comparison(comparison: ComparisonDefinition) -> Iterator[Ticket]:
    """Give the tickets of a comparison."""
    return interleaved([each.parameters for each in comparison.candidates], comparison.repeats)


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

    A fatal one (its model is missing) is enough; one that means that the configuration does not work here
    is, as long as no repeat of the candidate was measured.
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
            policy is RetryPolicy.INFEASIBLE and trial.candidate not in measured
        ):
            lost.setdefault(trial.candidate, failure)
    return lost
