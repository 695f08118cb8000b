"""The memory of processes."""

import os
import subprocess
import sys

import pytest

from llmopt_runner.host.usage import resident_mib, started_at, tree_mib

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
    assert resident_mib((process.pid,)) == 0
    assert started_at(process.pid) is None


def test_a_process_is_identified_by_its_start(holder):
    """An id that is used again has another time of start."""
    assert started_at(os.getpid()) <= started_at(holder(1).pid)


def test_resident_sets_count_shared_pages_for_each(holder):
    """The quick sum is never below the exact one."""
    pids = (holder(32).pid, holder(48).pid)
    assert 80 <= tree_mib(pids) <= resident_mib(pids) < 160
