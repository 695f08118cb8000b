"""Objects that belong to a resource: created once, and never taken from somebody else."""

from collections.abc import Mapping
from typing import Any

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.kubernetes import AlreadyExists, Cluster, collection_of, path_of
from llmopt_operator.domain.observed import Problem
from llmopt_operator.domain.refusals import name_taken


class NotOurs(LlmoptError):
    """An object that the operator would create exists and belongs to somebody else."""

    def __init__(self, problem: Problem, *, passing: bool) -> None:
        self.problem = problem
        self.retryable = passing
        super().__init__(problem.message)


async def create_owned(cluster: Cluster, body: dict[str, Any], plural: str) -> dict[str, Any] | None:
    """Create `body`, or return None where it is there and its owner's; raises NotOurs and ApiError.

    What is left of an earlier resource of the same name is deleted by the cluster within seconds.
    """
    try:
        return await cluster.create(collection_of(body, plural), body)
    except AlreadyExists:
        there = await cluster.get(path_of(body, plural))
    (owner,) = body["metadata"]["ownerReferences"]
    owners = there["metadata"].get("ownerReferences") or ()
    if owner["uid"] in {each["uid"] for each in owners}:
        return None
    passing = any(_named(each) == _named(owner) for each in owners)
    raise NotOurs(name_taken(there | {"kind": body["kind"]}), passing=passing)


def _named(owner: Mapping[str, Any]) -> tuple[str, str]:
    return owner["kind"], owner["name"]
