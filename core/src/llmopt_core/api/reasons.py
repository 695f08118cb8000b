"""Reasons of conditions and events.

To add a reason, add a member here. mypy then reports `explanations` until the new reason has a case in one of
the modules `explained_*`: where it appears, whether it recovers by itself, what it means and what to do. The
reference page `docs/reference/conditions.md` and the advice of the command line follow from that case.

A study that fails because of an error has the class of the error as its reason (`ErrorClass`), so both
together are what a condition may hold: `ConditionReason`.
"""

from collections.abc import Mapping
from enum import StrEnum

from llmopt_core.errors.classes import ErrorClass


class Reason(StrEnum):
    """Why a condition has its status, or what an event is about."""

    # Accepted
    VALID = "Valid"
    INVALID_SPEC = "InvalidSpec"
    POLICY_DENIED = "PolicyDenied"
    IMAGES_DIFFER = "ImagesDiffer"
    IMAGE_MISSING = "ImageMissing"
    SECRET_NOT_ALLOWED = "SecretNotAllowed"  # noqa: S105 - a reason, not a secret
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - as above
    # StudyReady
    STUDY_OPEN = "StudyOpen"
    STORAGE_SECRET_INVALID = "StorageSecretInvalid"  # noqa: S105 - a reason, not a secret
    STORAGE_UNUSABLE = "StorageUnusable"
    STUDY_UNREADABLE = "StudyUnreadable"
    ENQUEUE_INVALID = "EnqueueInvalid"
    NOTHING_TO_SEARCH = "NothingToSearch"
    REFERENCE_INVALID = "ReferenceInvalid"
    SAMPLER_UNAVAILABLE = "SamplerUnavailable"
    STUDY_MISMATCH = "StudyMismatch"
    WARM_START_INVALID = "WarmStartInvalid"
    # Running
    RUNNERS_ACTIVE = "RunnersActive"
    NOT_ACCEPTED = "NotAccepted"
    STARTING = "Starting"
    REPLACING = "Replacing"
    SUSPENDED = "Suspended"
    QUEUE_INADMISSIBLE = "QueueInadmissible"
    JOB_SUSPENDED = "JobSuspended"
    UNSCHEDULABLE = "Unschedulable"
    IMAGE_PULL_FAILED = "ImagePullFailed"
    REFERENCE_MISSING = "ReferenceMissing"
    CONTAINER_FAILED = "ContainerFailed"
    # Suspended
    SUSPENDED_BY_USER = "SuspendedByUser"
    # MemoryGuardPassed
    WITHIN_LIMITS = "WithinLimits"
    GUARD_TRIPPED = "GuardTripped"
    # BaselineMeasured
    BASELINE_INFEASIBLE = "BaselineInfeasible"
    # ResultValid
    PARAMETERS_OUTSIDE_SPACE = "ParametersOutsideSpace"
    # Blocked: what the API server refuses
    QUOTA_EXCEEDED = "QuotaExceeded"
    PERMISSION_MISSING = "PermissionMissing"
    ADMISSION_DENIED = "AdmissionDenied"
    ADMISSION_UNAVAILABLE = "AdmissionUnavailable"
    OBJECT_INVALID = "ObjectInvalid"
    NAME_TAKEN = "NameTaken"
    NAMESPACE_ENDING = "NamespaceEnding"
    API_SERVER_FAILING = "ApiServerFailing"
    # Complete and Failed: why a study has ended
    TRIALS_EXHAUSTED = "TrialsExhausted"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    BUDGET_SPENT = "BudgetSpent"
    GOAL_REACHED = "GoalReached"
    NOTHING_MORE_TO_GAIN = "NothingMoreToGain"
    TOO_MANY_FAILURES = "TooManyFailures"
    RUNNER_REFUSED = "RunnerRefused"
    RUNNER_FAILED = "RunnerFailed"
    RUNNERS_FAILED = "RunnersFailed"
    # RolledOut
    AVAILABLE = "Available"
    IN_PROGRESS = "InProgress"
    ROLLED_BACK = "RolledBack"
    SUPERSEDED = "Superseded"
    NO_SIGNIFICANT_GAIN = "NoSignificantGain"
    NOT_BY_ARGUMENTS = "NotByArguments"
    STUDY_LOST = "StudyLost"
    DEPLOYMENT_NOT_FOUND = "DeploymentNotFound"
    DEPLOYMENT_FORBIDDEN = "DeploymentForbidden"
    CONTAINER_NOT_FOUND = "ContainerNotFound"
    # Events only
    STARTED = "Started"
    BEST_IMPROVED = "BestImproved"
    ROLLOUT_STARTED = "RolloutStarted"
    ROLLED_OUT = "RolledOut"
    ROLLOUT_REFUSED = "RolloutRefused"
    LEASE_REFUSED = "LeaseRefused"
    # The command line only
    NO_OPERATOR = "NoOperator"


ConditionReason = Reason | ErrorClass
_BY_TEXT: Mapping[str, ConditionReason] = {each.value: each for each in (*ErrorClass, *Reason)}


def reason_called(text: str) -> ConditionReason | None:
    """Return the reason that `text` names, None where this version knows none of that name."""
    return _BY_TEXT.get(text)
