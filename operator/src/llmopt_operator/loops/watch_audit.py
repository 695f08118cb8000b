"""Checks that the watches report everything: what the API server lists must have been observed."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from llmopt_core.api.kinds import API_VERSION, Kind
from llmopt_operator.adapters.kubernetes import ApiError, Cluster
from llmopt_operator.liveness import Pulse
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import Key

log = logging.getLogger(__name__)
PART = "watch"
AUDIT_SECONDS = 60.0
# What is listed and was not reported by a watch within this time was missed.
_PATIENCE_SECONDS = 15.0


class Audit:
    """Compares a list of the API server (from its cache: cheap for it) with what the watches reported."""

    def __init__(
        self, cluster: Cluster, observations: Observations, namespaces: Sequence[str], pulse: Pulse
    ) -> None:
        self._cluster = cluster
        self._observations = observations
        self._namespaces = namespaces
        self._pulse = pulse

    async def run(self) -> None:
        """Audit until cancelled."""
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            await self.once(_PATIENCE_SECONDS)

    async def once(self, patience_seconds: float) -> None:
        """Compare once; what is missing gets `patience_seconds` to arrive."""
        try:
            listed = await self._listed()
        except ApiError as error:
            # The API server being away is no reason to restart; an operator that cannot ask stays as it is.
            log.warning("the watches cannot be checked now: %s", error)
            self._pulse.done(PART)
            return
        if self._missing(listed):
            await asyncio.sleep(patience_seconds)
        if missing := self._missing(listed):
            text = ", ".join(str(key) for key in missing[:3])
            self._pulse.wrong(PART, f"{len(missing)} changes were not reported, of {text}")
        else:
            self._pulse.done(PART)

    async def _listed(self) -> dict[Key, tuple[str, int]]:
        return {
            Key(kind, each.namespace, each.name): (each.uid, int(each.resource_version))
            for kind in Kind
            for path in self._paths(kind.plural)
            for each in await self._cluster.identities(path, {"resourceVersion": "0"})
        }

    def _paths(self, plural: str) -> Sequence[str]:
        root = f"/apis/{API_VERSION}"
        if not self._namespaces:
            return (f"{root}/{plural}",)
        return tuple(f"{root}/namespaces/{namespace}/{plural}" for namespace in self._namespaces)

    def _missing(self, listed: Mapping[Key, tuple[str, int]]) -> list[Key]:
        return [key for key, seen in listed.items() if not _knows(self._observations.of(key).metadata, seen)]


def _knows(metadata: Mapping[str, Any] | None, seen: tuple[str, int]) -> bool:
    """Whether the watch reported this version, or of one that took its name."""
    uid, version = seen
    if metadata is None:
        return False
    return bool(metadata["uid"] != uid or int(metadata["resourceVersion"]) >= version)
