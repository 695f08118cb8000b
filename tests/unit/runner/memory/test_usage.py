"""Sampling the memory of a process tree."""

import subprocess
import sys
import time

import pytest

from llmopt_runner.memory import usage
from llmopt_runner.memory.usage import ProcessTreeMemory, total_mib, tree_mib

MIB = 1024 * 1024
_HOLD = "import sys; held = bytearray({mib} * 1048576); print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def holder():
    """Start processes that hold a known amount of memory."""
    started = []

    def start(mib):
        process = subprocess.Popen(
            (sys.executable, "-I", "-S", "-c", _HOLD.format(mib=mib)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        process.communicate()


def test_the_memory_of_a_process_is_what_it_holds(holder):
    """One process counts with its resident set."""
    assert 64 <= tree_mib((holder(64).pid,)) < 96


def test_the_memory_of_several_is_their_sum(holder):
    """A tree counts whole; what its processes share counts once."""
    pids = (holder(32).pid, holder(48).pid)
    assert 80 <= tree_mib(pids) < 112


def test_a_process_that_is_gone_counts_nothing(holder):
    """A process may end between two looks."""
    process = holder(1)
    process.communicate()
    assert tree_mib((process.pid,)) == 0
    assert tree_mib((process.pid, process.pid)) == 0


def test_the_peak_stays_when_the_memory_goes(holder):
    """The peak is kept after the process that held it is gone; the current value falls."""
    process = holder(64)
    now = [0.0]
    with ProcessTreeMemory(lambda: (process.pid,), interval_seconds=60, clock=lambda: now[0]) as memory:
        assert 64 <= memory.current_mib < 96
        process.communicate()
        assert memory.sample() == 0
    assert 64 <= memory.peak_mib < 96
    assert memory.current_mib == 0


def test_the_tree_is_looked_up_once_a_second(holder):
    """Processes that come later count from the next look at the tree on."""
    first, second = holder(8), holder(32)
    known, now = [first.pid], [0.0]
    with ProcessTreeMemory(lambda: tuple(known), interval_seconds=60, clock=lambda: now[0]) as memory:
        known.append(second.pid)
        assert memory.sample() < 30
        now[0] = 1.0
        assert memory.sample() > 40


def test_sampling_goes_on_by_itself(holder):
    """The thread sees what happens in the block, and ends with it."""
    now = iter(range(1_000_000))
    processes = []
    with ProcessTreeMemory(
        lambda: tuple(processes), interval_seconds=0.001, clock=lambda: next(now)
    ) as memory:
        assert memory.peak_mib == 0
        processes.append(holder(16).pid)
        deadline = time.monotonic() + 10
        while memory.peak_mib < 16:
            assert time.monotonic() < deadline
    assert not memory._thread.is_alive()


def test_sampling_rests_a_hundred_times_as_long_as_it_works(monkeypatch):
    """A sample that is expensive is taken less often: never more than a hundredth of a core."""
    spent = iter([0.0, 0.5])
    monkeypatch.setattr(usage.time, "thread_time", lambda: next(spent))
    memory = ProcessTreeMemory(lambda: ())
    pauses = []

    def wait(pause):
        pauses.append(pause)
        return len(pauses) == 2

    monkeypatch.setattr(memory._ended, "wait", wait)
    memory._run()
    assert pauses == [0.15, 50.0]


def test_a_container_has_what_it_is_limited_to(monkeypatch, tmp_path):
    """The total is the smaller of the host's memory and the container's limit; `max` is none."""
    limits = tmp_path / "memory.max", tmp_path / "absent"
    monkeypatch.setattr(usage, "_CGROUP_LIMITS", limits)
    limits[0].write_text("max\n")
    unlimited = total_mib()
    limits[0].write_text(f"{512 * MIB}\n")
    assert total_mib() == 512 < unlimited
