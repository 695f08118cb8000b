"""What every reason means and what to do about it, for the engineer who reads it in a condition or an event.

Each `match`, here and in the modules `explained_*`, ends in `assert_never`: mypy reports a reason without a
case. Code that treats reasons differently does so by their `Recovery`, with a `match` of its own, and never
by a list of reasons.
"""

from typing import assert_never

from llmopt_core.api.explained import EVENT, FAILED, IDLE, WITHOUT_STUDY, Explanation, Recovery
from llmopt_core.api.explained_rollouts import rollouts_explanation
from llmopt_core.api.explained_running import running_explanation
from llmopt_core.api.explained_studies import studies_explanation
from llmopt_core.api.failures import failure_advice
from llmopt_core.api.reasons import ConditionReason, Reason
from llmopt_core.errors.classes import ErrorClass


def comes_back(reason: ConditionReason) -> bool:
    """Return whether what `reason` says can end without a change of the resource: it is looked at again."""
    recovery = explanation(reason).recovery
    match recovery:
        case Recovery.SOON | Recovery.LATER:
            return True
        case Recovery.NOT_NEEDED | Recovery.ON_CHANGE:
            return False
        case _:
            assert_never(recovery)


def explanation(reason: ConditionReason) -> Explanation:
    """Return what `reason` means."""
    return _failure(reason) if isinstance(reason, ErrorClass) else _explained(reason)


def _failure(error_class: ErrorClass) -> Explanation:
    meaning, action = failure_advice(error_class)
    if error_class is ErrorClass.STORAGE_UNAVAILABLE:
        return Explanation((*WITHOUT_STUDY, FAILED), Recovery.LATER, meaning, action)
    return Explanation((FAILED, IDLE, EVENT), Recovery.ON_CHANGE, meaning, action)


def _explained(reason: Reason) -> Explanation:
    match reason:
        case (
            Reason.VALID
            | Reason.INVALID_SPEC
            | Reason.POLICY_DENIED
            | Reason.IMAGES_DIFFER
            | Reason.IMAGE_MISSING
            | Reason.SECRET_NOT_ALLOWED
            | Reason.SECRET_NOT_FOUND
            | Reason.STUDY_OPEN
            | Reason.STORAGE_SECRET_INVALID
            | Reason.STORAGE_UNUSABLE
            | Reason.STUDY_UNREADABLE
            | Reason.ENQUEUE_INVALID
            | Reason.NOTHING_TO_SEARCH
            | Reason.REFERENCE_INVALID
            | Reason.SAMPLER_UNAVAILABLE
            | Reason.STUDY_MISMATCH
            | Reason.WARM_START_INVALID
            | Reason.TRIALS_EXHAUSTED
            | Reason.DEADLINE_EXCEEDED
            | Reason.BUDGET_SPENT
            | Reason.GOAL_REACHED
            | Reason.NOTHING_MORE_TO_GAIN
            | Reason.TOO_MANY_FAILURES
            | Reason.RUNNER_REFUSED
            | Reason.RUNNER_FAILED
            | Reason.RUNNERS_FAILED
        ):
            return studies_explanation(reason)
        case (
            Reason.RUNNERS_ACTIVE
            | Reason.NOT_ACCEPTED
            | Reason.STARTING
            | Reason.REPLACING
            | Reason.SUSPENDED
            | Reason.QUEUE_INADMISSIBLE
            | Reason.JOB_SUSPENDED
            | Reason.UNSCHEDULABLE
            | Reason.IMAGE_PULL_FAILED
            | Reason.REFERENCE_MISSING
            | Reason.CONTAINER_FAILED
            | Reason.SUSPENDED_BY_USER
            | Reason.WITHIN_LIMITS
            | Reason.GUARD_TRIPPED
            | Reason.BASELINE_INFEASIBLE
            | Reason.PARAMETERS_OUTSIDE_SPACE
            | Reason.QUOTA_EXCEEDED
            | Reason.PERMISSION_MISSING
            | Reason.ADMISSION_DENIED
            | Reason.ADMISSION_UNAVAILABLE
            | Reason.OBJECT_INVALID
            | Reason.NAME_TAKEN
            | Reason.NAMESPACE_ENDING
            | Reason.API_SERVER_FAILING
        ):
            return running_explanation(reason)
        case (
            Reason.AVAILABLE
            | Reason.IN_PROGRESS
            | Reason.ROLLED_BACK
            | Reason.SUPERSEDED
            | Reason.NO_SIGNIFICANT_GAIN
            | Reason.NOT_BY_ARGUMENTS
            | Reason.STUDY_LOST
            | Reason.DEPLOYMENT_NOT_FOUND
            | Reason.DEPLOYMENT_FORBIDDEN
            | Reason.CONTAINER_NOT_FOUND
            | Reason.STARTED
            | Reason.BEST_IMPROVED
            | Reason.ROLLOUT_STARTED
            | Reason.ROLLED_OUT
            | Reason.ROLLOUT_REFUSED
            | Reason.LEASE_REFUSED
            | Reason.NO_OPERATOR
        ):
            return rollouts_explanation(reason)
        case _:
            assert_never(reason)
