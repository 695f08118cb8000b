"""What the Job and its pods say about the runners: running, waiting for something, or failing and why."""

from collections.abc import Sequence

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import ErrorClass
from llmopt_operator.domain.conditions import Fact
from llmopt_operator.domain.observed import JobSeen, PodSeen, Problem

_RUNNING = "Running"


def running_fact(job: JobSeen | None, pods: Sequence[PodSeen], runners: int) -> Fact:
    """Return the condition Running of a study that is to be run."""
    if job is None:
        return Fact(ConditionType.RUNNING, "False", Reason.STARTING, "the Job is about to be created")
    mine = [pod for pod in pods if pod.job == job.name and not pod.deleting]
    alive = [pod for pod in mine if pod.phase == _RUNNING]
    if alive:
        rest = "" if len(alive) >= runners else _rest(mine)
        return Fact(
            ConditionType.RUNNING,
            "True",
            Reason.RUNNERS_ACTIVE,
            f"{len(alive)} of {runners} runners run{rest}",
        )
    problem = waiting_for(job, mine)
    return Fact(ConditionType.RUNNING, "False", problem.reason, problem.message)


def waiting_for(job: JobSeen, pods: Sequence[PodSeen]) -> Problem:
    """Return why no runner of `job` runs, from what the API server knows of its `pods`."""
    if job.suspended and job.queued:
        return Problem(Reason.QUEUE_INADMISSIBLE, f"the queue has not admitted Job {job.name}")
    if job.suspended:
        return Problem(Reason.JOB_SUSPENDED, f"Job {job.name} was suspended by somebody else; resume it")
    for pod in pods:
        if problem := _pod_problem(pod):
            return problem
    if job.pods_refused is not None:
        return job.pods_refused
    return Problem(Reason.STARTING, f"Job {job.name} starts its pods")


def last_failure(job: JobSeen, pods: Sequence[PodSeen]) -> PodSeen | None:
    """Return the pod that shows why `job` failed: the last that ended with an error.

    A runner that was asked to stop did not fail, and its pod does not count towards the Job's limit.
    """
    failed = [
        pod
        for pod in pods
        if pod.job == job.name
        and (pod.oom_killed or pod.exit_code not in {None, RunnerExit.DONE, RunnerExit.INTERRUPTED})
    ]
    return failed[-1] if failed else None


def failure_of(pod: PodSeen) -> Problem:
    """Return how the runner in `pod` ended, in words, and what to do."""
    if pod.oom_killed:
        return Problem(
            ErrorClass.HOST_OUT_OF_MEMORY,
            f"the runner in pod {pod.name} was killed because its memory limit was reached; raise"
            " spec.runners.resources.limits.memory, or search smaller configurations",
        )
    words = f": {pod.last_words.strip()}" if pod.last_words.strip() else ""
    if pod.exit_code == RunnerExit.INVALID:
        return Problem(Reason.RUNNER_REFUSED, f"the runner cannot use this resource{words}")
    if pod.exit_code == RunnerExit.STORAGE:
        return Problem(
            ErrorClass.STORAGE_UNAVAILABLE, f"the runner in pod {pod.name} lost the storage{words}"
        )
    if pod.exit_code == RunnerExit.INTERRUPTED:
        return Problem(
            ErrorClass.PREEMPTED,
            f"the runner in pod {pod.name} was asked to stop and returned its trial{words}",
        )
    return Problem(
        Reason.RUNNER_FAILED, f"the runner in pod {pod.name} ended with exit code {pod.exit_code}{words}"
    )


def _pod_problem(pod: PodSeen) -> Problem | None:
    if pod.unschedulable:
        return Problem(Reason.UNSCHEDULABLE, f"pod {pod.name}: {pod.unschedulable}")
    if pod.waiting is not None:
        return Problem(pod.waiting.reason, f"pod {pod.name}: {pod.waiting.message}")
    if pod.exit_code or pod.oom_killed:
        failure = failure_of(pod)
        return Problem(failure.reason, f"{failure.message}; it is started again")
    return None


def _rest(pods: Sequence[PodSeen]) -> str:
    problems = (problem for pod in pods if pod.phase != _RUNNING and (problem := _pod_problem(pod)))
    first = next(problems, None)
    return "" if first is None else f"; {first.reason}: {first.message}"
