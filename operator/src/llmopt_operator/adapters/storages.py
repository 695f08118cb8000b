"""The databases of all namespaces: opened when asked for, closed when unused, worked on in threads."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from llmopt_core.api.reasons import ConditionReason, Reason
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.study.adapter import (
    Janitor,
    Storage,
    StorageUnavailable,
    StorageUnusable,
    Study,
    open_storage,
)
from llmopt_core.study.rows import Pulse
from llmopt_operator.adapters.secrets import StorageSecretInvalid, StorageSecrets
from llmopt_operator.domain.observed import Problem
from llmopt_operator.metrics import OperatorMetrics

T = TypeVar("T")
_THREADS = 4
# A trial whose runner said nothing for so long, while nobody replaced it, is given to another.
_LEASE_SECONDS = 60.0
# Questions of many resources at once become one.
_GATHER_SECONDS = 0.02
_UNUSED_SECONDS = 120.0


class StorageProblem(LlmoptError):
    """A study cannot be read or made in its namespace's storage now; `problem` is what a condition says."""

    retryable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass
class OpenStudy:
    """One study that is kept open while it is read."""

    study: Study
    janitor: Janitor


@dataclass
class Room:
    """One namespace's database. Questions for pulses are gathered for a moment and asked as one."""

    namespace: str
    url: str
    storage: Storage
    studies: dict[str, OpenStudy] = field(default_factory=dict)
    used_at: float = field(default_factory=time.monotonic)
    asked: set[str] = field(default_factory=set)
    answer: "asyncio.Task[Mapping[str, Pulse]] | None" = None

    def opened(self, name: str) -> OpenStudy:
        """Return the study called `name`, which is kept open; raises StudyNotFound."""
        if (known := self.studies.get(name)) is not None:
            return known
        study = self.storage.open_study(name)
        return self.studies.setdefault(name, OpenStudy(study, Janitor(study, _LEASE_SECONDS)))


class Storages:
    """The databases that are in use. Raises StorageProblem where one cannot be used."""

    def __init__(self, secrets: StorageSecrets, metrics: OperatorMetrics) -> None:
        self._secrets = secrets
        self._metrics = metrics
        self._rooms: dict[str, Room] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="studies")

    async def room(self, namespace: str) -> Room:
        """Return the database of `namespace`, opened if need be."""
        async with self._opening.setdefault(namespace, asyncio.Lock()):
            try:
                url = await self._secrets.url(namespace)
            except StorageSecretInvalid as error:
                raise self._problem(Reason.STORAGE_SECRET_INVALID, error) from error
            room = self._rooms.get(namespace)
            if room is None or room.url != url:
                self._close(namespace)
                storage = await self._translated(namespace, lambda: open_storage(url, idle_connections=1))
                room = self._rooms[namespace] = Room(namespace, url, storage)
            room.used_at = time.monotonic()
            return room

    async def within(self, room: Room, work: Callable[[], T]) -> T:
        """Do blocking `work` on a namespace's database in a thread."""
        return await self._translated(room.namespace, work)

    async def pulse(self, room: Room, name: str) -> Pulse | None:
        """Return the pulse of the study called `name`, None where there is none."""
        room.asked.add(name)
        if room.answer is None:
            room.answer = asyncio.ensure_future(self._answer(room))
        return (await asyncio.shield(room.answer)).get(name)

    def leave(self, namespace: str, name: str) -> None:
        """Keep the study called `name` open no longer."""
        if room := self._rooms.get(namespace):
            room.studies.pop(name, None)

    @property
    def open_studies(self) -> int:
        """How many studies are kept open."""
        return sum(len(room.studies) for room in self._rooms.values())

    def close_unused(self) -> None:
        """Close the databases that nobody used for a while."""
        now = time.monotonic()
        for namespace, room in tuple(self._rooms.items()):
            if now - room.used_at > _UNUSED_SECONDS:
                self._close(namespace)

    def close(self) -> None:
        """Close all databases."""
        for namespace in tuple(self._rooms):
            self._close(namespace)
        self._threads.shutdown()

    async def _answer(self, room: Room) -> Mapping[str, Pulse]:
        await asyncio.sleep(_GATHER_SECONDS)
        names, room.asked, room.answer = tuple(room.asked), set(), None
        return await self.within(room, lambda: room.storage.pulses(names))

    async def _translated(self, namespace: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except StorageUnavailable as error:
            self._secrets.forget(namespace)
            raise self._problem(ErrorClass.STORAGE_UNAVAILABLE, error) from error
        except StorageUnusable as error:
            self._secrets.forget(namespace)
            raise self._problem(Reason.STORAGE_UNUSABLE, error) from error

    def _problem(self, reason: ConditionReason, error: LlmoptError) -> StorageProblem:
        self._metrics.storage_failed(reason)
        return StorageProblem(Problem(reason, str(error)))

    def _close(self, namespace: str) -> None:
        room = self._rooms.pop(namespace, None)
        if room is not None:
            room.storage.close()
