"""Memory that does not come back after a stop, and whose it is."""

import os

from fakes.memory_devices import FakeDevice

from llmopt_runner.memory.leaks import LeakCheck
from llmopt_runner.memory.usage import started_at

ME = os.getpid()  # stands for a process of the engine that survived
ENGINE = {ME: started_at(ME), 999_999_901: 1.0}


def _check(device, then):
    """Find the leaks when the device changes as `then` says, at each look a second later."""
    now = [0.0]

    def sleep(_seconds):
        now[0] += 1.0
        then(now[0])

    return LeakCheck([device], clock=lambda: now[0], sleep=sleep)


def test_memory_that_comes_back_is_no_leak():
    """It may take its time, within the patience; small differences are the machine's own."""
    device = FakeDevice(10_000, 1000)
    check = _check(device, lambda now: setattr(device, "used", 1060 if now >= 2 else 5000))
    device.used = 5000
    assert check.find(ENGINE) == []


def test_a_leak_is_reported_with_its_owner():
    """Process, command and size of what survived."""
    device = FakeDevice(10_000, 1000)
    check = _check(device, lambda _now: None)
    device.used, device.held = 1500, {ME: 480.0}
    (leak,) = check.find(ENGINE)
    assert str(leak) == (
        f"the stopped engine left 500 MiB of host taken, held by process-{ME} (pid {ME}) 480 MiB"
    )


def test_a_leak_without_a_process_is_reported_too():
    """Shared memory has no owner that could be named."""
    device = FakeDevice(10_000, 1000)
    check = _check(device, lambda _now: None)
    device.used = 1400
    (leak,) = check.find(ENGINE)
    assert "400 MiB of host taken, held by no process: shared memory" in str(leak)


def test_what_others_took_meanwhile_is_no_leak():
    """Processes that were never the engine's, new ones or grown ones, hold what is theirs."""
    device = FakeDevice(10_000, 1000)
    device.held = {5: 100.0}
    check = _check(device, lambda _now: None)
    device.used, device.held = 2000, {5: 700.0, 6: 400.0}
    assert check.find(ENGINE) == []


def test_a_new_process_of_an_old_id_is_not_the_engines():
    """The time of its start tells a process from a later one of the same id."""
    device = FakeDevice(10_000, 1000)
    check = _check(device, lambda _now: None)
    device.used, device.held = 1500, {ME: 500.0}
    assert check.find({ME: started_at(ME) - 100}) == []


def test_a_device_that_cannot_be_read_has_no_leaks():
    """Nothing is said of what is not known."""
    device = FakeDevice(10_000, 1000)
    device.readable = False
    check = _check(device, lambda _now: None)
    device.readable = True
    device.used = 5000
    assert check.find(ENGINE) == []
