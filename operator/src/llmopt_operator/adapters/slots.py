"""One slot for each namespace's database work, so that no database keeps another's from being asked.

A namespace has one thread at a time. Its work ends by a deadline, and a database that fails is left alone for
a while. A thread that does not end (a name that cannot be resolved) keeps only its own namespace's slot.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_core.storage.errors import StorageUnavailable, StorageUnusable, StudyUnreadable
from llmopt_operator.domain.breakers import Breaker
from llmopt_operator.domain.observed import Problem

log = logging.getLogger(__name__)
T = TypeVar("T")
THREADS = 32
# This share of the threads may ask databases that failed when they were last asked: each may take
# WORK_SECONDS once more.
_DOUBTFUL_SHARE = 0.25
# Every statement has limits of its own; this is for all statements of one piece of work together.
WORK_SECONDS = 30.0
# What cannot be read will not be readable soon: reading it may cost seconds.
_UNREADABLE_SECONDS = 60.0
# Longer work is followed by a rest of four times its time: no study takes all processor time.
_LONG_SECONDS, _REST, _LONGEST_REST_SECONDS = 0.25, 4.0, 60.0
Clock = Callable[[], float]


class StorageProblem(LlmoptError):
    """A study cannot be read or made in its namespace's storage now; `problem` is what a condition says."""

    retryable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class Threads:
    """The threads of all slots."""

    def __init__(self, count: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="studies")
        self._free = asyncio.Semaphore(count)
        self._doubtful = asyncio.Semaphore(max(1, int(count * _DOUBTFUL_SHARE)))

    async def start(self, work: Callable[[], T], *, doubtful: bool = False) -> "asyncio.Future[T]":
        """Start `work` in a thread once one is free, and return its future.

        Work that is `doubtful` waits for one of the few threads for such work, which leaves others the rest.
        """
        with ExitStack() as places:
            for place in (self._doubtful, self._free) if doubtful else (self._free,):
                await place.acquire()
                places.callback(place.release)
            future = asyncio.get_running_loop().run_in_executor(self._pool, work)
            kept = places.pop_all()
        future.add_done_callback(lambda ended: _end(ended, kept))
        return future

    def close(self) -> None:
        """Take no more work; what still runs ends by its own limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _end(future: asyncio.Future[Any], places: ExitStack) -> None:
    places.close()
    if not future.cancelled():
        future.exception()  # nobody waits for it any more; asyncio would report it as never looked at


class Slot:
    """One namespace's work: one piece at a time, each with a deadline. Raises StorageProblem."""

    def __init__(self, namespace: str, threads: Threads, clock: Clock = time.monotonic) -> None:
        self._namespace = namespace
        self._threads = threads
        self._clock = clock
        self._turn = asyncio.Lock()
        self._breaker = Breaker()
        self._stuck: asyncio.Future[Any] | None = None
        self._rests_until = 0.0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is remembered of it and nothing runs."""
        return not self._turn.locked() and self._stuck is None and self._breaker == Breaker()

    def check(self) -> None:
        """Raise StorageProblem while the storage is left alone."""
        if refusal := self._breaker.refusal(self._clock()):
            raise StorageProblem(refusal)

    async def run(self, work: Callable[[], T], seconds: float = WORK_SECONDS) -> T:
        """Do `work` in a thread within `seconds`; other errors of ours than those of the storage pass."""
        self.check()
        async with self._turn:
            self.check()
            if (rest := self._rests_until - self._clock()) > 0:
                await asyncio.sleep(rest)
            if self._stuck is not None and not self._stuck.done():
                raise self._failed(
                    Problem(ErrorClass.STORAGE_UNAVAILABLE, "an earlier query has not ended yet")
                )
            began = self._clock()
            future = await self._threads.start(work, doubtful=self._breaker.failures > 0)
            self._stuck = future
            await asyncio.wait({future}, timeout=seconds)
            self._rest(self._clock() - began)
            if not future.done():
                text = f"the database did not answer within {seconds:g} s"
                raise self._failed(Problem(ErrorClass.STORAGE_UNAVAILABLE, text))
            self._stuck = None
            return self._result(future)

    def _rest(self, took: float) -> None:
        if took > _LONG_SECONDS:
            self._rests_until = self._clock() + min(_REST * took, _LONGEST_REST_SECONDS)

    def _result(self, future: asyncio.Future[T]) -> T:
        try:
            result = future.result()
        except StorageUnavailable as error:
            raise self._failed(Problem(ErrorClass.STORAGE_UNAVAILABLE, str(error))) from error
        except StorageUnusable as error:
            raise self._failed(Problem(Reason.STORAGE_UNUSABLE, str(error))) from error
        except StudyUnreadable as error:
            raise self._unreadable(str(error)) from error
        except LlmoptError:
            self._breaker = Breaker()
            raise
        except Exception as error:
            # The boundary between namespaces: whatever a tenant's rows make our code raise is theirs alone.
            log.exception("namespace %s: what its database holds made the operator fail", self._namespace)
            raise self._unreadable(f"{type(error).__name__}: {error}"[:500]) from error
        self._breaker = Breaker()
        return result

    def _failed(self, problem: Problem) -> StorageProblem:
        self._breaker = self._breaker.failed(problem, self._clock())
        return StorageProblem(self._breaker.refusal(self._clock()) or problem)

    def _unreadable(self, message: str) -> StorageProblem:
        self._breaker = Breaker()  # the database answered
        return StorageProblem(Problem(Reason.STUDY_UNREADABLE, message, retry_seconds=_UNREADABLE_SECONDS))
