"""Tasks by name, such as one for each namespace: at most one at a time, and none ends another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Self

log = logging.getLogger(__name__)


class TaskPerName:
    """Runs at most one task per name; all are cancelled when the context ends."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def start(self, name: str, work: Callable[..., Awaitable[None]], *arguments: Any) -> bool:
        """Start `work` with `arguments` for `name`; False where its last task has not ended."""
        if name in self._tasks:
            return False
        task = self._tasks[name] = asyncio.create_task(self._guarded(name, work, *arguments))
        task.add_done_callback(lambda _: self._tasks.pop(name, None))
        return True

    async def _guarded(self, name: str, work: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        try:
            await work(*arguments)
        except Exception:
            # The boundary between names: a fault that one of them meets must not end the loop of all.
            log.exception("%s: the operator itself failed", name)
