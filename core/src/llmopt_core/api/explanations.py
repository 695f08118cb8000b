"""What every reason means and what to do about it, for the engineer who reads it in a condition or an event.

`explanation` is a `match` that ends in `assert_never`: mypy reports a reason without a case. Code that treats
reasons differently does so by their `Recovery`, with a `match` of its own, and never by a list of reasons.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.failures import failure_advice
from llmopt_core.api.reasons import ConditionReason, Reason
from llmopt_core.errors.classes import ErrorClass


class Recovery(StrEnum):
    """When what a reason says is over."""

    NOT_NEEDED = "nothing is wrong"
    SOON = "by itself, within seconds"
    LATER = "by itself, once the cause is removed"
    ON_CHANGE = "when the resource is changed"


@dataclass(frozen=True)
class Place:
    """Where a reason appears: in the condition `type` with `status`; an event where there is no type."""

    type: ConditionType | None = None
    status: bool = True


@dataclass(frozen=True)
class Explanation:
    """What a reason means. `action` is what to do, "" where nothing is to be done."""

    places: tuple[Place, ...]
    recovery: Recovery
    meaning: str
    action: str = ""


_EVENT = Place()
_ACCEPTED = Place(ConditionType.ACCEPTED)
_REFUSED = Place(ConditionType.ACCEPTED, status=False)
_READY = Place(ConditionType.STUDY_READY)
_NOT_READY = Place(ConditionType.STUDY_READY, status=False)
_RUNS = Place(ConditionType.RUNNING)
_IDLE = Place(ConditionType.RUNNING, status=False)
_COMPLETE = Place(ConditionType.COMPLETE)
_FAILED = Place(ConditionType.FAILED)
_ROLLED_OUT = Place(ConditionType.ROLLED_OUT)
_NOT_ROLLED_OUT = Place(ConditionType.ROLLED_OUT, status=False)
_WITHOUT_STUDY = (_NOT_READY, _IDLE, _NOT_ROLLED_OUT, _EVENT)
_WHERE_REFUSED = (Place(ConditionType.BLOCKED), _IDLE, _NOT_ROLLED_OUT, _EVENT)
_RESTART = "correct it, then start the study again with the annotation llmopt.dev/restart"


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
        return Explanation((*_WITHOUT_STUDY, _FAILED), Recovery.LATER, meaning, action)
    return Explanation((_FAILED, _IDLE, _EVENT), Recovery.ON_CHANGE, meaning, action)


def _explained(reason: Reason) -> Explanation:  # noqa: C901, PLR0911, PLR0912, PLR0915 - a table that mypy checks
    match reason:
        case Reason.VALID:
            return Explanation((_ACCEPTED,), Recovery.NOT_NEEDED, "The resource is valid and allowed here.")
        case Reason.INVALID_SPEC:
            return Explanation(
                (_REFUSED, _NOT_ROLLED_OUT, _EVENT),
                Recovery.ON_CHANGE,
                "The resource cannot be used as it stands; the message names every invalid field.",
                "correct the manifest (`llmopt validate FILE` names the lines) and apply it again",
            )
        case Reason.POLICY_DENIED:
            return Explanation(
                (_REFUSED, _NOT_ROLLED_OUT, _EVENT),
                Recovery.ON_CHANGE,
                "The resource asks for something that the administrator does not allow.",
                "change the field, or ask the cluster's administrator to allow it in the chart's"
                " settings.policy",
            )
        case Reason.IMAGES_DIFFER:
            return Explanation(
                (_REFUSED, _EVENT),
                Recovery.ON_CHANGE,
                "The candidates need different runner images, and one Job runs one image.",
                "name an image that holds all engines in spec.runners.image, or write one benchmark for each",
            )
        case Reason.SECRET_NOT_ALLOWED:
            return Explanation(
                (_REFUSED, _EVENT),
                Recovery.LATER,
                "A Secret that the resource refers to has not the label by which it may be used.",
                "whoever may decide that labels it: kubectl label secret NAME llmopt.dev/allowed=true",
            )
        case Reason.SECRET_NOT_FOUND:
            return Explanation(
                (_REFUSED, _EVENT),
                Recovery.LATER,
                "A Secret that the resource refers to does not exist, so its label cannot be checked.",
                "create the Secret with the label llmopt.dev/allowed=true",
            )
        case Reason.STUDY_OPEN:
            return Explanation(
                (_READY,), Recovery.NOT_NEEDED, "The study exists in the namespace's database."
            )
        case Reason.STORAGE_SECRET_INVALID:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.LATER,
                "The namespace has no usable Secret with the URL of its database.",
                "create or correct the Secret that the message names; the operator reads it again by itself",
            )
        case Reason.STORAGE_UNUSABLE:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.LATER,
                "The database answers, but it cannot be used: its tables are not those that llmopt made, a"
                " right is missing, or it is no PostgreSQL database.",
                "do what the message says; the Secret llmopt-storage must name a PostgreSQL database of its"
                " own",
            )
        case Reason.STUDY_UNREADABLE:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.LATER,
                "What the database holds of the study is not what llmopt writes, or more than the operator"
                " reads.",
                "remove or restore the rows that the message names; the runners go on meanwhile",
            )
        case Reason.ENQUEUE_INVALID:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "A configuration of spec.search.enqueue does not lie in the search space.",
                "correct the entry, or widen spec.search.space",
            )
        case Reason.NOTHING_TO_SEARCH:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The preset holds no parameter of this engine that the manifest leaves open.",
                "name parameters in spec.search.space, or take fixed ones out of spec.engine.args",
            )
        case Reason.REFERENCE_INVALID:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.LATER,
                "A candidate refers to the result of an optimization that does not exist or has none yet.",
                "wait until the optimization has ended, or correct the candidate's reference",
            )
        case Reason.SAMPLER_UNAVAILABLE:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The sampler cannot handle this search space or these objectives, or a package is missing.",
                "choose another spec.search.sampler",
            )
        case Reason.STUDY_MISMATCH:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.ON_CHANGE,
                "The resource was changed so that the trials of its study say nothing about it.",
                "undo the change, or delete the resource and create it anew",
            )
        case Reason.WARM_START_INVALID:
            return Explanation(
                _WITHOUT_STUDY,
                Recovery.LATER,
                "The study that spec.search.warmStartFrom names does not exist or has no usable trial.",
                "correct spec.search.warmStartFrom, or remove it",
            )
        case Reason.RUNNERS_ACTIVE:
            return Explanation((_RUNS,), Recovery.NOT_NEEDED, "At least one runner works on the study.")
        case Reason.NOT_ACCEPTED:
            return Explanation(
                (_IDLE,), Recovery.ON_CHANGE, "The resource is refused.", "see the condition Accepted"
            )
        case Reason.STARTING:
            return Explanation((_IDLE,), Recovery.SOON, "The Job or its pods are being created.")
        case Reason.REPLACING:
            return Explanation(
                (_IDLE,),
                Recovery.SOON,
                "Runners of the earlier manifest give their trials back before new ones start.",
            )
        case Reason.SUSPENDED:
            return Explanation(
                (_IDLE,), Recovery.ON_CHANGE, "spec.suspend is true.", "set spec.suspend to false to continue"
            )
        case Reason.QUEUE_INADMISSIBLE:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "The queue of spec.runners.queueName has not admitted the Job yet.",
                "`kubectl get workloads` shows its place; it starts by itself when it is admitted",
            )
        case Reason.JOB_SUSPENDED:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "Somebody else suspended the Job of the runners.",
                'resume the Job: `kubectl patch job NAME --patch \'{"spec": {"suspend": false}}\'`',
            )
        case Reason.UNSCHEDULABLE:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "No node has what a runner's pod asks for; the message is the scheduler's.",
                "wait for such a node, or ask for less in spec.runners.resources; spec.runners.template"
                " selects the nodes",
            )
        case Reason.IMAGE_PULL_FAILED:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "The runner's image cannot be pulled.",
                "correct spec.runners.image, or give spec.runners.template.imagePullSecrets",
            )
        case Reason.REFERENCE_MISSING:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "A Secret or ConfigMap that the runner needs does not exist or lacks the key.",
                "create the Secret or ConfigMap that the message names; the pod then starts by itself",
            )
        case Reason.CONTAINER_FAILED:
            return Explanation(
                (_IDLE,),
                Recovery.LATER,
                "The node cannot start the runner's container.",
                "`kubectl describe pod` shows its events",
            )
        case Reason.SUSPENDED_BY_USER:
            return Explanation(
                (Place(ConditionType.SUSPENDED),),
                Recovery.ON_CHANGE,
                "spec.suspend is true; the study keeps all its trials.",
                "it goes on where it stopped once spec.suspend is false",
            )
        case Reason.WITHIN_LIMITS:
            return Explanation(
                (Place(ConditionType.MEMORY_GUARD_PASSED),),
                Recovery.NOT_NEEDED,
                "No trial ran out of memory.",
            )
        case Reason.GUARD_TRIPPED:
            return Explanation(
                (Place(ConditionType.MEMORY_GUARD_PASSED, status=False), _EVENT),
                Recovery.NOT_NEEDED,
                "Trials did not fit into memory; the search goes on with smaller configurations.",
                "nothing, or narrow spec.search.space to configurations that fit",
            )
        case Reason.BASELINE_INFEASIBLE:
            return Explanation(
                (Place(ConditionType.BASELINE_MEASURED, status=False), _EVENT),
                Recovery.NOT_NEEDED,
                "The default configuration could not be measured here; the search goes on, and gains are over"
                " the best configuration in its place.",
                "nothing, or fix spec.engine.args to values with which the default runs",
            )
        case Reason.PARAMETERS_OUTSIDE_SPACE:
            return Explanation(
                (Place(ConditionType.RESULT_VALID, status=False), _NOT_ROLLED_OUT, _EVENT),
                Recovery.ON_CHANGE,
                "The best trial in the database has parameters outside spec.search.space: it is not used.",
                "find out who wrote into the namespace's database, then create the resource anew",
            )
        case Reason.QUOTA_EXCEEDED:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "A ResourceQuota of the namespace does not allow what the operator must create.",
                "raise the quota that the message names, or delete what uses it",
            )
        case Reason.PERMISSION_MISSING:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "The operator's service account lacks a right, which the message names.",
                "upgrade the chart's release, or correct what was changed in its roles",
            )
        case Reason.ADMISSION_DENIED:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "An admission webhook, a policy or PodSecurity denies what the operator must write.",
                "change the resource so that it is allowed, or ask the cluster's administrator",
            )
        case Reason.ADMISSION_UNAVAILABLE:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "An admission webhook does not answer, so the API server accepts nothing that it must check.",
                "repair the webhook that the message names",
            )
        case Reason.OBJECT_INVALID:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "The API server rejects an object that follows from the resource.",
                "correct the field of the resource that the message names",
            )
        case Reason.NAME_TAKEN:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "An object in the way belongs to somebody else and is left as it is.",
                "delete or rename that object",
            )
        case Reason.NAMESPACE_ENDING:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "The namespace is being deleted: nothing can be created in it.",
                "nothing, or create the resource in another namespace",
            )
        case Reason.API_SERVER_FAILING:
            return Explanation(
                _WHERE_REFUSED,
                Recovery.LATER,
                "The API server failed, or did not answer, several times in a row.",
                "look at the health of the API server; it is tried again with pauses that grow to a minute",
            )
        case Reason.TRIALS_EXHAUSTED:
            return Explanation(
                (_COMPLETE, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "All trials of the budget, or all configurations of the search space, are done.",
                "raise spec.budget.trials to continue",
            )
        case Reason.DEADLINE_EXCEEDED:
            return Explanation(
                (_COMPLETE, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "spec.budget.duration is spent.",
                "raise spec.budget.duration to continue",
            )
        case Reason.BUDGET_SPENT:
            return Explanation(
                (_COMPLETE, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "spec.budget.gpuHours is spent.",
                "raise spec.budget.gpuHours to continue",
            )
        case Reason.GOAL_REACHED:
            return Explanation(
                (_COMPLETE, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "A trial reached spec.budget.target.",
                "set a harder target to continue",
            )
        case Reason.TOO_MANY_FAILURES:
            return Explanation(
                (_FAILED, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "As many trials failed as spec.budget.maxFailedTrials allows.",
                "status.errors lists the causes and what to do about each; then start the study again with"
                " the annotation llmopt.dev/restart",
            )
        case Reason.RUNNER_REFUSED:
            return Explanation(
                (_FAILED, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "The runner cannot use this resource; the message holds its last words.",
                f"if the message names a field, {_RESTART}",
            )
        case Reason.RUNNER_FAILED:
            return Explanation(
                (_FAILED, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "A runner ended with an error that it did not expect; it is started again up to 12 times.",
                f"`llmopt logs NAME --previous` shows the error; {_RESTART}",
            )
        case Reason.RUNNERS_FAILED:
            return Explanation(
                (_FAILED, _IDLE, _EVENT),
                Recovery.ON_CHANGE,
                "The Job of the runners failed, and no pod is left that tells why.",
                f"`kubectl describe job` shows its events; {_RESTART}",
            )
        case Reason.AVAILABLE:
            return Explanation(
                (_ROLLED_OUT,), Recovery.NOT_NEEDED, "The Deployment serves with the winner's arguments."
            )
        case Reason.IN_PROGRESS:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment was changed; its new pods are not available yet.",
            )
        case Reason.ROLLED_BACK:
            return Explanation(
                (_NOT_ROLLED_OUT, _EVENT),
                Recovery.ON_CHANGE,
                "The Deployment did not become available with the winner's arguments, so it has its former"
                " ones again.",
                "the events of its pods show why; the winner itself is in status.best",
            )
        case Reason.SUPERSEDED:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "The Deployment was given other arguments since; they are left as they are.",
            )
        case Reason.NO_SIGNIFICANT_GAIN:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "No repeats proved a gain over the default, so the Deployment is not changed.",
                "raise spec.budget or spec.confirm.repeats for a sharper comparison",
            )
        case Reason.NOT_BY_ARGUMENTS:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.ON_CHANGE,
                "The winner cannot be expressed by the arguments of the container.",
                "use the ConfigMap of the best parameters, or start the server itself in the container",
            )
        case Reason.STUDY_LOST:
            return Explanation(
                (_NOT_ROLLED_OUT, _EVENT),
                Recovery.ON_CHANGE,
                "The study is not in the database any more; one that was running begins anew.",
                "restore the namespace's database if the trials are needed",
            )
        case Reason.DEPLOYMENT_NOT_FOUND:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment of spec.rollout does not exist.",
                "create it, or correct spec.rollout",
            )
        case Reason.DEPLOYMENT_FORBIDDEN:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The operator may not read the Deployment of spec.rollout.",
                "grant it the right: see docs/how-to/rollout.md",
            )
        case Reason.CONTAINER_NOT_FOUND:
            return Explanation(
                (_NOT_ROLLED_OUT,),
                Recovery.LATER,
                "The Deployment has no container of the name in spec.rollout.",
                "correct spec.rollout.deploymentRef.container",
            )
        case Reason.STARTED:
            return Explanation((_EVENT,), Recovery.NOT_NEEDED, "The first runner works on the study.")
        case Reason.BEST_IMPROVED:
            return Explanation((_EVENT,), Recovery.NOT_NEEDED, "A trial is better than the best so far.")
        case Reason.ROLLOUT_STARTED:
            return Explanation((_EVENT,), Recovery.NOT_NEEDED, "The winner is written into the Deployment.")
        case Reason.ROLLED_OUT:
            return Explanation(
                (_EVENT,), Recovery.NOT_NEEDED, "The Deployment serves with the winner's arguments."
            )
        case Reason.ROLLOUT_REFUSED:
            return Explanation(
                (_EVENT,),
                Recovery.LATER,
                "The API server refused the change of the Deployment; the message is its own.",
                "remove what the message names: it is tried again",
            )
        case Reason.LEASE_REFUSED:
            return Explanation(
                (_EVENT,),
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
