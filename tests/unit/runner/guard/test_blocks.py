"""The guard around a block of a user's own code."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
from fakes.memory_devices import FakeDevice

from llmopt_runner.guard import MemoryRanOut, NotEnoughMemory, blocks, memory_guard
from llmopt_runner.guard.levels import Level


@pytest.fixture(autouse=True)
def interruptible():
    """Give Ctrl-C its meaning, which a shell takes from what it starts in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _full(device, used):
    device.used, device.held = used, {os.getpid(): used}


def test_a_block_that_fits_runs_and_has_a_reading():
    """On this machine's real memory: what the block took is in the reading."""
    with memory_guard("a list", required_gib=0.05) as guard:
        held = bytearray(48 * 2**20)
        guard.check()
    assert guard.reading.engine_mib("host") >= 48
    assert guard.reading.level <= Level.EMERGENCY
    del held


def test_a_block_that_does_not_fit_is_not_begun():
    """One error: what is required, what is free, who holds the rest."""
    device = FakeDevice(4096, 3000)
    device.held = {77: 2900.0}
    begun = []
    with (
        pytest.raises(
            NotEnoughMemory, match=r"big requires 2048 MiB of host, and 1096 of 4096 MiB are free.*pid 77"
        ),
        memory_guard("big", required_gib=2, devices=[device]),
    ):
        begun.append(1)
    assert not begun


def test_a_block_is_not_begun_at_emergency():
    """A device that is at EMERGENCY already has no memory for a block that requires nothing either."""
    begun = []
    with (
        pytest.raises(NotEnoughMemory, match=r"which is EMERGENCY already, and 10 of 1000 MiB are free"),
        memory_guard("late", required_gib=0, devices=[FakeDevice(1000, 990)]),
    ):
        begun.append(1)
    assert not begun


class _FillingDevice(FakeDevice):
    """Full from the third look on: the guard takes the first, the check of the memory the second."""

    looks = 0

    def occupancy(self):
        self.looks += 1
        if self.looks > 2:
            _full(self, 990)
        return super().occupancy()


def test_an_emergency_while_a_block_begins_is_classified():
    """A device that fills between the check and the first sample raises the classified error, not Ctrl-C."""
    begun = []
    with (
        pytest.raises(MemoryRanOut, match="EMERGENCY"),
        memory_guard("sudden", required_gib=0, devices=[_FillingDevice(1000, 10)]),
    ):
        begun.append(1)
    assert not begun


def test_check_ends_a_block_gracefully():
    """At CRITICAL the block learns it at the next place where it asks."""
    device = FakeDevice(1000, 10)
    with memory_guard("steps", required_gib=0, devices=[device]) as guard:
        guard.check()
        _full(device, 920)
        guard._guard.sample()
        with pytest.raises(MemoryRanOut, match=r"steps: memory of host reached CRITICAL: 920 of 1000 MiB"):
            guard.check()


def _waiting_child():
    return subprocess.Popen((sys.executable, "-I", "-S", "-c", "input()"), stdin=subprocess.PIPE)


def _hungry(children):
    """Run a block that starts a child, fills the device and then only waits."""
    device = FakeDevice(1000, 10)
    with memory_guard("hungry", required_gib=0, devices=[device]):
        children.append(_waiting_child())
        _full(device, 990)
        threading.Event().wait(30)  # which nobody sets


def _blind(children, monkeypatch, find):
    """As `_hungry`, but once the child was seen, `find` stands for what finds processes."""
    device = FakeDevice(1000, 10)
    with memory_guard("blind", required_gib=0, devices=[device]) as guard:
        children.append(_waiting_child())
        guard._guard._known_at = float("-inf")
        guard._guard.sample()
        monkeypatch.setattr(blocks, "_own_processes", find)
        monkeypatch.setattr(guard._guard, "_pids", find)
        _full(device, 990)
        threading.Event().wait(30)  # which nobody sets


def test_an_emergency_ends_the_block():
    """At EMERGENCY a block that only waits is interrupted; its error says why, and its children are gone."""
    children = []
    began_at = time.monotonic()
    with pytest.raises(MemoryRanOut, match="EMERGENCY"):
        _hungry(children)
    assert time.monotonic() - began_at < 20
    children[0].communicate()
    assert children[0].returncode == -signal.SIGKILL


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), OSError(errno.EMFILE, "Too many open files")])
def test_processes_that_cannot_be_found_end_with_the_block_all_the_same(monkeypatch, error):
    """A child that was seen before is killed, and the block is interrupted."""

    def refused():
        raise error

    children = []
    with pytest.raises(MemoryRanOut, match="EMERGENCY"):
        _blind(children, monkeypatch, refused)
    children[0].communicate()
    assert children[0].returncode == -signal.SIGKILL


def test_a_child_from_before_the_block_is_left_alone():
    """Only what the block started is the block's to lose."""
    with _waiting_child() as earlier:
        children = []
        with pytest.raises(MemoryRanOut):
            _hungry(children)
        children[0].communicate()
        assert earlier.poll() is None
        earlier.communicate(b"\n")


def test_a_block_in_another_thread_is_not_interrupted():
    """There is no safe way to: it ends by itself, and then raises."""
    device = FakeDevice(1000, 10)
    raised = []

    def block():
        try:
            with memory_guard("thread", required_gib=0, devices=[device]) as guard:
                _full(device, 990)
                guard._guard.sample()
        except MemoryRanOut as error:
            raised.append(str(error))

    thread = threading.Thread(target=block)
    thread.start()
    thread.join()
    assert "EMERGENCY" in raised[0]


def test_a_real_ctrl_c_stays_one():
    """What a person interrupts is not called a lack of memory."""
    with pytest.raises(KeyboardInterrupt), memory_guard("fine", required_gib=0, devices=[FakeDevice()]):
        raise KeyboardInterrupt


def test_an_error_of_the_block_is_its_own():
    """Another error passes through."""
    with pytest.raises(ZeroDivisionError), memory_guard("fine", required_gib=0, devices=[FakeDevice()]):
        raise ZeroDivisionError
