"""Whose resources a study is of: a namespace of one cluster. Databases may be shared by several."""

from llmopt_core.api.kinds import Kind
from llmopt_operator.adapters.kubernetes import Cluster

# It exists once in each cluster, and goes with all resources.
_DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{Kind.OPTIMIZATION.resource}"


class Owners:
    """The owners' names; the cluster is asked once who it is."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._identity: str | None = None

    async def of(self, namespace: str) -> str:
        """Return the owner that the resources of `namespace` belong to; raises ApiError."""
        if self._identity is None:
            self._identity = str((await self._cluster.get(_DEFINITION))["metadata"]["uid"])
        return f"{self._identity}/{namespace}"
