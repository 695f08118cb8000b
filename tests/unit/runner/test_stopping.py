"""A stop is seen by plain code and by a running loop."""

import asyncio
import os
import signal
import threading

import pytest

from llmopt_runner.stopping import Interrupted, StopSignal


def test_nothing_is_raised_before_the_stop():
    """A runner that nobody stops goes on."""
    stopping = StopSignal()
    stopping.check()
    assert not stopping.requested


def test_a_stop_raises_where_it_is_checked():
    """After the stop every check raises, again and again."""
    stopping = StopSignal()
    stopping.set()
    for _ in range(2):
        with pytest.raises(Interrupted):
            stopping.check()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_ask_for_the_stop(number):
    """SIGTERM (a pod's end) and SIGINT (Ctrl-C) are one and the same."""
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    stopping = StopSignal()
    try:
        stopping.install()
        os.kill(os.getpid(), number)
        assert stopping.wait(5.0)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_a_running_loop_wakes_up_for_a_stop_from_another_thread():
    """The event of the loop is set although nothing else happens in it."""
    stopping = StopSignal()

    async def wait():
        with stopping.in_loop() as event:
            threading.Thread(target=stopping.set).start()
            await asyncio.wait_for(event.wait(), 5.0)

    asyncio.run(wait())


def test_a_loop_that_begins_after_the_stop_knows_it():
    """A stop that came before the loop is not lost."""
    stopping = StopSignal()
    stopping.set()

    async def look():
        with stopping.in_loop() as event:
            return event.is_set()

    assert asyncio.run(look())


def test_a_loop_can_be_woken_without_a_stop():
    """What waits in a loop ends, and the runner goes on; without a loop nothing happens."""
    stopping = StopSignal()
    stopping.wake()

    async def wait():
        with stopping.in_loop() as event:
            threading.Thread(target=stopping.wake).start()
            await asyncio.wait_for(event.wait(), 5.0)

    asyncio.run(wait())
    stopping.wake()
    stopping.check()
    assert not stopping.requested


def test_a_loop_that_was_just_closed_is_woken_in_vain():
    """Another thread may come too late: that is no error."""
    stopping = StopSignal()

    async def leave():
        manager = stopping.in_loop()
        manager.__enter__()
        return manager

    kept = asyncio.run(leave())
    stopping.wake()
    assert kept is not None


def _cut_off(stopping, seconds, work):
    async def block():
        async with stopping.bounding(seconds):
            await work()

    asyncio.run(block())


def test_a_bounded_block_is_cut_off_at_a_stop():
    """Whatever it waits for, also where another part of it waits for the same stop."""
    stopping = StopSignal()

    async def wait():
        with stopping.in_loop() as event:
            threading.Thread(target=stopping.set).start()
            await event.wait()
        await asyncio.Event().wait()

    with pytest.raises(Interrupted):
        _cut_off(stopping, 60, wait)


def test_a_bounded_block_is_cut_off_when_its_time_is_over():
    """Nobody asked for a stop: that is another error."""
    with pytest.raises(TimeoutError):
        _cut_off(StopSignal(), 0.01, lambda: asyncio.Event().wait())


def test_a_bounded_block_goes_on_after_a_wake():
    """What only wakes a loop up asks for no stop; an end in time raises nothing."""
    stopping = StopSignal()

    async def wait():
        stopping.wake()
        for _ in range(5):
            await asyncio.sleep(0)

    _cut_off(stopping, 60, wait)
    assert stopping._waiters == []


def test_work_apart_gives_its_result_or_its_error():
    """Who waits for it notices no difference."""
    assert StopSignal().run_apart(lambda: 1 + 1) == 2
    with pytest.raises(ZeroDivisionError):
        StopSignal().run_apart(lambda: 1 // 0)


def test_work_apart_is_left_at_a_stop():
    """What hangs in a library is not waited for."""
    stopping, hangs = StopSignal(), threading.Event()
    stopping.set()
    with pytest.raises(Interrupted):
        stopping.run_apart(lambda: hangs.wait(60))
    hangs.set()


def test_the_process_ends_by_itself_where_nothing_was_left():
    """Only work that was left running is a reason to end without waiting."""
    StopSignal().exit_at_once(1)
