import asyncio
import threading

import pytest
from fakes.loops import until

from llmopt_core.metrics.catalog import MetricNotFound
from llmopt_core.storage.errors import (
    EnqueueInvalid,
    StorageUnavailable,
    StorageUnusable,
    StudyDropped,
    StudyNotFound,
    StudyUnreadable,
)
from llmopt_operator.adapters.slots import Slot, StorageProblem, Threads


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def _raises(error):
    def work():
        raise error

    return work


async def _fails(slot, work, **how):
    with pytest.raises(StorageProblem) as caught:
        await slot.run(work, **how)
    return caught.value.problem


@pytest.mark.parametrize(
    ("error", "reason", "pauses"),
    [
        (StorageUnavailable("away"), "StorageUnavailable", True),
        (StorageUnusable("broken"), "StorageUnusable", True),
        (StudyUnreadable("garbage"), "StudyUnreadable", False),
        (StudyNotFound("dropped by hand"), "StudyUnreadable", False),
        (StudyDropped("a trigger said SQLSTATE 23503"), "StudyUnreadable", False),
        (MetricNotFound("an objective that nobody knows"), "StudyUnreadable", False),
        (EnqueueInvalid("nobody asked for that"), "StudyUnreadable", False),
        (KeyError("garbage"), "StudyUnreadable", False),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), "StudyUnreadable", False),
        (RecursionError("deep"), "StudyUnreadable", False),
        (AssertionError("ours"), "StudyUnreadable", False),
    ],
)
def test_every_error_is_a_problem_of_its_namespace(error, reason, pauses):
    """Whatever a database makes our code raise becomes a StorageProblem; a pause follows where it failed."""

    async def story():
        clock = Clock()
        slot = Slot("team-a", Threads(2), clock)
        problem = await _fails(slot, _raises(error))
        assert problem.reason == reason
        if not pauses:
            assert await slot.run(lambda: 7) == 7
            return
        assert (await _fails(slot, lambda: 7)).reason == reason  # it is not asked
        clock.now += 2.0
        assert await slot.run(lambda: 7) == 7

    asyncio.run(story())


def test_an_error_of_the_manifest_passes():
    """What a caller expects of a resource, and not of its storage, is raised, and nothing is paused."""

    async def story():
        slot = Slot("team-a", Threads(2), Clock())
        with pytest.raises(EnqueueInvalid):
            await slot.run(_raises(EnqueueInvalid("no")), expected=(EnqueueInvalid,))
        assert await slot.run(lambda: 7) == 7

    asyncio.run(story())


def test_after_a_pause_one_look_decides():
    """Those that waited while the first look after a pause failed are refused, and ask nothing themselves."""

    async def story():
        clock = Clock()
        slot = Slot("team-a", Threads(2), clock)
        await _fails(slot, _raises(StorageUnavailable("away")))
        clock.now += 2.0
        asked = []

        def look():
            asked.append(1)
            raise StorageUnavailable("still away")

        problems = await asyncio.gather(*(_fails(slot, look) for _ in range(5)))
        assert [problem.message for problem in problems] == ["still away"] * 5
        assert len(asked) == 1

    asyncio.run(story())


def test_a_stuck_thread_keeps_its_own_namespace_only():
    """Stuck: a thread. Its namespace fails until the thread ends; others, and its own later work, go on."""

    async def story():
        clock, threads, hold = Clock(), Threads(2), threading.Event()
        stuck, other = Slot("team-a", threads, clock), Slot("team-b", threads, clock)
        problem = await _fails(stuck, hold.wait, seconds=0.01)
        assert "did not answer within" in problem.message
        assert await other.run(lambda: 7) == 7
        clock.now += 2.0
        assert "has not ended" in (await _fails(stuck, lambda: 7)).message
        assert await other.run(lambda: 8) == 8
        hold.set()
        await until(stuck._stuck.done)
        clock.now += 4.0
        assert await stuck.run(lambda: 9) == 9
        assert stuck.is_quiet

    asyncio.run(story())


def test_one_namespace_has_one_thread():
    """However much work a namespace has, it takes one of the threads."""

    async def story():
        threads, hold, began = Threads(3), threading.Event(), []
        busy, other = Slot("team-a", threads, Clock()), Slot("team-b", threads, Clock())

        def work():
            began.append(1)
            return hold.wait(10)

        waiting = [asyncio.create_task(busy.run(work)) for _ in range(10)]
        await until(lambda: began)
        assert await other.run(lambda: 7) == 7
        assert len(began) == 1
        hold.set()
        assert all(await asyncio.gather(*waiting))

    asyncio.run(story())


def test_databases_that_failed_take_a_quarter_of_the_threads():
    """However many databases hang whenever they are asked again, others find a thread at once."""

    async def story():
        clock, threads, hold = Clock(), Threads(8), threading.Event()
        failing = [Slot(f"team-{number}", threads, clock) for number in range(20)]
        for slot in failing:
            await _fails(slot, _raises(StorageUnavailable("away")))
        clock.now += 2.0
        began = []

        def hang():
            began.append(1)
            return hold.wait(10)

        waiting = [asyncio.create_task(slot.run(hang)) for slot in failing]
        await until(lambda: len(began) == 2)
        assert await asyncio.wait_for(Slot("team-z", threads, clock).run(lambda: 7), 5) == 7
        assert len(began) == 2
        hold.set()
        assert all(await asyncio.gather(*waiting))
        assert len(began) == 20

    asyncio.run(story())


def test_databases_that_hang_for_the_first_time_leave_their_places_to_others():
    """They wait in further threads after a while, and give these back when they end."""

    async def story():
        threads, hold, began = Threads(3, late=3, late_seconds=0.01), threading.Event(), []

        def hang():
            began.append(1)
            return hold.wait(10)

        for _ in range(2):
            hold.clear()
            began.clear()
            hanging = [Slot(f"team-{number}", threads, Clock()) for number in range(5)]
            waiting = [asyncio.create_task(slot.run(hang)) for slot in hanging]
            await until(lambda: len(began) == 5)
            assert await asyncio.wait_for(Slot("team-z", threads, Clock()).run(lambda: 7), 5) == 7
            hold.set()
            assert all(await asyncio.gather(*waiting))

    asyncio.run(story())
