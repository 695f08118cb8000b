import asyncio
from itertools import pairwise

import pytest
from fakes import virtual_time
from fakes.loops import until

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.kubernetes import ApiError
from llmopt_operator.reconciling.work_queue import KeyedQueue


def _run(story):
    """Run `story(queue, log, gates)` beside a queue whose work waits for the gate of its key's lane."""

    async def run():
        log, gates = [], {}

        async def work(key):
            log.append(key)
            if gate := gates.get(key[0]):
                await gate.wait()

        queue = KeyedQueue(work, lane=lambda key: key[0], workers=2)
        running = asyncio.create_task(queue.run())
        try:
            await asyncio.wait_for(story(queue, log, gates), 20)
        finally:
            running.cancel()

    asyncio.run(run())


def test_a_lane_that_waits_keeps_no_other_from_working():
    """One namespace with any number of slow keys takes its own workers only."""

    async def story(queue, log, gates):
        gates["slow"] = asyncio.Event()
        for number in range(100):
            queue.add(("slow", number))
        for number in range(5):
            queue.add(("quick", number))
        await until(
            lambda: [key for key in log if key[0] == "quick"] == [("quick", each) for each in range(5)]
        )
        assert [key for key in log if key[0] == "slow"] == [("slow", 0), ("slow", 1)]
        assert len(queue) == 98
        gates["slow"].set()
        await until(lambda: queue.idle)
        assert len(log) == 105

    _run(story)


def test_a_key_is_worked_on_by_one_worker_and_again_when_marked_meanwhile():
    """A key that is marked while it is worked on is worked on once more, and never twice at once."""

    async def story(queue, log, gates):
        gates["a"] = asyncio.Event()
        queue.add(("a", 1))
        await until(lambda: log)
        for _ in range(3):
            queue.add(("a", 1))
        assert log == [("a", 1)]
        gates["a"].set()
        await until(lambda: queue.idle)
        assert log == [("a", 1)] * 2

    _run(story)


def test_a_failure_of_one_key_leaves_its_lane_working():
    """A key whose work fails comes back later; the others of its lane go on."""

    async def run():
        done = []

        async def work(key):
            if key == "bad":
                raise LlmoptError("no")
            done.append(key)

        queue = KeyedQueue(work, lane=lambda _: "one", workers=1)
        running = asyncio.create_task(queue.run())
        for key in ("bad", "x", "y"):
            queue.add(key)
        await asyncio.wait_for(until(lambda: done == ["x", "y"]), 20)
        running.cancel()

    asyncio.run(run())


def _work_for(seconds, work):
    """Run a queue with the key "a" for so long in virtual time."""

    async def run():
        queue = KeyedQueue(work, lane=lambda _: "one")
        running = asyncio.create_task(queue.run())
        queue.add("a")
        await asyncio.sleep(seconds)
        running.cancel()

    virtual_time.run(run())


def _now():
    return asyncio.get_running_loop().time()


def test_what_fails_is_tried_again_after_pauses_that_grow():
    """Each pause is longer than the one before, up to a minute, and what succeeds is left alone."""
    tried = []

    async def work(_key):
        tried.append(_now())
        if len(tried) < 12:
            raise LlmoptError("not yet")

    _work_for(3600, work)
    pauses = [after - before for before, after in pairwise(tried)]
    assert len(tried) == 12
    assert pauses[0] <= 0.5
    assert 15 < pauses[-1] <= 60
    assert sum(pauses[:4]) < sum(pauses[4:6])


@pytest.mark.parametrize("as_cause", [False, True])
def test_a_server_that_asks_to_be_left_alone_is(as_cause):
    """Retry-After is honoured, also where the refusal of the API server is only the cause."""
    tried = []

    async def work(_key):
        tried.append(_now())
        if len(tried) > 1:
            return
        error = ApiError("POST", "/x", 429, "later", retry_after_seconds=7.0)
        if as_cause:
            raise LlmoptError("refused") from error
        raise error

    _work_for(60, work)
    assert len(tried) == 2
    assert tried[1] - tried[0] >= 7.0


def test_how_long_a_key_waited_is_reported_when_it_is_worked_on():
    """Of three keys for one worker, each waited for the work on those before it."""

    async def run():
        waited = []

        async def work(_key):
            await asyncio.sleep(10)

        queue = KeyedQueue(work, lane=lambda _key: "one", workers=1, waited=waited.append)
        running = asyncio.create_task(queue.run())
        for number in range(3):
            queue.add(number)
        await asyncio.sleep(60)
        running.cancel()
        return waited

    assert virtual_time.run(run()) == pytest.approx([0.0, 10.0, 20.0], abs=0.5)
