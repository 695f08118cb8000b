"""Memory that does not come back after a stop, and whose it is."""

import os

import pytest
from fakes.memory_devices import FakeDevice
from fakes.nvml_library import Gpu, Pids, install

from llmopt_runner.guard.leaks import LeakCheck
from llmopt_runner.host.nvml import visible_gpus
from llmopt_runner.host.usage import started_at

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
    """The time of its start distinguishes a process from a later one of the same id."""
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


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that nobody uses, in a container that knows it by its own process ids."""
    gpu = Gpu(total_mib=81_000)
    install(monkeypatch, gpu, pids=Pids.TRANSLATED)
    return gpu


def _gpu_check(gpu, then=lambda _now: None):
    (device,) = visible_gpus({})
    return _check(device, then)


def test_a_gpu_is_waited_for(gpu):
    """Its memory comes back with the last thread of a killed process: half a minute is allowed."""
    check = _gpu_check(gpu, lambda now: setattr(gpu, "hidden_mib", 60_000 if now < 25 else 0))
    gpu.hidden_mib = 60_000
    assert check.find(ENGINE) == []


def test_what_stays_on_a_gpu_is_a_leak(gpu):
    """After that it is reported; a process of the engine that still lives is named."""
    check = _gpu_check(gpu)
    gpu.hold(ME, 500)
    (leak,) = check.find(ENGINE)
    assert (leak.device, leak.mib, [owner.pid for owner in leak.owners]) == ("gpu0", 500, [ME])


def test_memory_under_an_id_of_the_host_is_waited_for(monkeypatch):
    """In a container an id that is nobody's here may be the engine's, and is reported as what it left."""
    gpu = Gpu(total_mib=81_000)
    install(monkeypatch, gpu, pids=Pids.HOST)
    check = _gpu_check(gpu)
    gpu.hold(ME, 500, host_pid=999_999_950)
    (leak,) = check.find({})
    assert leak.mib == 500


@pytest.mark.parametrize("listed", [True, False])
def test_on_a_shared_gpu_a_neighbours_growth_is_no_leak(gpu, listed):
    """Whether the driver lists the neighbour or not: what remains may be its."""
    if listed:
        gpu.hold(1, 3000)
    else:
        gpu.hold_elsewhere(70_000, 3000)
    check = _gpu_check(gpu)
    gpu.hidden_mib = 2000
    assert check.find(ENGINE) == []


def test_page_cache_on_a_gpu_is_no_leak(gpu):
    """On a GPU that is a node of the machine's memory the kernel keeps files there."""
    gpu.numa_node = 1
    check = _gpu_check(gpu)
    gpu.hidden_mib = 2000
    assert check.find(ENGINE) == []
    gpu.hold(ME, 500)
    assert [leak.mib for leak in check.find(ENGINE)] == [500]
