"""One slot for each namespace's database work, so that no database keeps another's from being asked.

A namespace has one thread at a time. Its work ends by a deadline, and a database that fails is left alone for
a while. A thread that does not end (a name that cannot be resolved) keeps only its own namespace's slot. Few
threads work at once; those that wait for a slow database are not counted among them.
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
# So many pieces of work run at once, and so many more wait for databases that answer late, if at all: after
# LATE_SECONDS a piece leaves its place to others.
AT_ONCE, LATE = 32, 224
LATE_SECONDS = 2.0
# This share of the places is for databases that failed when they were last asked: each may take WORK_SECONDS
# once more.
_DOUBTFUL_SHARE = 0.25
# Every statement has limits of its own; this is for all statements of one piece of work together.
WORK_SECONDS = 30.0
# What cannot be read will not be readable soon: reading it may cost seconds.
_UNREADABLE_SECONDS = 60.0
# Longer work is followed by a rest of four times its time: no study takes all processor time.
_LONG_SECONDS, _REST, _LONGEST_REST_SECONDS = 0.25, 4.0, 60.0
# It may quote a tenant's row.
_LONGEST_MESSAGE = 500
Clock = Callable[[], float]
ErrorTypes = tuple[type[LlmoptError], ...]


class StorageProblem(LlmoptError):
    """A study cannot be read or made in its namespace's storage now; `problem` is what a condition says."""

    retryable = True

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


class Threads:
    """The threads of all slots: `at_once` of them work, and up to `late` more wait for slow databases."""

    def __init__(self, at_once: int = AT_ONCE, late: int = LATE, late_seconds: float = LATE_SECONDS) -> None:
        self._pool = ThreadPoolExecutor(at_once + late, thread_name_prefix="studies")
        self._free = asyncio.Semaphore(at_once)
        self._spare = late
        self._late_seconds = late_seconds
        self._doubtful = asyncio.Semaphore(max(1, int(at_once * _DOUBTFUL_SHARE)))

    async def start(self, work: Callable[[], T], *, doubtful: bool = False) -> "asyncio.Future[T]":
        """Start `work` in a thread once one is free, and return its future.

        Work that is `doubtful` waits for one of the few places for such work, which leaves others the rest.
        """
        loop = asyncio.get_running_loop()
        with ExitStack() as places:
            if doubtful:
                await _enter(self._doubtful, places)
            place = places.enter_context(ExitStack())
            await _enter(self._free, place)
            future = loop.run_in_executor(self._pool, work)
            kept = places.pop_all()
        timer = loop.call_later(self._late_seconds, self._leave, place, kept)
        future.add_done_callback(lambda ended: _end(ended, timer, kept))
        return future

    def _leave(self, place: ExitStack, kept: ExitStack) -> None:
        """Give the `place` of late work to others, while a thread is left for them."""
        if self._spare:
            self._spare -= 1
            kept.callback(self._return)
            place.close()

    def _return(self) -> None:
        self._spare += 1

    def close(self) -> None:
        """Take no more work; what still runs ends by its own limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _enter(place: asyncio.Semaphore, places: ExitStack) -> None:
    await place.acquire()
    places.callback(place.release)


def _end(future: asyncio.Future[Any], timer: asyncio.TimerHandle, places: ExitStack) -> None:
    timer.cancel()
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

    async def run(self, work: Callable[[], T], seconds: float = WORK_SECONDS, expected: ErrorTypes = ()) -> T:
        """Do `work` in a thread within `seconds`; the errors that its caller has `expected` pass.

        They say what is wrong with a resource. All others are a state of the storage or of the study.
        """
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
            return self._result(future, expected)

    def _rest(self, took: float) -> None:
        if took > _LONG_SECONDS:
            self._rests_until = self._clock() + min(_REST * took, _LONGEST_REST_SECONDS)

    def _result(self, future: asyncio.Future[T], expected: ErrorTypes) -> T:
        try:
            result = future.result()
        except StorageUnavailable as error:
            raise self._failed(Problem(ErrorClass.STORAGE_UNAVAILABLE, str(error))) from error
        except StorageUnusable as error:
            raise self._failed(Problem(Reason.STORAGE_UNUSABLE, str(error))) from error
        except expected:
            self._breaker = Breaker()
            raise
        except StudyUnreadable as error:
            raise self._unreadable(str(error)) from error
        except LlmoptError as error:
            raise self._unreadable(f"the study cannot be used: {error}") from error
        except Exception as error:
            # The boundary between namespaces: whatever a tenant's rows make our code raise is theirs alone.
            log.exception("namespace %s: what its database holds made the operator fail", self._namespace)
            raise self._unreadable(f"{type(error).__name__}: {error}") from error
        self._breaker = Breaker()
        return result

    def _failed(self, problem: Problem) -> StorageProblem:
        self._breaker = self._breaker.failed(problem, self._clock())
        return StorageProblem(self._breaker.refusal(self._clock()) or problem)

    def _unreadable(self, message: str) -> StorageProblem:
        self._breaker = Breaker()  # the database answered
        text = message[:_LONGEST_MESSAGE]
        return StorageProblem(Problem(Reason.STUDY_UNREADABLE, text, retry_seconds=_UNREADABLE_SECONDS))
