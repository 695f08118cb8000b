"""A queue of keys: each is worked on by one worker at a time, and again when it was marked meanwhile.

kopf's own handlers are not used for that: they see one event of one object, where a resource is to be
reconciled when it, its Job, its pods or its study changed, and they keep their progress in annotations,
which costs writes. With this queue 1,000 resources cost 8.1 CPU seconds, of which kopf's watches are three
tenths, and 3.00 writes each (bench/results/2026-11-23-operator.md).
"""

import asyncio
import heapq
import itertools
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.kubernetes import ApiError

log = logging.getLogger(__name__)
Item = TypeVar("Item", bound=Hashable)

_FIRST_DELAY_SECONDS = 0.5
_LONGEST_DELAY_SECONDS = 60.0


@dataclass
class _Lane(Generic[Item]):
    """The keys of one lane that wait, and how many workers it has."""

    waiting: deque[Item] = field(default_factory=deque)
    workers: int = 0


class KeyedQueue(Generic[Item]):
    """Keys that wait for `work`, which says after how many seconds to come back (None: when marked).

    Keys of one `lane`, such as a namespace, are worked on by at most `workers` at once; lanes never wait for
    each other. `waited` is called with the seconds that each key waited.

    A key that is marked while it is worked on is worked on once more. What raises an LlmoptError is tried
    again after a delay that doubles from failure to failure, and not before the API server wants to be asked
    again; any other error is a fault of the program: it is logged whole and tried again as slowly as can be.
    """

    def __init__(
        self,
        work: Callable[[Item], Awaitable[float | None]],
        *,
        lane: Callable[[Item], Hashable],
        workers: int = 4,
        waited: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        self._work = work
        self._lane = lane
        self._workers = workers
        self._waited = waited
        self._lanes: dict[Hashable, _Lane[Item]] = {}
        self._ready: asyncio.Queue[Item] = asyncio.Queue()
        self._waiting: dict[Item, float] = {}  # since when, by the loop's clock
        self._busy: set[Item] = set()
        self._dirty: set[Item] = set()
        self._failures: dict[Item, int] = {}
        self._due: dict[Item, float] = {}
        self._timers: list[tuple[float, int, Item]] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """Return how many keys wait to be worked on now."""
        return len(self._waiting)

    @property
    def idle(self) -> bool:
        """Whether nothing is worked on or waits to be worked on now."""
        return not (self._waiting or self._busy)

    def add(self, key: Item) -> None:
        """Mark `key` to be worked on as soon as may be."""
        self._due.pop(key, None)
        if key in self._busy:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().time()
            self._ready.put_nowait(key)

    def add_later(self, key: Item, seconds: float) -> None:
        """Mark `key` to be worked on in `seconds`, or earlier where it is marked before."""
        due = asyncio.get_running_loop().time() + seconds
        if due >= self._due.get(key, float("inf")):
            return
        self._due[key] = due
        heapq.heappush(self._timers, (due, next(self._numbers), key))
        self._wake.set()

    def forget(self, key: Item) -> None:
        """Drop what is remembered of `key`."""
        self._due.pop(key, None)
        self._failures.pop(key, None)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            while True:
                key = await self._ready.get()
                lane = self._lanes.setdefault(self._lane(key), _Lane())
                lane.waiting.append(key)
                if lane.workers < self._workers:
                    lane.workers += 1
                    group.create_task(self._serve(self._lane(key), lane))

    async def _serve(self, name: Hashable, lane: "_Lane[Item]") -> None:
        """Work on the keys of one lane until none waits."""
        while lane.waiting:
            key = lane.waiting.popleft()
            self._waited(asyncio.get_running_loop().time() - self._waiting.pop(key))
            self._busy.add(key)
            try:
                await self._attend(key)
            finally:
                self._busy.discard(key)
                if key in self._dirty:
                    self._dirty.discard(key)
                    self.add(key)
        lane.workers -= 1
        if not lane.workers:
            del self._lanes[name]

    async def _attend(self, key: Item) -> None:
        task = asyncio.ensure_future(self._work(key))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        error = task.exception()
        if error is None:
            self._failures.pop(key, None)
            if (again := task.result()) is not None:
                self.add_later(key, again)
        elif isinstance(error, LlmoptError):
            delay = max(self._delay(key), _asked_pause(error))
            log.warning("%s: %s; again in %.1f s", key, error, delay, extra={"resource": str(key)})
            self.add_later(key, delay)
        else:  # one resource that the program cannot handle must not take all others down
            log.error("%s: the operator itself failed", key, exc_info=error, extra={"resource": str(key)})
            self.add_later(key, _LONGEST_DELAY_SECONDS)

    def _delay(self, key: Item) -> float:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        longest: float = min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0 ** min(failures - 1, 16))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - only to spread the load

    async def _tick(self) -> None:
        """Bring back the keys whose time has come."""
        while True:
            now = asyncio.get_running_loop().time()
            while self._timers and self._timers[0][0] <= now:
                due, _, key = heapq.heappop(self._timers)
                if self._due.get(key) == due:
                    self.add(key)
            self._wake.clear()
            wait = self._timers[0][0] - now if self._timers else None
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue


def _asked_pause(error: LlmoptError) -> float:
    """Return for how many seconds the API server asked to be left alone, directly or as the cause."""
    cause = error if isinstance(error, ApiError) else error.__cause__
    return cause.retry_after_seconds if isinstance(cause, ApiError) else 0.0
