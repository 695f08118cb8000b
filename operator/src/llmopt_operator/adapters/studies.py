"""The studies of all namespaces: opened once, kept while they run, read in threads."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMOptimization
from llmopt_core.study.adapter import (
    Janitor,
    Storage,
    StorageUnavailable,
    StorageUnusable,
    Study,
    StudyNotFound,
    open_storage,
)
from llmopt_core.study.definitions import study_name
from llmopt_core.study.durations import active_seconds
from llmopt_core.study.opening import own_study
from llmopt_core.study.progress import look
from llmopt_core.study.results import OptimizationResult, result_of
from llmopt_core.study.rows import Pulse
from llmopt_core.study.summary import rank, summarise
from llmopt_operator.adapters.secrets import StorageSecretInvalid, StorageSecrets
from llmopt_operator.domain.observed import Problem, StudySeen
from llmopt_operator.domain.rollups import Reading, optimization_seen
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.specs.naming import Key

log = logging.getLogger(__name__)
T = TypeVar("T")
_THREADS = 4
# A trial whose runner said nothing for so long, while nobody replaced it, is given to another.
_LEASE_SECONDS = 60.0
# An active study is looked at this often though no trial changed: for its runners and the time left.
_LOOK_SECONDS = 20.0


class StorageProblem(LlmoptError):
    """The namespace's storage cannot be used now; `problem` is what a condition says."""

    retryable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass
class _Open:
    """One study that is kept: `pulse` is what it showed when it was last reported as changed."""

    key: Key
    study: Study
    janitor: Janitor
    pulse: Pulse | None = None
    retention: str | None = None
    looked_at: float = field(default_factory=time.monotonic)


@dataclass
class _Room:
    """One namespace's database."""

    url: str
    storage: Storage
    studies: dict[str, _Open] = field(default_factory=dict)


class Studies:
    """Reads and writes the studies of resources. Raises StorageProblem where a storage cannot be used."""

    def __init__(self, secrets: StorageSecrets, metrics: OperatorMetrics) -> None:
        self._secrets = secrets
        self._metrics = metrics
        self._rooms: dict[str, _Room] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="studies")

    async def see(self, key: Key, resource: LLMOptimization) -> StudySeen | None:
        """Return the study of `resource` as it is now, None where there is none."""
        room = await self._room(key.namespace)
        return await self._within(key.namespace, lambda: _see(room, key, resource))

    async def make(self, key: Key, resource: LLMOptimization) -> None:
        """Create the study of `resource`, or open it."""
        room = await self._room(key.namespace)
        await self._within(key.namespace, lambda: _keep(room, key, own_study(room.storage, resource)))

    async def reopen(self, key: Key, resource: LLMOptimization) -> None:
        """Let the ended study of `resource` go on."""
        room = await self._room(key.namespace)
        name = study_name(resource)

        def go_on() -> None:
            _opened(room, key, name).study.reopen()

        await self._within(key.namespace, go_on)

    async def end(
        self, key: Key, resource: LLMOptimization, reason: str, message: str, *, failed: bool
    ) -> None:
        """End the study of `resource`, unless it was ended already."""
        room = await self._room(key.namespace)
        name = study_name(resource)
        await self._within(
            key.namespace, lambda: _opened(room, key, name).study.end(reason, message, failed=failed)
        )

    async def result(self, key: Key, resource: LLMOptimization) -> OptimizationResult:
        """Return what the study of `resource` has found so far."""
        room = await self._room(key.namespace)
        name = study_name(resource)
        return await self._within(key.namespace, lambda: result_of(_opened(room, key, name).study))

    async def dispensable(self, namespace: str) -> tuple[str, ...]:
        """Return the names of the namespace's studies that are to go with their resource."""
        room = await self._room(namespace)
        return await self._within(namespace, room.storage.dispensable_studies)

    async def drop(self, namespace: str, names: Iterable[str]) -> None:
        """Delete the studies `names` of resources that are gone."""
        room = await self._room(namespace)
        for name in names:
            await self._within(namespace, partial(room.storage.drop_study, name))
        self.release(namespace)

    def release(self, namespace: str, name: str = "") -> None:
        """Keep the study `name` no longer; with the last one the namespace's database is closed."""
        room = self._rooms.get(namespace)
        if room is None:
            return
        room.studies.pop(name, None)
        if not room.studies:
            self._close(namespace)

    async def changed(self) -> tuple[Key, ...]:
        """Return the resources whose study changed since it was last reported here, or is due for a look."""
        found = await asyncio.gather(*(self._changed_in(name) for name in tuple(self._rooms)))
        return tuple(key for keys in found for key in keys)

    @property
    def active(self) -> int:
        """How many studies are kept."""
        return sum(len(room.studies) for room in self._rooms.values())

    def close(self) -> None:
        """Close all databases."""
        for namespace in tuple(self._rooms):
            self._close(namespace)
        self._threads.shutdown()

    async def _changed_in(self, namespace: str) -> tuple[Key, ...]:
        room = self._rooms[namespace]
        try:
            pulses = await self._within(namespace, lambda: room.storage.pulses(tuple(room.studies)))
        except StorageProblem:
            return tuple(each.key for each in room.studies.values())
        return tuple(_due(room.studies.items(), pulses))

    async def _room(self, namespace: str) -> _Room:
        async with self._opening.setdefault(namespace, asyncio.Lock()):
            try:
                url = await self._secrets.url(namespace)
            except StorageSecretInvalid as error:
                raise self._problem("StorageSecretInvalid", error) from error
            room = self._rooms.get(namespace)
            if room is None or room.url != url:
                self._close(namespace)
                storage = await self._within(namespace, lambda: open_storage(url))
                room = self._rooms[namespace] = _Room(url, storage)
            return room

    async def _within(self, namespace: str, work: Callable[[], T]) -> T:
        """Do blocking `work` on a namespace's database in a thread."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except StorageUnavailable as error:
            self._secrets.forget(namespace)
            raise self._problem("StorageUnavailable", error) from error
        except StorageUnusable as error:
            self._secrets.forget(namespace)
            raise self._problem("StorageUnusable", error) from error

    def _problem(self, reason: str, error: LlmoptError) -> StorageProblem:
        self._metrics.storage_failed(reason)
        return StorageProblem(Problem(reason, str(error)))

    def _close(self, namespace: str) -> None:
        room = self._rooms.pop(namespace, None)
        if room is not None:
            room.storage.close()


def _opened(room: _Room, key: Key, name: str) -> _Open:
    known = room.studies.get(name)
    return known if known is not None else _keep(room, key, room.storage.open_study(name))


def _keep(room: _Room, key: Key, study: Study) -> _Open:
    return room.studies.setdefault(study.definition.name, _Open(key, study, Janitor(study, _LEASE_SECONDS)))


def _see(room: _Room, key: Key, resource: LLMOptimization) -> StudySeen | None:
    name = study_name(resource)
    try:
        opened = _opened(room, key, name)
        # A study that is kept may have been dropped meanwhile.
        if name not in room.storage.pulses((name,)):
            room.studies.pop(name, None)
            return None
    except StudyNotFound:
        return None
    opened.janitor.sweep()
    _retain(opened, resource.spec.study_retention)
    return optimization_seen(_read(opened.study, resource))


def _retain(opened: _Open, retention: str) -> None:
    """Write the resource's wish into the study: whoever sweeps later knows nothing of the resource."""
    if opened.retention is None:
        opened.retention = opened.study.retention
    if opened.retention != retention:
        opened.study.retain(retention)
        opened.retention = retention


def _read(study: Study, resource: LLMOptimization) -> Reading:
    runners = study.runners()
    alive = [runner for runner in runners if runner.ended is None]
    active = active_seconds(runners)
    return Reading(
        name=study.definition.name,
        ended=study.ended,
        look=look(study, resource.spec, elapsed_seconds=active, runners=len(alive)),
        summary=summarise(study),
        result=result_of(study),
        ranked=rank(study),
        runners=runners,
        active_seconds=active,
    )


def _due(studies: Iterable[tuple[str, _Open]], pulses: Mapping[str, Pulse]) -> Iterable[Key]:
    now = time.monotonic()
    for name, opened in studies:
        pulse = pulses.get(name)
        if pulse != opened.pulse or now - opened.looked_at > _LOOK_SECONDS:
            opened.pulse, opened.looked_at = pulse, now
            yield opened.key
