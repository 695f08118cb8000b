"""Drops the studies that were to go with their resource, some time after it is gone.

No finalizer: a resource is deleted at once, even where the operator or a database is away. What is to be
dropped stands in the study itself, so nothing has to be remembered. Namespaces, and clusters, may share a
database: a study says whose resource it is of, and one that does not say it is never dropped.
"""

import asyncio
import logging
from collections.abc import Sequence

from llmopt_core.api.kinds import API_VERSION, Kind
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, collection
from llmopt_operator.adapters.slots import StorageProblem
from llmopt_operator.adapters.studies import Studies
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.tasks import TaskPerName

log = logging.getLogger(__name__)
# All namespaces are swept so often; one in which a resource was deleted, after the shorter pause.
SWEEP_SECONDS = 3600.0
PAUSE_SECONDS = 15.0


class Sweep:
    """Sweeps the watched `namespaces` (empty: all)."""

    def __init__(
        self, cluster: Cluster, studies: Studies, observations: Observations, namespaces: Sequence[str]
    ) -> None:
        self._cluster = cluster
        self._studies = studies
        self._observations = observations
        self._namespaces = namespaces

    async def run(self, pause_seconds: float = PAUSE_SECONDS) -> None:
        """Sweep until cancelled."""
        loop = asyncio.get_running_loop()
        whole_at = loop.time()
        left: set[str] = set()
        async with TaskPerName() as sweeps:
            while True:
                left |= self._observations.take_bereaved()
                if loop.time() >= whole_at:
                    whole_at = loop.time() + SWEEP_SECONDS
                    left |= set(await self._all())
                # A namespace that is still being swept has its turn the next time; none waits for another.
                left = {
                    namespace
                    for namespace in sorted(left)
                    if not sweeps.start(namespace, self._sweep, namespace)
                }
                await asyncio.sleep(pause_seconds)

    async def _all(self) -> Sequence[str]:
        if self._namespaces:
            return self._namespaces
        try:
            listed = await self._cluster.identities("/api/v1/namespaces", {"resourceVersion": "0"})
        except ApiError as error:
            log.warning("the namespaces cannot be listed, so not all are swept: %s", error)
            return ()
        return [namespace.name for namespace in listed]

    async def _sweep(self, namespace: str) -> None:
        try:
            own, nobodys = await self._studies.dispensable(namespace)
            if not own and not nobodys:
                self._studies.release(namespace)
                return
            there = await self._identities(namespace)
            await self._studies.adopt(namespace, [name for name in nobodys if name in there])
            gone = [name for name in own if name not in there]
            await self._studies.drop(namespace, gone)
        except StorageProblem as problem:
            log.debug("namespace %s is not swept: %s", namespace, problem)
        except ApiError as error:
            log.warning("namespace %s is not swept: %s", namespace, error)
        else:
            for name in gone:
                log.info("study %s of namespace %s was dropped: its resource is gone", name, namespace)

    async def _identities(self, namespace: str) -> set[str]:
        """The resources that are there now, as the API server itself has them: a cache could be late."""
        return {
            each.uid
            for kind in Kind
            for each in await self._cluster.identities(collection(API_VERSION, kind.plural, namespace))
        }
