"""A process with much memory and many threads is killed: memory is waited for, and no leak is invented."""

import os
import signal
import time

import gpu_facts
from fakes.gpu_engine import GpuEngine
from fakes.gpu_memory import holding

_THREADS = 16


def test_when_what_is_gone(python, gpu, finding, monkeypatch):
    """The memory is free again, and the process listed no more, within the patience of the leak check."""
    monkeypatch.setattr(gpu_facts, "PYTHON", str(python))
    found = gpu_facts.kill()
    finding(found)
    gone = found["ms after SIGKILL"]
    assert gone["the memory is free"] < 30_000
    assert gone["the other tasks are gone"] < 30_000
    assert abs(found["left MiB"]) < 64


def test_a_killed_engine_is_no_leak_beside_a_neighbour(python, loaded, gpu, finding):
    """An engine with most of the GPU dies of SIGKILL beside another process: no leak is reported."""
    mib = min(60 * 1024, int(gpu.occupancy().free_mib * 0.7))
    with holding(python, 2048):
        slot, server = loaded(GpuEngine(python, threads=_THREADS), orders=f"mib:{mib}")
        began_at = time.monotonic()
        for pid in server.pids():
            os.kill(pid, signal.SIGKILL)
        slot.close()
        seconds = time.monotonic() - began_at
        left = slot.memory.take_warnings()
        finding({"held MiB": mib, "closed after seconds": seconds, "left": left})
        assert not left
        assert gpu.used_mib() < mib
