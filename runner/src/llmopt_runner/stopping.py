"""One signal to stop that both plain code and a running event loop see."""

import asyncio
import contextlib
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import TypeVar

import anyio

from llmopt_core.errors.classes import LlmoptError

T = TypeVar("T")
_LOOK_SECONDS = 0.1


class Interrupted(LlmoptError):
    """The runner was asked to stop; the trial it had is to be given back."""

    retryable = True


def _complete(result: "Future[T]", work: Callable[[], T]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001 - raised again by who waits for it
        result.set_exception(error)


class StopSignal:
    """Set once, by SIGTERM or SIGINT or by hand; never taken back."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._left_running = False

    def install(self) -> None:
        """Set this signal on SIGTERM and SIGINT (call from the main thread)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.set()

    def set(self) -> None:
        """Ask for the stop."""
        self._event.set()
        self.wake()

    def wake(self) -> None:
        """End what waits in a loop now, without asking the runner to stop. Any thread may call it."""
        for loop, waiter in tuple(self._waiters):
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(waiter.set)

    @property
    def requested(self) -> bool:
        """Say whether the stop was asked for."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most `seconds`; say whether the stop was asked for."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raise Interrupted once the stop was asked for."""
        if self.requested:
            raise Interrupted("asked to stop")

    def run_apart(self, work: Callable[[], T], meanwhile: Callable[[], None] = lambda: None) -> T:
        """Return what `work` returns, or raise what it raises; Interrupted as soon as the stop is asked for.

        For what cannot be interrupted itself, such as a library's download: it has a thread of its own, which
        is left running at a stop. `exit_at_once` then ends the process without waiting for it. `meanwhile` is
        called again and again while it works.
        """
        result: Future[T] = Future()
        threading.Thread(target=_complete, args=(result, work), name="apart", daemon=True).start()
        while not wait([result], _LOOK_SECONDS).done:
            if self.requested:
                self._left_running = True
                raise Interrupted("asked to stop")
            meanwhile()
        return result.result()

    def exit_at_once(self, code: int) -> None:
        """End the process where work was left running: threads that a library began would be waited for."""
        if self._left_running:
            logging.shutdown()
            os._exit(code)

    @contextmanager
    def in_loop(self) -> Iterator[asyncio.Event]:
        """Give an event of the running loop that is set when the stop is asked for, and at a `wake`."""
        asked = asyncio.Event()
        waiter = (asyncio.get_running_loop(), asked)
        self._waiters.append(waiter)
        if self.requested:
            asked.set()
        try:
            yield asked
        finally:
            self._waiters.remove(waiter)

    @asynccontextmanager
    async def bounding(self, seconds: float) -> AsyncIterator[None]:
        """Cut the block off once the stop is asked for (Interrupted) or after `seconds` (TimeoutError).

        What the block raises comes in an ExceptionGroup: see `failure_of`.
        """
        with anyio.fail_after(seconds):
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_once_asked, group.cancel_scope)
                yield
                group.cancel_scope.cancel()
        self.check()

    async def _cancel_once_asked(self, scope: anyio.CancelScope) -> None:
        with self.in_loop() as asked:
            while not self.requested:  # a `wake` sets the event, too
                await asked.wait()
                asked.clear()
        scope.cancel()
