"""Ends processes that nobody owns any more, and surely no others."""

import os
import select
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress

from llmopt.machine.processes import Found, look_again, ours
from llmopt_core.errors.classes import LlmoptError

# What is orphaned ends by itself within this time, unless it is stuck; what is being started or stopped by a
# living owner can look orphaned for a moment.
_SECOND_LOOK_SECONDS = 2.5
_GRACE_SECONDS = 10.0
_ROUNDS = 3
_KILL_SECONDS = 5.0


class StillRunning(LlmoptError):
    """A process that nobody owns does not end."""


def cleanup() -> tuple[Found, ...]:
    """End runners and engines of llmopt whose owner is gone, and return what was ended.

    Nothing that works is touched, and no file is removed. Raises StillRunning with what does not end.
    """
    found = orphans()
    if remaining := end_orphans(found):
        listed = ", ".join(f"{one.pid} ({one.command})" for one in remaining)
        raise StillRunning(f"processes do not end: {listed}: look at what they wait for, such as a hung disk")
    return found


def orphans() -> tuple[Found, ...]:
    """Return what nobody owns at two looks, some seconds apart; one look is enough where it finds nothing."""
    first = ours().orphans
    if not first:
        return ()
    time.sleep(_SECOND_LOOK_SECONDS)
    second = set(ours().orphans)
    return tuple(process for process in first if process in second)


def end_orphans(known: Sequence[Found]) -> tuple[Found, ...]:
    """End the orphans that are `known`, and what they leave orphaned in turn; return what would not die.

    An engine is its runner's while that lives, orphaned as it may be.
    """
    found, immortal = tuple(known), set[Found]()
    for _ in range(_ROUNDS):
        if not found:
            break
        immortal.update(end(found))
        found = tuple(process for process in orphans() if process not in immortal)
    return (*immortal, *found)


def end(processes: Sequence[Found]) -> tuple[Found, ...]:
    """End `processes`, gracefully at first, and return those that would not die.

    Each is held by a file descriptor before it is looked at again, so that no other process that gets its
    id meanwhile can be meant.
    """
    with ExitStack() as held:
        handles = {}
        for process in processes:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(process.pid)
                held.callback(os.close, handle)
                if look_again(process):
                    handles[handle] = process
        # A stopped process hears nothing but SIGCONT and SIGKILL.
        _send(handles, signal.SIGTERM, signal.SIGCONT)
        living = _wait(handles, _GRACE_SECONDS)
        _send(living, signal.SIGKILL)
        return tuple(handles[handle] for handle in _wait(living, _KILL_SECONDS))


def _send(handles: Iterable[int], *numbers: signal.Signals) -> None:
    for handle in handles:
        for number in numbers:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, number)


def _wait(handles: Iterable[int], seconds: float) -> list[int]:
    """Wait at most `seconds` for all to end (then a descriptor is readable); return those that live."""
    deadline, living = time.monotonic() + seconds, list(handles)
    while living and (left := deadline - time.monotonic()) > 0:
        poll = select.poll()
        for handle in living:
            poll.register(handle, select.POLLIN)
        ended = {handle for handle, _ in poll.poll(left * 1000)}
        living = [handle for handle in living if handle not in ended]
    return living
