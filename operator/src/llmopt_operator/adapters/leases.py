"""One active operator at a time, by a Lease: whoever holds it acts, the others wait.

As in client-go, nobody compares clocks: a holder counts as gone when its lease was not renewed for the
lease's duration by the reader's own clock.
"""

import asyncio
import logging
import time
from datetime import UTC, datetime
from typing import Any

from llmopt_operator.adapters.kubernetes import ApiError, Cluster, Conflict, NotFound, collection

log = logging.getLogger(__name__)
_DURATION_SECONDS = 15
_RENEW_SECONDS = 5.0
_API = "coordination.k8s.io/v1"


class Lease:
    """The Lease `name` in `namespace`, asked for by `identity`."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, identity: str) -> None:
        self._cluster = cluster
        self._collection = collection(_API, "leases", namespace)
        self._path = f"{self._collection}/{name}"
        self._meta = {"name": name, "namespace": namespace}
        self._identity = identity
        self._seen: tuple[object, float] = (None, time.monotonic())

    async def acquire(self) -> None:
        """Return once the lease is ours."""
        while not await self._try():  # noqa: ASYNC110 - what is waited for is in the API server
            await asyncio.sleep(_RENEW_SECONDS)
        log.info("this operator leads now: %s", self._identity)

    async def hold(self) -> None:
        """Renew the lease; return when it was lost."""
        renewed = time.monotonic()
        while time.monotonic() - renewed < _DURATION_SECONDS:
            await asyncio.sleep(_RENEW_SECONDS)
            if await self._try():
                renewed = time.monotonic()
        log.error("the lease could not be renewed: another operator may act now, so this one ends")

    async def release(self) -> None:
        """Let the next one act at once."""
        try:
            lease = await self._cluster.get(self._path)
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                await self._cluster.replace(self._path, lease)
        except ApiError as error:
            log.warning("the lease was not given back, it runs out by itself: %s", error)

    async def _try(self) -> bool:
        try:
            lease = await self._cluster.get(self._path)
        except NotFound:
            return await self._write({"apiVersion": _API, "kind": "Lease", "metadata": self._meta}, new=True)
        except ApiError as error:
            log.warning("the lease could not be read: %s", error)
            return False
        if not self._is_free(lease.get("spec") or {}):
            return False
        return await self._write(lease, new=False)

    def _is_free(self, spec: dict[str, Any]) -> bool:
        mark = (spec.get("holderIdentity"), spec.get("renewTime"))
        if mark != self._seen[0]:
            self._seen = (mark, time.monotonic())
        holder = spec.get("holderIdentity")
        return not holder or holder == self._identity or self._is_over(spec)

    def _is_over(self, spec: dict[str, Any]) -> bool:
        seconds = float(spec.get("leaseDurationSeconds") or _DURATION_SECONDS)
        return time.monotonic() - self._seen[1] > seconds

    async def _write(self, lease: dict[str, Any], *, new: bool) -> bool:
        lease["spec"] = {
            **(lease.get("spec") or {}),
            "holderIdentity": self._identity,
            "leaseDurationSeconds": _DURATION_SECONDS,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        try:
            if new:
                await self._cluster.create(self._collection, lease)
            else:
                await self._cluster.replace(self._path, lease)
        except Conflict:
            return False
        except ApiError as error:
            log.warning("the lease could not be written: %s", error)
            return False
        return True
