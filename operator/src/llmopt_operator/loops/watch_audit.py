"""Checks that the watches report everything, by comparing what they reported with what the API server lists.

What is listed must have been observed: else a watch is broken, and health fails. The other way round, what
was observed must still be there. Where the API server has no events any more (410) kopf lists again, and
reports what there is; of what was deleted meanwhile nobody hears. It is found here, and taken as deleted.

All lists come from the API server's cache, with names and versions only.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from llmopt_core.api.kinds import API_VERSION, Kind
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, Identity, collection
from llmopt_operator.liveness import Pulse
from llmopt_operator.reconciling.observations import Observations, Remembered, Watched
from llmopt_operator.specs.names import RUNNERS_SELECTOR, Key

log = logging.getLogger(__name__)
PART = "watch"
AUDIT_SECONDS = 60.0
# What is listed and was not reported by a watch within this time was missed; so was the end of what is not.
_PATIENCE_SECONDS = 15.0
# A list may be late, so what it lacks is asked for by name: in one audit no more than this.
_MOST_ASKED = 100
_FROM_CACHE = {"resourceVersion": "0"}
_PARTS = (Watched.JOBS, Watched.PODS)


class Audit:
    """Compares lists of the API server (from its cache: cheap for it) with what the watches reported.

    `add` is called for the resources that a deletion concerns which no watch reported, `freed` with the
    namespace where it was a Job or a pod.
    """

    def __init__(
        self,
        cluster: Cluster,
        observations: Observations,
        namespaces: Sequence[str],
        pulse: Pulse,
        add: Callable[[Key], None],
        freed: Callable[[str], None],
    ) -> None:
        self._cluster = cluster
        self._observations = observations
        self._namespaces = namespaces
        self._pulse = pulse
        self._add = add
        self._freed = freed

    async def run(self) -> None:
        """Audit until cancelled."""
        while True:
            await asyncio.sleep(AUDIT_SECONDS)
            await self.once(_PATIENCE_SECONDS)

    async def once(self, patience_seconds: float) -> None:
        """Compare once; what differs gets `patience_seconds` to be reported by the watches."""
        remembered = tuple(self._observations.remembered())  # before the lists, which are newer
        missing: list[Key] = []
        try:
            listed = await self._resources()
            absent = await self._absent(remembered, listed)
            if absent or self._missing(listed):
                await asyncio.sleep(patience_seconds)
            missing = self._missing(listed)
            await self._lose(absent)
        except ApiError as error:
            # The API server being away is no reason to restart; an operator that cannot ask stays as it is.
            log.warning("the watches cannot be checked now: %s", error)
        if missing:
            text = ", ".join(str(key) for key in missing[:3])
            self._pulse.wrong(PART, f"{len(missing)} changes were not reported, of {text}")
        else:
            self._pulse.done(PART)

    async def _resources(self) -> dict[Key, tuple[str, int]]:
        return {
            Key(kind, each.namespace, each.name): (each.uid, int(each.resource_version))
            for kind in Kind
            for namespace in self._namespaces or ("",)
            for each in await self._listed(collection(API_VERSION, kind.plural, namespace))
        }

    async def _absent(
        self, remembered: Sequence[Remembered], listed: Mapping[Key, tuple[str, int]]
    ) -> list[Remembered]:
        """Return what is remembered, and not listed."""
        there = {uid for uid, _ in listed.values()} | await self._parts(remembered)
        return [each for each in remembered if each.uid not in there]

    async def _parts(self, remembered: Iterable[Remembered]) -> set[str]:
        """Return which Jobs and pods are there, where any are remembered."""
        paths = {
            collection(*each.what.value, each.key.namespace if self._namespaces else "")
            for each in remembered
            if each.what in _PARTS
        }
        ours = {"labelSelector": RUNNERS_SELECTOR}
        return {each.uid for path in sorted(paths) for each in await self._listed(path, ours)}

    async def _listed(self, path: str, query: Mapping[str, str] | None = None) -> tuple[Identity, ...]:
        return await self._cluster.identities(path, {**_FROM_CACHE, **(query or {})})

    def _missing(self, listed: Mapping[Key, tuple[str, int]]) -> list[Key]:
        return [key for key, seen in listed.items() if not _knows(self._observations.of(key).metadata, seen)]

    async def _lose(self, absent: Iterable[Remembered]) -> None:
        """Take as deleted what of `absent` nobody reported, once the API server itself does not have it."""
        known = set(self._observations.remembered())
        for each in [each for each in absent if each in known][:_MOST_ASKED]:
            path = f"{collection(*each.what.value, each.key.namespace)}/{each.name}"
            if await self._cluster.is_there(path, each.uid) or self._observations.lose(each) is None:
                continue
            log.warning("%s is gone, which no watch reported", path, extra={"resource": str(each.key)})
            self._add(each.key)
            if each.what in _PARTS:
                self._freed(each.key.namespace)


def _knows(metadata: Mapping[str, Any] | None, seen: tuple[str, int]) -> bool:
    """Whether the watch reported this version, or of one that took its name."""
    uid, version = seen
    if metadata is None:
        return False
    return bool(metadata["uid"] != uid or int(metadata["resourceVersion"]) >= version)
