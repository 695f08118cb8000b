"""Why a Job has no pods: what the API server refused to the Job's controller, said in events only."""

import logging

from llmopt_core.api.reasons import Reason
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, collection, refusal_of
from llmopt_operator.domain.observed import Problem
from llmopt_operator.domain.refusals import problem_of

log = logging.getLogger(__name__)
_FORBIDDEN, _INVALID = 403, 422


async def pods_refused(cluster: Cluster, namespace: str, job: str) -> Problem | None:
    """Return why the pods of `job` are not created, None where nothing is known of it."""
    selector = f"involvedObject.kind=Job,involvedObject.name={job},reason=FailedCreate"
    try:
        listed = await cluster.get(collection("v1", "events", namespace), {"fieldSelector": selector})
    except ApiError as error:
        log.warning("why Job %s/%s has no pods cannot be read: %s", namespace, job, error)
        return None
    if not listed["items"]:
        return None
    last = max(listed["items"], key=lambda event: event.get("lastTimestamp") or "")
    message = str(last.get("message", ""))
    status = _FORBIDDEN if "forbidden" in message else _INVALID
    problem = problem_of(refusal_of("POST", collection("v1", "pods", namespace), status, message))
    return Problem(Reason(problem.reason), f"Job {job} has no pods: {problem.message}")
