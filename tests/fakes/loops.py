"""Waiting inside an event loop without a clock."""

import asyncio
from collections.abc import Callable

_TURNS = 1_000_000


async def until(condition: Callable[[], object]) -> None:
    """Let the other tasks go on until `condition` holds."""
    for _ in range(_TURNS):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")
