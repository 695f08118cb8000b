"""Events of resources, each posted at least once: what cannot be posted now is kept for the next time.

kopf's event posting is not used. It drops an event that the API server does not take within its retries,
posts the same event again after a restart (specs/events.py), and takes 0.40 CPU s for 1,000 events where this
takes 0.27 (bench/results/2026-11-26-events.md).
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from llmopt_operator.adapters.kubernetes import AlreadyExists, ApiError, Cluster, collection
from llmopt_operator.domain.actions import Event
from llmopt_operator.specs.events import event_of

# Of one resource; more than it ever has at a time.
_MOST_KEPT = 20


class EventPosts:
    """Posts what happened to resources."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._waiting: dict[str, list[dict[str, Any]]] = {}

    async def post(self, document: Mapping[str, Any], events: Iterable[Event]) -> ApiError | None:
        """Post what waits and then `events`; return why not all could be posted, if so."""
        metadata = document["metadata"]
        waiting = self._waiting.pop(metadata["uid"], [])
        waiting += [event_of(document, event, time.time()) for event in events]
        for number, body in enumerate(waiting):
            try:
                await self._post(metadata["namespace"], body)
            except ApiError as error:
                self._waiting[metadata["uid"]] = waiting[number:][:_MOST_KEPT]
                return error
        return None

    def forget(self, uid: str) -> None:
        """Drop what waits of a resource that is gone."""
        self._waiting.pop(uid, None)

    async def _post(self, namespace: str, body: dict[str, Any]) -> None:
        try:
            await self._cluster.create(collection("v1", "events", namespace), body)
        except AlreadyExists:  # it was posted before
            return
