"""A coroutine from plain code, with or without an event loop around."""

import anyio
import pytest

import llmopt


async def doubled(value):
    await anyio.lowlevel.checkpoint()
    return 2 * value


def test_a_coroutine_returns_its_value():
    """What it returns is what the call returns."""
    assert llmopt.run_blocking(doubled(3)) == 6


def test_it_works_inside_a_running_event_loop():
    """A notebook has a loop of its own: nothing is nested."""

    async def notebook():
        return llmopt.run_blocking(doubled(3), timeout=10)

    assert anyio.run(notebook) == 6


def test_what_it_raises_is_raised():
    """An error of the coroutine is the caller's."""

    async def failing():
        raise KeyError("x")

    with pytest.raises(KeyError):
        llmopt.run_blocking(failing())


def test_after_the_timeout_it_has_ended():
    """It is cancelled, and its clean-up is done when TimeoutError is raised."""
    ended = []

    async def endless():
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        llmopt.run_blocking(endless(), timeout=0.01)
    assert ended == [True]


def test_a_function_that_was_not_called_is_refused():
    """The message says what to do."""
    with pytest.raises(TypeError, match=r"takes a coroutine.*call the async function"):
        llmopt.run_blocking(doubled)
