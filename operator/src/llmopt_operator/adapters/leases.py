"""One active operator at a time, by a Lease: its holder acts, the others wait.

The times and the rules are those of client-go's leader election. No clocks of two machines are compared: a
reader takes a holder for gone when its lease was not renewed for the lease's duration by the reader's own
clock. The holder counts from before it asked for the renewal, and stops acting when it could not renew for
`RENEW_DEADLINE_SECONDS`: well before any reader may take over.

kopf's peering is not used: it compares the clocks of two machines, and needs a resource kind of its own.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from llmopt_core.api.reasons import Reason
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, Conflict, NotFound, collection
from llmopt_operator.domain.actions import Event
from llmopt_operator.specs.events import event_of

log = logging.getLogger(__name__)
DURATION_SECONDS = 15
RENEW_DEADLINE_SECONDS = 10.0
_RETRY_SECONDS = 2.0
# One attempt may hang, and the next one still renews in time.
_ATTEMPT_SECONDS = 4.0
_API = "coordination.k8s.io/v1"


@dataclass(frozen=True)
class _Holder:
    """Who held the lease when it was read, and since when by our clock it says so."""

    identity: str = ""
    renew_time: str = ""
    seconds: float = DURATION_SECONDS
    seen_at: float = float("-inf")

    def is_gone(self, now: float) -> bool:
        return not self.identity or now - self.seen_at > self.seconds


class Lease:
    """The Lease `name` in `namespace`, asked for by `identity`; `clock` counts seconds, and never back."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        identity: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._collection = collection(_API, "leases", namespace)
        self._events = collection("v1", "events", namespace)
        self._path = f"{self._collection}/{name}"
        metadata = {"name": name, "namespace": namespace}
        self._new: Mapping[str, Any] = {"apiVersion": _API, "kind": "Lease", "metadata": metadata}
        self._identity = identity
        self._clock = clock
        self._renewed_at = float("-inf")
        self._written: Mapping[str, Any] | None = None
        self._holder = _Holder()
        self._problem = ""

    @property
    def may_act(self) -> bool:
        """Whether it was renewed so recently that nobody else can hold it."""
        return self._seconds_to_act > 0

    @property
    def seconds_left(self) -> float:
        """After how many seconds another operator may act."""
        return self._renewed_at + DURATION_SECONDS - self._clock()

    @property
    def problem(self) -> str:
        """Why the last attempt to get it failed, "" where it did not."""
        return self._problem

    async def acquire(self) -> None:
        """Return once the lease is ours."""
        while not await self._attempt(_ATTEMPT_SECONDS):  # noqa: ASYNC110 - what is waited for is remote
            await asyncio.sleep(_RETRY_SECONDS)
        log.info("this operator leads now: %s", self._identity)

    async def hold(self) -> None:
        """Renew the lease; return when it was lost."""
        while self.may_act and self._holder.identity == self._identity:
            await asyncio.sleep(min(_RETRY_SECONDS, self._seconds_to_act))
            await self._attempt(min(_ATTEMPT_SECONDS, self._seconds_to_act))
        log.error("the lease was lost: another operator may act soon, so this one ends")

    async def release(self) -> None:
        """Let the next one act at once."""
        try:
            async with asyncio.timeout(_ATTEMPT_SECONDS):
                lease = await self._cluster.get(self._path)
                if lease["spec"].get("holderIdentity") == self._identity:
                    lease["spec"]["holderIdentity"] = ""
                    await self._cluster.replace(self._path, lease)
        except (ApiError, TimeoutError) as error:
            log.warning("the lease was not given back, it expires by itself: %s", error)

    @property
    def _seconds_to_act(self) -> float:
        return self._renewed_at + RENEW_DEADLINE_SECONDS - self._clock()

    async def _attempt(self, seconds: float) -> bool:
        """Ask for the lease, for at most `seconds`; return whether it is ours now."""
        asked_at = self._clock()
        try:
            async with asyncio.timeout(seconds):
                ours = await self._take()
        except TimeoutError:
            await self._failed(f"no answer within {seconds:.0f} s")
        except ApiError as error:
            await self._failed(str(error), refused=not error.retryable)
        else:
            self._problem = ""
            if ours:
                self._renewed_at = asked_at
            return ours
        return False

    async def _take(self) -> bool:
        """Write ourselves into the lease unless another holds it.

        What we wrote last is written again without reading it: that another wrote it since is a conflict.
        """
        lease = self._written or await self._read()
        if lease is not None and not self._is_free(lease.get("spec") or {}):
            return False
        self._written = None
        try:
            if lease is None:
                self._written = await self._cluster.create(self._collection, self._with_us(self._new))
            else:
                self._written = await self._cluster.replace(self._path, self._with_us(lease))
        except Conflict:
            return False
        self._holder = _Holder(self._identity)
        return True

    async def _read(self) -> Mapping[str, Any] | None:
        try:
            return await self._cluster.get(self._path)
        except NotFound:
            return None

    def _is_free(self, spec: Mapping[str, Any]) -> bool:
        identity, renew_time = spec.get("holderIdentity") or "", spec.get("renewTime") or ""
        if identity == self._identity:
            return True
        if (identity, renew_time) != (self._holder.identity, self._holder.renew_time):
            seconds = float(spec.get("leaseDurationSeconds") or DURATION_SECONDS)
            self._holder = _Holder(identity, renew_time, seconds, self._clock())
        return self._holder.is_gone(self._clock())

    def _with_us(self, lease: Mapping[str, Any]) -> dict[str, Any]:
        spec = {
            **(lease.get("spec") or {}),
            "holderIdentity": self._identity,
            "leaseDurationSeconds": DURATION_SECONDS,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        return {**lease, "spec": spec}

    async def _failed(self, problem: str, *, refused: bool = False) -> None:
        """Log a problem once; where it is refused, report it on the Lease, if that is allowed."""
        self._written = None
        if problem == self._problem:
            return
        self._problem = problem
        log.warning("the lease could not be read or written: %s", problem)
        if refused and not self.may_act:
            document = {**self._new, "metadata": {**self._new["metadata"], "uid": ""}}
            body = event_of(document, Event(Reason.LEASE_REFUSED, problem, warning=True), time.time())
            with suppress(ApiError, TimeoutError):
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    await self._cluster.create(self._events, body)
