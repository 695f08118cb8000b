"""The studies of all namespaces: opened once, kept while they run, read in threads."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import LLMBenchmark, LLMOptimization, Resource
from llmopt_core.study.adapter import (
    Janitor,
    Storage,
    StorageUnavailable,
    StorageUnusable,
    Study,
    StudyNotFound,
    open_storage,
)
from llmopt_core.study.comparison import NotABenchmark, compare
from llmopt_core.study.definitions import study_name
from llmopt_core.study.durations import active_seconds
from llmopt_core.study.opening import add_own_study, own_study
from llmopt_core.study.progress import look, seconds_left
from llmopt_core.study.records import RunnerRecord
from llmopt_core.study.results import OptimizationResult, result_of
from llmopt_core.study.rows import UNTOUCHED, Pulse
from llmopt_core.study.studies import KEEP
from llmopt_core.study.summary import rank, summarise
from llmopt_core.study.views import StudyPicture
from llmopt_operator.adapters.kubernetes import ApiError
from llmopt_operator.adapters.secrets import StorageSecretInvalid, StorageSecrets
from llmopt_operator.domain.observed import Problem, StudySeen
from llmopt_operator.domain.rollups import (
    BenchmarkReading,
    Reading,
    benchmark_seen,
    optimization_seen,
    unchanged,
    untouched,
)
from llmopt_operator.metrics import OperatorMetrics
from llmopt_operator.specs.naming import Key

log = logging.getLogger(__name__)
T = TypeVar("T")
_THREADS = 4
# A trial whose runner said nothing for so long, while nobody replaced it, is given to another.
_LEASE_SECONDS = 60.0
# An active study is looked at this often though no trial changed: for its runners and the time left.
_LOOK_SECONDS = 20.0
# Questions of many resources at once become one.
_GATHER_SECONDS = 0.02
_UNUSED_SECONDS = 120.0


class StorageProblem(LlmoptError):
    """The namespace's storage cannot be used now; `problem` is what a condition says."""

    retryable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass
class _Open:
    """One study that is kept open while it is read."""

    study: Study
    janitor: Janitor


@dataclass
class _Room:
    """One namespace's database. Questions for pulses are gathered for a moment and asked as one."""

    namespace: str
    url: str
    storage: Storage
    studies: dict[str, _Open] = field(default_factory=dict)
    used_at: float = field(default_factory=time.monotonic)
    asked: set[str] = field(default_factory=set)
    answer: "asyncio.Task[Mapping[str, Pulse]] | None" = None


class Studies:
    """Reads and writes the studies of resources. Raises StorageProblem where a storage cannot be used."""

    def __init__(self, secrets: StorageSecrets, metrics: OperatorMetrics) -> None:
        self._secrets = secrets
        self._metrics = metrics
        self._rooms: dict[str, _Room] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._reported: dict[str, Pulse | None] = {}  # by study
        self._looked_at: dict[str, float] = {}  # by study
        self._taken_for_new: set[str] = set()
        self._just_made: set[str] = set()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="studies")

    async def see(
        self, key: Key, resource: Resource, status: Mapping[str, Any], *, begun: bool, idle: bool
    ) -> StudySeen | None:
        """Return the study of `resource` as it is now, None where there is none.

        `status` is what was last written of it: where no trial changed since, the study is not read, unless
        no runner is left (`idle`) and the status still shows one. Of what has not `begun` no study is looked
        for at first: to make one finds one that is there.
        """
        name = study_name(resource)
        if name in self._just_made:
            self._just_made.discard(name)
            self._taken_for_new.discard(name)
            return _marked(untouched(name, resource), UNTOUCHED)
        if not begun and name not in self._taken_for_new:
            self._taken_for_new.add(name)
            return None
        self._taken_for_new.discard(name)
        room = await self._room(key.namespace)
        pulse = (await self._pulses(room, name)).get(name)
        seen: StudySeen | None
        if pulse is None:
            room.studies.pop(name, None)
            return None
        if not pulse.begun and not pulse.ended:
            seen = untouched(name, resource)
        elif self._is_known(name, pulse, status) and not (idle and _shows_runners(status)):
            seen = unchanged(status)
        else:
            seen = await self._within(room, lambda: _see(room, name, resource))
            self._looked_at[name] = time.monotonic()
        return None if seen is None else _marked(seen, pulse.mark)

    async def make(self, key: Key, resource: Resource) -> None:
        """Create the study of `resource`, or open it."""
        room = await self._room(key.namespace)
        if await self._within(room, lambda: _make(room.storage, resource)):
            self._just_made.add(study_name(resource))

    async def reopen(self, key: Key, resource: Resource) -> None:
        """Let the ended study of `resource` go on."""
        room = await self._room(key.namespace)
        name = study_name(resource)

        def go_on() -> None:
            _opened(room, name).study.reopen()

        await self._within(room, go_on)

    async def end(self, key: Key, resource: Resource, reason: str, message: str, *, failed: bool) -> None:
        """End the study of `resource`, unless it was ended already."""
        room = await self._room(key.namespace)
        name = study_name(resource)
        await self._within(room, lambda: _opened(room, name).study.end(reason, message, failed=failed))

    async def result(self, key: Key, resource: Resource) -> OptimizationResult:
        """Return what the study of `resource` has found so far."""
        room = await self._room(key.namespace)
        name = study_name(resource)
        return await self._within(room, lambda: result_of(_opened(room, name).study))

    async def dispensable(self, namespace: str) -> tuple[str, ...]:
        """Return the names of the namespace's studies that are to go with their resource."""
        room = await self._room(namespace)
        return await self._within(room, room.storage.dispensable_studies)

    async def drop(self, namespace: str, names: Iterable[str]) -> None:
        """Delete the studies `names` of resources that are gone."""
        room = await self._room(namespace)
        for name in names:
            await self._within(room, partial(room.storage.drop_study, name))
        self.release(namespace)

    def release(self, namespace: str, name: str = "") -> None:
        """Keep the study `name` open no longer."""
        self._reported.pop(name, None)
        self._looked_at.pop(name, None)
        self._taken_for_new.discard(name)
        self._just_made.discard(name)
        if room := self._rooms.get(namespace):
            room.studies.pop(name, None)

    async def changed(self, watched: Mapping[Key, str]) -> tuple[Key, ...]:
        """Return those of `watched` (the study's name by key) that changed since, or are due for a look.

        Databases that nobody used for a while are closed.
        """
        self._close_unused()
        by_namespace: dict[str, dict[str, Key]] = {}
        for key, name in watched.items():
            by_namespace.setdefault(key.namespace, {})[name] = key
        found = await asyncio.gather(*(self._changed_in(*each) for each in by_namespace.items()))
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

    async def _changed_in(self, namespace: str, keys: Mapping[str, Key]) -> tuple[Key, ...]:
        try:
            room = await self._room(namespace)
            pulses = await self._within(room, lambda: room.storage.pulses(tuple(keys)))
        except StorageProblem:
            return tuple(keys.values())
        except ApiError as error:
            log.warning("the storage of namespace %s is not known now: %s", namespace, error)
            return ()
        return tuple(key for name, key in keys.items() if self._is_news(name, pulses.get(name)))

    def _is_news(self, name: str, pulse: Pulse | None) -> bool:
        if self._reported.get(name) == pulse and name in self._reported and not self._is_due(name):
            return False
        self._reported[name] = pulse
        return True

    def _is_known(self, name: str, pulse: Pulse, status: Mapping[str, Any]) -> bool:
        return not pulse.ended and status.get("studyMark") == pulse.mark and not self._is_due(name)

    def _is_due(self, name: str) -> bool:
        return time.monotonic() - self._looked_at.get(name, -math.inf) > _LOOK_SECONDS

    async def _pulses(self, room: _Room, name: str) -> Mapping[str, Pulse]:
        room.asked.add(name)
        if room.answer is None:
            room.answer = asyncio.ensure_future(self._answer(room))
        return await asyncio.shield(room.answer)

    async def _answer(self, room: _Room) -> Mapping[str, Pulse]:
        await asyncio.sleep(_GATHER_SECONDS)
        names, room.asked, room.answer = tuple(room.asked), set(), None
        return await self._within(room, lambda: room.storage.pulses(names))

    async def _room(self, namespace: str) -> _Room:
        async with self._opening.setdefault(namespace, asyncio.Lock()):
            try:
                url = await self._secrets.url(namespace)
            except StorageSecretInvalid as error:
                raise self._problem("StorageSecretInvalid", error) from error
            room = self._rooms.get(namespace)
            if room is None or room.url != url:
                self._close(namespace)
                storage = await self._translated(namespace, lambda: open_storage(url, idle_connections=1))
                room = self._rooms[namespace] = _Room(namespace, url, storage)
            room.used_at = time.monotonic()
            return room

    async def _within(self, room: _Room, work: Callable[[], T]) -> T:
        """Do blocking `work` on a namespace's database in a thread."""
        return await self._translated(room.namespace, work)

    async def _translated(self, namespace: str, work: Callable[[], T]) -> T:
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

    def _close_unused(self) -> None:
        now = time.monotonic()
        for namespace, room in tuple(self._rooms.items()):
            if now - room.used_at > _UNUSED_SECONDS:
                self._close(namespace)

    def _close(self, namespace: str) -> None:
        room = self._rooms.pop(namespace, None)
        if room is not None:
            room.storage.close()


def _shows_runners(status: Mapping[str, Any]) -> bool:
    return any("ended" not in runner for runner in status.get("runners", ()))


def _opened(room: _Room, name: str) -> _Open:
    known = room.studies.get(name)
    return known if known is not None else _keep_open(room, room.storage.open_study(name))


def _keep_open(room: _Room, study: Study) -> _Open:
    return room.studies.setdefault(study.definition.name, _Open(study, Janitor(study, _LEASE_SECONDS)))


def _make(storage: Storage, resource: Resource) -> bool:
    """Create the study of `resource` or open it; say whether it is new.

    Whoever sweeps later knows nothing of the resource: its wish is written into the study.
    """
    made = add_own_study(storage, resource)
    if not made or resource.spec.study_retention != KEEP:
        own_study(storage, resource).retain(resource.spec.study_retention)
    return made


def _marked(seen: StudySeen, mark: str) -> StudySeen:
    return replace(seen, figures={**seen.figures, "studyMark": mark})


def _see(room: _Room, name: str, resource: Resource) -> StudySeen | None:
    try:
        opened = _opened(room, name)
    except StudyNotFound:
        return None
    opened.janitor.sweep()
    picture = opened.study.picture()
    if picture.retention != resource.spec.study_retention:
        opened.study.retain(resource.spec.study_retention)
    if isinstance(resource, LLMBenchmark):
        return benchmark_seen(_read_benchmark(picture))
    return optimization_seen(_read_optimization(picture, resource))


def _read_optimization(study: StudyPicture, resource: LLMOptimization) -> Reading:
    runners = study.runners()
    active = active_seconds(runners)
    return Reading(
        name=study.definition.name,
        ended=study.ended,
        look=look(study, resource.spec, elapsed_seconds=active, runners=_alive(runners)),
        summary=summarise(study),
        result=result_of(study),
        ranked=rank(study),
        runners=runners,
        active_seconds=active,
    )


def _read_benchmark(study: StudyPicture) -> BenchmarkReading:
    comparison, trials, runners = study.comparison, study.trials(), study.runners()
    if comparison is None:
        raise NotABenchmark(f"study {study.definition.name!r} compares no candidates")
    ended = study.ended is not None
    finding = compare(comparison, study.definition.objectives[0], trials, ended=ended)
    to_do = finding.planned - finding.finished
    return BenchmarkReading(
        name=study.definition.name,
        ended=study.ended,
        finding=finding,
        summary=summarise(study),
        runners=runners,
        active_seconds=active_seconds(runners),
        left_seconds=None if ended else seconds_left(trials, to_do=to_do, runners=_alive(runners)),
    )


def _alive(runners: Iterable[RunnerRecord]) -> int:
    return sum(runner.ended is None for runner in runners)
