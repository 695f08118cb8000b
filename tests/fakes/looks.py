"""Waiting for what other processes do, without taking the processors from them."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
# A look that takes long, such as a command's, is followed by a rest of so many times its time.
_REST = 3.0


def looked_for(look: Callable[[], T], seconds: float, *, rest: float = 0.02) -> T:
    """Return the first thing `look` returns that is neither None nor false nor empty."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if found := look():
            return found
        ended = time.monotonic()
        assert ended < deadline, f"not within {seconds:g} s"
        time.sleep(max(rest, _REST * (ended - began)))
