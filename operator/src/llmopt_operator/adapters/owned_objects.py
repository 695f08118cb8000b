"""Objects that belong to a resource: created once, and never taken or deleted from somebody else."""

from collections.abc import Mapping
from typing import Any

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.kubernetes import AlreadyExists, Cluster, NotFound, collection_of, path_of
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
    if _is_owned(there["metadata"], owner["uid"]):
        return None
    owners = there["metadata"].get("ownerReferences") or ()
    passing = any(_named(each) == _named(owner) for each in owners)
    raise NotOurs(name_taken(there | {"kind": body["kind"]}), passing=passing)


async def delete_owned(cluster: Cluster, path: str, owner_uid: str) -> None:
    """Delete the object at `path` where it is of the owner with `owner_uid`; raises ApiError.

    One of another owner stays: the resource may have been replaced by another one of its name.
    """
    try:
        metadata = await cluster.metadata(path)
    except NotFound:
        return
    if _is_owned(metadata, owner_uid):
        await cluster.delete(path, uid=metadata["uid"])


def _is_owned(metadata: Mapping[str, Any], owner_uid: str) -> bool:
    return owner_uid in {each["uid"] for each in metadata.get("ownerReferences") or ()}


def _named(owner: Mapping[str, Any]) -> tuple[str, str]:
    return owner["kind"], owner["name"]
