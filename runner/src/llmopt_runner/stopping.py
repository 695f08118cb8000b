"""One signal to stop that both plain code and a running event loop see."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from llmopt_core.errors.classes import LlmoptError


class Interrupted(LlmoptError):
    """The runner was asked to stop; the trial it had is to be given back."""

    retryable = True


class StopSignal:
    """Set once, by SIGTERM or SIGINT or by hand; never taken back."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiter: asyncio.Event | None = None

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
        loop, waiter = self._loop, self._waiter
        if loop is not None and waiter is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed between the two lines
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

    @contextmanager
    def in_loop(self) -> Iterator[asyncio.Event]:
        """Give an event of the running loop that is set when the stop is asked for."""
        self._waiter = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if self.requested:
            self._waiter.set()
        try:
            yield self._waiter
        finally:
            self._loop = self._waiter = None
