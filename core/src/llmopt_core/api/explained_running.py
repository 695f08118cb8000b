"""What reasons of a study that runs mean: its runners, its measurements, and what the API server refuses."""

from typing import Literal, assert_never

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.explained import (
    EVENT,
    IDLE,
    NOT_ROLLED_OUT,
    RUNS,
    WHERE_REFUSED,
    Explanation,
    Place,
    Recovery,
)
from llmopt_core.api.reasons import Reason

RunningReason = Literal[
    Reason.RUNNERS_ACTIVE,
    Reason.NOT_ACCEPTED,
    Reason.STARTING,
    Reason.REPLACING,
    Reason.SUSPENDED,
    Reason.QUEUE_INADMISSIBLE,
    Reason.JOB_SUSPENDED,
    Reason.UNSCHEDULABLE,
    Reason.IMAGE_PULL_FAILED,
    Reason.REFERENCE_MISSING,
    Reason.CONTAINER_FAILED,
    Reason.SUSPENDED_BY_USER,
    Reason.WITHIN_LIMITS,
    Reason.GUARD_TRIPPED,
    Reason.BASELINE_INFEASIBLE,
    Reason.PARAMETERS_OUTSIDE_SPACE,
    Reason.QUOTA_EXCEEDED,
    Reason.PERMISSION_MISSING,
    Reason.ADMISSION_DENIED,
    Reason.ADMISSION_UNAVAILABLE,
    Reason.OBJECT_INVALID,
    Reason.NAME_TAKEN,
    Reason.NAMESPACE_ENDING,
    Reason.API_SERVER_FAILING,
]


def running_explanation(reason: RunningReason) -> Explanation:  # noqa: C901, PLR0911, PLR0912 - a table that mypy checks
    """Return what `reason` means."""
    match reason:
        case Reason.RUNNERS_ACTIVE:
            return Explanation((RUNS,), Recovery.NOT_NEEDED, "At least one runner works on the study.")
        case Reason.NOT_ACCEPTED:
            return Explanation(
                (IDLE,), Recovery.ON_CHANGE, "The resource is refused.", "see the condition Accepted"
            )
        case Reason.STARTING:
            return Explanation((IDLE,), Recovery.SOON, "The Job or its pods are being created.")
        case Reason.REPLACING:
            return Explanation(
                (IDLE,),
                Recovery.SOON,
                "Runners of the earlier manifest give their trials back before new ones start.",
            )
        case Reason.SUSPENDED:
            return Explanation(
                (IDLE,), Recovery.ON_CHANGE, "spec.suspend is true.", "set spec.suspend to false to continue"
            )
        case Reason.QUEUE_INADMISSIBLE:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "The queue of spec.runners.queueName has not admitted the Job yet.",
                "`kubectl get workloads` shows its place; it starts by itself when it is admitted",
            )
        case Reason.JOB_SUSPENDED:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "Somebody else suspended the Job of the runners.",
                'resume the Job: `kubectl patch job NAME --patch \'{"spec": {"suspend": false}}\'`',
            )
        case Reason.UNSCHEDULABLE:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "No node has what a runner's pod requests; the message is the scheduler's.",
                "wait for such a node, or ask for less in spec.runners.resources; spec.runners.template"
                " selects the nodes",
            )
        case Reason.IMAGE_PULL_FAILED:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "The runner's image cannot be pulled.",
                "correct spec.runners.image, or give spec.runners.template.imagePullSecrets",
            )
        case Reason.REFERENCE_MISSING:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "A Secret or ConfigMap that the runner needs does not exist or lacks the key.",
                "create the Secret or ConfigMap that the message names; the pod then starts by itself",
            )
        case Reason.CONTAINER_FAILED:
            return Explanation(
                (IDLE,),
                Recovery.LATER,
                "The node cannot start the runner's container.",
                "`kubectl describe pod` shows its events",
            )
        case Reason.SUSPENDED_BY_USER:
            return Explanation(
                (Place(ConditionType.SUSPENDED),),
                Recovery.ON_CHANGE,
                "spec.suspend is true; the study keeps all its trials.",
                "it continues where it stopped once spec.suspend is false",
            )
        case Reason.WITHIN_LIMITS:
            return Explanation(
                (Place(ConditionType.MEMORY_GUARD_PASSED),),
                Recovery.NOT_NEEDED,
                "No trial ran out of memory.",
            )
        case Reason.GUARD_TRIPPED:
            return Explanation(
                (Place(ConditionType.MEMORY_GUARD_PASSED, status=False), EVENT),
                Recovery.NOT_NEEDED,
                "Trials did not fit into memory; the search continues with smaller configurations.",
                "nothing, or narrow spec.search.space to configurations that fit",
            )
        case Reason.BASELINE_INFEASIBLE:
            return Explanation(
                (Place(ConditionType.BASELINE_MEASURED, status=False), EVENT),
                Recovery.NOT_NEEDED,
                "The baseline could not be measured here; the search continues, and gains are over"
                " the best configuration in its place.",
                "nothing, or fix spec.engine.args to values with which the baseline runs",
            )
        case Reason.PARAMETERS_OUTSIDE_SPACE:
            return Explanation(
                (Place(ConditionType.RESULT_VALID, status=False), NOT_ROLLED_OUT, EVENT),
                Recovery.ON_CHANGE,
                "The best trial in the database has parameters outside spec.search.space: it is not used.",
                "find out who wrote into the namespace's database, then create the resource again",
            )
        case Reason.QUOTA_EXCEEDED:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "A ResourceQuota of the namespace does not allow what the operator must create.",
                "raise the quota that the message names, or delete what uses it",
            )
        case Reason.PERMISSION_MISSING:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "The operator's service account lacks a right, which the message names.",
                "upgrade the chart's release, or correct what was changed in its roles",
            )
        case Reason.ADMISSION_DENIED:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "An admission webhook, a policy or PodSecurity denies what the operator must write.",
                "change the resource so that it is allowed, or ask the cluster's administrator",
            )
        case Reason.ADMISSION_UNAVAILABLE:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "An admission webhook does not answer, so the API server accepts nothing that it must check.",
                "repair the webhook that the message names",
            )
        case Reason.OBJECT_INVALID:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "The API server rejects an object that the operator makes from the resource.",
                "correct the field of the resource that the message names",
            )
        case Reason.NAME_TAKEN:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "An object with the needed name belongs to somebody else; it is not changed.",
                "delete or rename that object",
            )
        case Reason.NAMESPACE_ENDING:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "The namespace is being deleted: nothing can be created in it.",
                "nothing, or create the resource in another namespace",
            )
        case Reason.API_SERVER_FAILING:
            return Explanation(
                WHERE_REFUSED,
                Recovery.LATER,
                "The API server failed, or did not answer, several times in a row.",
                "look at the health of the API server; it is tried again with pauses that grow to a minute",
            )
        case _:
            assert_never(reason)
