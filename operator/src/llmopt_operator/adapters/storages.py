"""The databases of all namespaces: opened when asked for, closed when unused, each worked on in a slot."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from llmopt_core.api.reasons import Reason
from llmopt_core.storage.access import Access
from llmopt_core.storage.pulses import Pulse
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.storages import Storage, open_storage
from llmopt_core.storage.studies import Study
from llmopt_operator.adapters.secrets import StorageSecretInvalid, StorageSecrets
from llmopt_operator.adapters.slots import WORK_SECONDS, ErrorTypes, Slot, StorageProblem, Threads
from llmopt_operator.domain.observed import Problem
from llmopt_operator.metrics import OperatorMetrics

log = logging.getLogger(__name__)
T = TypeVar("T")
# A tenant's database is a stranger's: it may be slow, locked, huge, or none at all.
ACCESS = Access(
    postgres_only=True,
    idle_connections=1,
    connect_seconds=5,
    answer_seconds=12.0,
    answer_bytes=16 * 2**20,
    answer_rows=20_000,
    statement_seconds=8.0,
    lock_seconds=4.0,
    idle_seconds=20.0,
    document_bytes=2 * 2**20,
    batch_bytes=4 * 2**20,
    batch_rows=500,
    # So that a thread ends about when its work is not waited for any more.
    refresh_seconds=25.0,
    # Three times the largest budget: repeats and returned trials come on top.
    most_trials=30_000,
    kept_bytes=24 * 2**20,
    search_details=False,
)
# A trial whose runner said nothing for so long, while nobody replaced it, is given to another.
_LEASE_SECONDS = 60.0
# Questions of many resources at once become one.
_GATHER_SECONDS = 0.02
_UNUSED_SECONDS = 120.0
# Of all open studies together. As Python's objects they take several times as much.
_MOST_KEPT_BYTES = 40 * 2**20


@dataclass
class OpenStudy:
    """One study that is kept open while it is read."""

    study: Study
    reaper: Reaper


@dataclass
class NamespaceDatabase:
    """One namespace's database. Questions for pulses are gathered for a moment and asked as one."""

    namespace: str
    url: str
    storage: Storage
    studies: dict[str, OpenStudy] = field(default_factory=dict)
    table: int | None = None
    used_at: float = field(default_factory=time.monotonic)
    asked: set[str] = field(default_factory=set)
    answer: "asyncio.Task[Mapping[str, Pulse]] | None" = None

    def opened(self, name: str) -> OpenStudy:
        """Return the study called `name`, which is kept open; raises StudyNotFound."""
        if (known := self.studies.get(name)) is not None:
            return known
        study = self.storage.open_study(name)
        return self.studies.setdefault(name, OpenStudy(study, Reaper(study, _LEASE_SECONDS)))

    @property
    def kept_bytes(self) -> int:
        """About how many bytes of JSON are kept of its open studies.

        A copy is summed: the thread that works on this database may open another study meanwhile.
        """
        return sum(each.study.kept_bytes for each in self.studies.copy().values())

    def recognise(self, pulse: Pulse) -> None:
        """Forget what was read from other tables than those of `pulse`: the database was restored."""
        if self.table not in {None, pulse.table}:
            self.studies.clear()
        self.table = pulse.table


class Storages:
    """The databases that are in use. Raises StorageProblem where one cannot be used."""

    def __init__(self, secrets: StorageSecrets, metrics: OperatorMetrics) -> None:
        self._secrets = secrets
        self._metrics = metrics
        self._databases: dict[str, NamespaceDatabase] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._threads = Threads()
        self._slots: dict[str, Slot] = {}

    async def database(self, namespace: str) -> NamespaceDatabase:
        """Return the database of `namespace`, opened if need be."""
        async with self._opening.setdefault(namespace, asyncio.Lock()):
            self._slot(namespace).check()
            try:
                url = await self._secrets.url(namespace)
            except StorageSecretInvalid as error:
                self._metrics.storage_failed(Reason.STORAGE_SECRET_INVALID)
                raise StorageProblem(Problem(Reason.STORAGE_SECRET_INVALID, str(error))) from error
            database = self._databases.get(namespace)
            if database is None or database.url != url:
                self._close(namespace)
                storage = await self._run(namespace, lambda: open_storage(url, ACCESS), WORK_SECONDS)
                database = self._databases[namespace] = NamespaceDatabase(namespace, url, storage)
            database.used_at = time.monotonic()
            return database

    def trim(self, spare_bytes: int = 0) -> None:
        """Keep no more of all studies than fits beside `spare_bytes`.

        What the largest namespace opened first goes first.
        """
        most = _MOST_KEPT_BYTES - spare_bytes
        while sum(database.kept_bytes for database in self._databases.values()) > most:
            largest = max(self._databases.values(), key=lambda database: database.kept_bytes)
            del largest.studies[next(iter(largest.studies.copy()))]

    async def within(
        self,
        database: NamespaceDatabase,
        work: Callable[[], T],
        seconds: float = WORK_SECONDS,
        expected: ErrorTypes = (),
    ) -> T:
        """Do blocking `work` on a namespace's database in its slot; errors that are `expected` pass."""
        return await self._run(database.namespace, work, seconds, expected)

    async def pulse(self, database: NamespaceDatabase, name: str) -> Pulse | None:
        """Return the pulse of the study called `name`, None where there is none."""
        database.asked.add(name)
        if database.answer is None:
            database.answer = asyncio.ensure_future(self._answer(database))
        return (await asyncio.shield(database.answer)).get(name)

    async def pulses(self, database: NamespaceDatabase, names: tuple[str, ...]) -> Mapping[str, Pulse]:
        """Return the pulse of each of the studies `names` that is there."""
        found = await self.within(database, lambda: database.storage.pulses(names))
        for pulse in found.values():
            database.recognise(pulse)
        return found

    def leave(self, namespace: str, name: str) -> None:
        """Keep the study called `name` open no longer."""
        if database := self._databases.get(namespace):
            database.studies.pop(name, None)

    @property
    def open_studies(self) -> int:
        """How many studies are kept open."""
        return sum(len(database.studies) for database in self._databases.values())

    def close_unused(self) -> None:
        """Close the databases that nobody used for a while, and forget the slots without work."""
        now = time.monotonic()
        for namespace, database in tuple(self._databases.items()):
            if now - database.used_at > _UNUSED_SECONDS:
                self._close(namespace)
        for namespace, slot in tuple(self._slots.items()):
            opening = self._opening.get(namespace)
            if namespace not in self._databases and slot.is_quiet and not (opening and opening.locked()):
                del self._slots[namespace]
                self._opening.pop(namespace, None)

    def close(self) -> None:
        """Close all databases."""
        for namespace in tuple(self._databases):
            self._close(namespace)
        self._threads.close()

    def _slot(self, namespace: str) -> Slot:
        if (slot := self._slots.get(namespace)) is None:
            slot = self._slots[namespace] = Slot(namespace, self._threads)
        return slot

    async def _answer(self, database: NamespaceDatabase) -> Mapping[str, Pulse]:
        await asyncio.sleep(_GATHER_SECONDS)
        names, database.asked, database.answer = tuple(database.asked), set(), None
        return await self.pulses(database, names)

    async def _run(
        self, namespace: str, work: Callable[[], T], seconds: float, expected: ErrorTypes = ()
    ) -> T:
        try:
            return await self._slot(namespace).run(work, seconds, expected)
        except StorageProblem as error:
            self._metrics.storage_failed(error.problem.reason)
            if error.problem.reason != Reason.STUDY_UNREADABLE:
                self._secrets.forget(namespace)
            if error.problem.reason == Reason.STORAGE_UNUSABLE:
                self._close(namespace)  # what it holds is looked at anew once it is repaired
            raise

    def _close(self, namespace: str) -> None:
        database = self._databases.pop(namespace, None)
        if database is None:
            return
        try:
            database.storage.close()
        except Exception:
            # The boundary between namespaces: connections that cannot be closed must not stop the others.
            log.exception("the database of namespace %s cannot be closed", namespace)
