"""A coroutine run to its end from plain code, inside a running event loop (a notebook) too."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio
from anyio.from_thread import start_blocking_portal

T = TypeVar("T")


def run_blocking(coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
    """Return what `coroutine` returns; it runs in a thread with an event loop of its own.

    Raises TimeoutError after `timeout` seconds, when it was cancelled and has ended, and what it raises.
    """
    if not isinstance(coroutine, Coroutine):
        raise TypeError(
            f"run_blocking() takes a coroutine, such as optimize_async(...), not {type(coroutine).__name__}:"
            " call the async function"
        )

    async def bounded() -> T:
        with anyio.fail_after(timeout):
            return await coroutine

    with start_blocking_portal() as portal:
        result: T = portal.call(bounded)
        return result
