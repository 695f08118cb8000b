"""What reasons of a rollout mean, and those that appear in events or on the command line only."""

from typing import Literal, assert_never

from llmopt_core.api.explained import EVENT, NOT_ROLLED_OUT, ROLLED_OUT, Explanation, Recovery
from llmopt_core.api.reasons import Reason

RolloutReason = Literal[
    Reason.AVAILABLE,
    Reason.IN_PROGRESS,
    Reason.ROLLED_BACK,
    Reason.SUPERSEDED,
    Reason.NO_SIGNIFICANT_GAIN,
    Reason.NOT_BY_ARGUMENTS,
    Reason.STUDY_LOST,
    Reason.DEPLOYMENT_NOT_FOUND,
    Reason.DEPLOYMENT_FORBIDDEN,
    Reason.CONTAINER_NOT_FOUND,
    Reason.STARTED,
    Reason.BEST_IMPROVED,
    Reason.ROLLOUT_STARTED,
    Reason.ROLLED_OUT,
    Reason.ROLLOUT_REFUSED,
    Reason.LEASE_REFUSED,
    Reason.NO_OPERATOR,
]


def rollouts_explanation(reason: RolloutReason) -> Explanation:  # noqa: C901, PLR0911, PLR0912 - a table that mypy checks
    """Return what `reason` means."""
    match reason:
        case Reason.AVAILABLE:
            return Explanation(
                (ROLLED_OUT,), Recovery.NOT_NEEDED, "The Deployment serves with the winner's arguments."
            )
        case Reason.IN_PROGRESS:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment was changed; its new pods are not available yet.",
            )
        case Reason.ROLLED_BACK:
            return Explanation(
                (NOT_ROLLED_OUT, EVENT),
                Recovery.ON_CHANGE,
                "The Deployment did not become available with the winner's arguments, so it has its former"
                " ones again.",
                "the events of its pods show why; the winner itself is in status.best",
            )
        case Reason.SUPERSEDED:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "The arguments of the Deployment were changed since; they are not overwritten.",
            )
        case Reason.NO_SIGNIFICANT_GAIN:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "No repeats proved a gain over the baseline, so the Deployment is not changed.",
                "raise spec.budget or spec.confirm.repeats for a more precise comparison",
            )
        case Reason.NOT_BY_ARGUMENTS:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "The winner cannot be expressed by the arguments of the container.",
                "use the ConfigMap of the best parameters, or start the server itself in the container",
            )
        case Reason.STUDY_LOST:
            return Explanation(
                (NOT_ROLLED_OUT, EVENT),
                Recovery.ON_CHANGE,
                "The study is not in the database any more; one that was running starts again.",
                "restore the namespace's database if the trials are needed",
            )
        case Reason.DEPLOYMENT_NOT_FOUND:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment of spec.rollout does not exist.",
                "create it, or correct spec.rollout",
            )
        case Reason.DEPLOYMENT_FORBIDDEN:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The operator may not read the Deployment of spec.rollout.",
                "grant it the right: see docs/how-to/rollout.md",
            )
        case Reason.CONTAINER_NOT_FOUND:
            return Explanation(
                (NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment has no container of the name in spec.rollout.",
                "correct spec.rollout.deploymentRef.container",
            )
        case Reason.STARTED:
            return Explanation((EVENT,), Recovery.NOT_NEEDED, "The first runner works on the study.")
        case Reason.BEST_IMPROVED:
            return Explanation((EVENT,), Recovery.NOT_NEEDED, "A trial is better than the best so far.")
        case Reason.ROLLOUT_STARTED:
            return Explanation((EVENT,), Recovery.NOT_NEEDED, "The winner is written into the Deployment.")
        case Reason.ROLLED_OUT:
            return Explanation(
                (EVENT,), Recovery.NOT_NEEDED, "The Deployment serves with the winner's arguments."
            )
        case Reason.ROLLOUT_REFUSED:
            return Explanation(
                (EVENT,),
                Recovery.LATER,
                "The API server refused the change of the Deployment; the message is its own.",
                "remove what the message names: it is tried again",
            )
        case Reason.LEASE_REFUSED:
            return Explanation(
                (EVENT,),
                Recovery.LATER,
                "The API server refuses the operator its Lease, so no operator acts.",
                "remove what the message names, such as a missing right or a quota",
            )
        case Reason.NO_OPERATOR:
            return Explanation(
                (),
                Recovery.LATER,
                "The command line found that no operator looks at the resource.",
                "see whether one runs and watches this namespace, or install its chart",
            )
        case _:
            assert_never(reason)
