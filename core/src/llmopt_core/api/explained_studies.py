"""What reasons of a resource and its study mean: whether it is accepted, can be opened, and why it ended."""

from typing import Literal, assert_never

from llmopt_core.api.explained import (
    ACCEPTED,
    COMPLETE,
    EVENT,
    FAILED,
    IDLE,
    NOT_ROLLED_OUT,
    READY,
    REFUSED,
    RESTART,
    WITHOUT_STUDY,
    Explanation,
    Recovery,
)
from llmopt_core.api.reasons import Reason

StudyReason = Literal[
    Reason.VALID,
    Reason.INVALID_SPEC,
    Reason.POLICY_DENIED,
    Reason.IMAGES_DIFFER,
    Reason.IMAGE_MISSING,
    Reason.SECRET_NOT_ALLOWED,
    Reason.SECRET_NOT_FOUND,
    Reason.STUDY_OPEN,
    Reason.STORAGE_SECRET_INVALID,
    Reason.STORAGE_UNUSABLE,
    Reason.STUDY_UNREADABLE,
    Reason.ENQUEUE_INVALID,
    Reason.NOTHING_TO_SEARCH,
    Reason.REFERENCE_INVALID,
    Reason.SAMPLER_UNAVAILABLE,
    Reason.STUDY_MISMATCH,
    Reason.WARM_START_INVALID,
    Reason.TRIALS_EXHAUSTED,
    Reason.DEADLINE_EXCEEDED,
    Reason.BUDGET_SPENT,
    Reason.GOAL_REACHED,
    Reason.NOTHING_MORE_TO_GAIN,
    Reason.TOO_MANY_FAILURES,
    Reason.RUNNER_REFUSED,
    Reason.RUNNER_FAILED,
    Reason.RUNNERS_FAILED,
]


def studies_explanation(reason: StudyReason) -> Explanation:  # noqa: C901, PLR0911, PLR0912 - a table that mypy checks
    """Return what `reason` means."""
    match reason:
        case Reason.VALID:
            return Explanation((ACCEPTED,), Recovery.NOT_NEEDED, "The resource is valid and allowed here.")
        case Reason.INVALID_SPEC:
            return Explanation(
                (REFUSED, NOT_ROLLED_OUT, EVENT),
                Recovery.ON_CHANGE,
                "The resource is invalid; the message names every invalid field.",
                "correct the manifest (`llmopt validate FILE` names the lines) and apply it again",
            )
        case Reason.POLICY_DENIED:
            return Explanation(
                (REFUSED, NOT_ROLLED_OUT, EVENT),
                Recovery.ON_CHANGE,
                "The resource asks for something that the administrator does not allow.",
                "change the field, or ask the cluster's administrator to allow it in the chart's"
                " settings.policy",
            )
        case Reason.IMAGES_DIFFER:
            return Explanation(
                (REFUSED, EVENT),
                Recovery.ON_CHANGE,
                "The candidates need different runner images, and one Job runs one image.",
                "name an image that holds all engines in spec.runners.image, or write one benchmark for each",
            )
        case Reason.IMAGE_MISSING:
            return Explanation(
                (REFUSED, EVENT),
                Recovery.ON_CHANGE,
                "There is no image of llmopt with this engine, and none is named.",
                "name an image that has the engine and llmopt-runner in spec.runners.image, or in the chart's"
                " settings.images",
            )
        case Reason.SECRET_NOT_ALLOWED:
            return Explanation(
                (REFUSED, EVENT),
                Recovery.LATER,
                "A Secret that the resource refers to lacks the label that allows its use.",
                "label it, if you may decide that: `kubectl label secret NAME llmopt.dev/allowed=true`",
            )
        case Reason.SECRET_NOT_FOUND:
            return Explanation(
                (REFUSED, EVENT),
                Recovery.LATER,
                "A Secret that the resource refers to does not exist, so its label cannot be checked.",
                "create the Secret with the label llmopt.dev/allowed=true",
            )
        case Reason.STUDY_OPEN:
            return Explanation((READY,), Recovery.NOT_NEEDED, "The study exists in the namespace's database.")
        case Reason.STORAGE_SECRET_INVALID:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.LATER,
                "The namespace has no usable Secret with the URL of its database.",
                "create or correct the Secret that the message names; the operator reads it again by itself",
            )
        case Reason.STORAGE_UNUSABLE:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.LATER,
                "The database answers, but it cannot be used: its tables are not those that llmopt made, a"
                " right is missing, or it is no PostgreSQL database.",
                "do what the message says; the Secret llmopt-storage must name a PostgreSQL database of its"
                " own",
            )
        case Reason.STUDY_UNREADABLE:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.LATER,
                "The database has rows of the study that llmopt did not write, or more than the operator"
                " reads.",
                "remove or restore the rows that the message names; the runners continue meanwhile",
            )
        case Reason.ENQUEUE_INVALID:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "A configuration of spec.search.enqueue does not lie in the search space.",
                "correct the entry, or widen spec.search.space",
            )
        case Reason.NOTHING_TO_SEARCH:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The manifest fixes every parameter that the preset has for this engine.",
                "name parameters in spec.search.space, or take fixed ones out of spec.engine.args",
            )
        case Reason.REFERENCE_INVALID:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.LATER,
                "A candidate refers to the result of an optimization that does not exist or has none yet.",
                "wait until the optimization has ended, or correct the candidate's reference",
            )
        case Reason.SAMPLER_UNAVAILABLE:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The sampler cannot handle this search space or these objectives, or a package is missing.",
                "choose another spec.search.sampler",
            )
        case Reason.STUDY_MISMATCH:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The resource was changed, and the trials of its study are not comparable any more.",
                "undo the change, or delete the resource and create it again",
            )
        case Reason.WARM_START_INVALID:
            return Explanation(
                WITHOUT_STUDY,
                Recovery.LATER,
                "The study that spec.search.warmStartFrom names does not exist or has no usable trial.",
                "correct spec.search.warmStartFrom, or remove it",
            )
        case Reason.TRIALS_EXHAUSTED:
            return Explanation(
                (COMPLETE, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "All trials of the budget, or all configurations of the search space, are done.",
                "raise spec.budget.trials to continue",
            )
        case Reason.DEADLINE_EXCEEDED:
            return Explanation(
                (COMPLETE, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "spec.budget.duration is spent.",
                "raise spec.budget.duration to continue",
            )
        case Reason.BUDGET_SPENT:
            return Explanation(
                (COMPLETE, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "spec.budget.gpuHours is spent.",
                "raise spec.budget.gpuHours to continue",
            )
        case Reason.GOAL_REACHED:
            return Explanation(
                (COMPLETE, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "A trial reached spec.budget.target.",
                "set a harder target to continue",
            )
        case Reason.NOTHING_MORE_TO_GAIN:
            return Explanation(
                (COMPLETE, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "No remaining configuration is likely to be noticeably better than the best one measured.",
                "nothing; to search on, use another spec.search.sampler or a larger space in a new resource",
            )
        case Reason.TOO_MANY_FAILURES:
            return Explanation(
                (FAILED, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "As many trials failed as spec.budget.maxFailedTrials allows.",
                "status.errors lists the causes and what to do about each; then start the study again with"
                " the annotation llmopt.dev/restart",
            )
        case Reason.RUNNER_REFUSED:
            return Explanation(
                (FAILED, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "The runner cannot use this resource; the message is the end of its log.",
                f"if the message names a field, {RESTART}",
            )
        case Reason.RUNNER_FAILED:
            return Explanation(
                (FAILED, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "A runner ended with an error that it did not expect; it is started again up to 12 times.",
                f"`llmopt logs NAME --previous` shows the error; {RESTART}",
            )
        case Reason.RUNNERS_FAILED:
            return Explanation(
                (FAILED, IDLE, EVENT),
                Recovery.ON_CHANGE,
                "The Job of the runners failed, and no pod is left that shows why.",
                f"`kubectl describe job` shows its events; {RESTART}",
            )
        case _:
            assert_never(reason)
