"""Which outcome a trial has: measured, stopped early, invalid, infeasible or failed, and why."""

from collections.abc import Sequence
from dataclasses import replace

from llmopt_core.errors.classes import ErrorClass, Failure, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.search.configurations import Configuration, Value
from llmopt_core.storage.records import Outcome, OutcomeKind
from llmopt_runner.trial.validity import Validity

# What says nothing against an engine that lives. Out of memory and out of time it would be again.
_OF_REQUESTS = frozenset({
    ErrorClass.INVALID_CONFIGURATION, ErrorClass.KV_CACHE_TOO_SMALL, ErrorClass.MEASUREMENT_INVALID,
    ErrorClass.NO_GOOD_ANSWERS, ErrorClass.REQUESTS_FAILED,
})  # fmt: skip


def judged(
    outcome: Outcome, validity: Validity, *, invalid: Sequence[str], undefined: Sequence[str], pruned: bool
) -> Outcome:
    """Return the measured `outcome` as what it is worth.

    `invalid` says what makes the measurement invalid, `undefined` names the asked metrics that no good answer
    leaves without a value; a `pruned` one was stopped before all items were asked.
    """
    configuration = outcome.configuration
    if (refusal := _refusal(validity)) is not None:
        return replace(failed(configuration, refusal), facts=outcome.facts)
    if invalid:
        failure = Failure(ErrorClass.MEASUREMENT_INVALID, "; ".join(invalid), "its values are not used")
        return replace(outcome, kind=OutcomeKind.INVALID, failure=failure)
    if pruned:
        return replace(outcome, kind=OutcomeKind.PRUNED)
    if undefined:
        failure = _no_good_answers(undefined, len(outcome.samples))
        return replace(
            failed(configuration, failure),
            metrics=outcome.metrics,
            facts=outcome.facts,
            answers=outcome.answers,
        )
    return outcome


def without_requests(
    configuration: Configuration, failure: Failure, *, failed_ratio: float, tolerated: str
) -> Outcome:
    """Return the outcome of a load of which more than the share `tolerated` failed, by `failure`.

    Where some were answered, and the failure names no cause, the measurement is invalid: the engine serves.
    """
    if failure.error_class is not ErrorClass.REQUESTS_FAILED or failed_ratio >= 1:
        return failed(configuration, failure)
    message = f"{failure.message}; workload.tolerateFailedRequests is {tolerated}"
    text = f"{failure.suggestion}; or raise workload.tolerateFailedRequests and bound failed_requests_ratio"
    return Outcome(
        OutcomeKind.INVALID,
        configuration,
        metrics={"failed_requests_ratio": failed_ratio},
        failure=Failure(failure.error_class, message, text),
    )


def short_names(configuration: Configuration) -> dict[str, Value]:
    """Return what a suggestion may mention, by short name."""
    return {**configuration.prompt, **configuration.sampling, **configuration.engine}


def timed_out(trial_timeout: str) -> Failure:
    """Return the failure of a measurement that took longer than `trial_timeout`."""
    return Failure(
        ErrorClass.TRIAL_TIMEOUT,
        f"the measurement did not end within {trial_timeout}",
        "raise spec.budget.trialTimeout, or lower workload.dataset.samples or workload.maxTokens",
    )


def failed(configuration: Configuration, failure: Failure) -> Outcome:
    """Return the outcome of a trial that `failure` ended: failed, or infeasible as its class says."""
    policy = POLICIES[failure.error_class]
    kind = OutcomeKind.INFEASIBLE if policy is RetryPolicy.INFEASIBLE else OutcomeKind.FAILED
    return Outcome(kind, configuration, failure=failure)


def by_requests(outcome: Outcome) -> Outcome:
    """Return the `outcome` of a trial whose engine still serves: most classes are then of its requests."""
    failure = outcome.failure
    if failure is None or failure.error_class not in _OF_REQUESTS:
        return outcome
    return replace(outcome, failure=replace(failure, of_requests=True))


def _refusal(validity: Validity) -> Failure | None:
    """Return why the configuration would not serve the workload the next time either, if it is so."""
    if validity.context_cut is not None:
        text = "give each request more context, serve fewer requests at once, or ask for less"
        return Failure(ErrorClass.KV_CACHE_TOO_SMALL, validity.context_cut, text)
    if validity.other_lengths is not None:
        text = "the server does not keep to the requested length: remove workload.outputTokens"
        return Failure(ErrorClass.INVALID_CONFIGURATION, validity.other_lengths, text)
    return None


def _no_good_answers(undefined: Sequence[str], count: int) -> Failure:
    message = f"none of {count} answers was good, so {', '.join(undefined)} is not defined"
    text = "ask more items (workload.dataset.samples), or use good_answers_per_second, which is 0 there"
    return Failure(ErrorClass.NO_GOOD_ANSWERS, message, text)
