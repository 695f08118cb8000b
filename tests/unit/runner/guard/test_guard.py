"""What the guard does at each level, on devices whose numbers the test sets."""

import errno
import time

import psutil
import pytest
from fakes.memory_devices import FakeDevice

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass
from llmopt_runner.guard import guard as guards
from llmopt_runner.guard import watched
from llmopt_runner.guard.guard import MemoryGuard
from llmopt_runner.guard.levels import GpuReserve, Level, Thresholds

ENGINE, OTHER = 999_999_901, 999_999_902


class Guarded:
    """A guard over `devices`, with what it did."""

    def __init__(self, *devices, **changes):
        self.now = 0.0
        self.pids = (ENGINE,)
        self.fault = None  # what looking for the processes raises
        self.done = []
        self.guard = MemoryGuard(
            devices,
            Thresholds(),
            self._find,
            lambda: self.done.append("kill"),
            stop=lambda: self.done.append("stop"),
            clock=lambda: self.now,
            **changes,
        )

    def _find(self):
        if self.fault is not None:
            raise self.fault
        return self.pids

    def at(self, device, used, held):
        device.used, device.held = used, {**device.held, ENGINE: held}
        self.now += 1.0
        return self.guard.sample()


@pytest.fixture(autouse=True)
def resident(monkeypatch):
    """The quick look at an incident reads processes that are not there: the engine's held memory stands."""
    device = {}
    monkeypatch.setattr(watched, "resident_mib", lambda _pids: device.get("mib", 1e9))
    return device


@pytest.mark.parametrize(
    ("used", "level", "done"),
    [
        (799, Level.SAFE, []),
        (800, Level.WARNING, []),
        (900, Level.CRITICAL, ["stop"]),
        (950, Level.EMERGENCY, ["kill"]),
        (1000, Level.EMERGENCY, ["kill"]),
    ],
)
def test_each_level_has_its_action(used, level, done):
    """Warned only; no new requests; killed at once."""
    device = FakeDevice(1000)
    guarded = Guarded(device)
    assert guarded.at(device, used, used) is level
    assert guarded.done == done
    assert guarded.guard.exceeded == bool(done)


def test_an_incident_is_acted_on_until_the_end():
    """What was asked for once is asked again, for its first time may have come too early; it counts once."""
    device = FakeDevice(1000)
    guarded = Guarded(device)
    guarded.at(device, 920, 920)
    guarded.at(device, 100, 100)
    assert guarded.done == ["stop", "stop"]
    guarded.at(device, 960, 960)
    guarded.at(device, 0, 0)
    assert guarded.done == ["stop", "stop", "kill", "kill"]
    assert guarded.guard.reading().actions == ("stop", "kill")


def test_the_failure_says_who_held_what():
    """Level, numbers, the configuration's own parameters and what to lower stand in it."""
    device = FakeDevice(1000)
    guarded = Guarded(device)
    guarded.at(device, 960, 900)
    failure = guarded.guard.failure(LLAMACPP.memory.words({"n_ctx": 65_536, "n_parallel": 8, "threads": 2}))
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "host reached EMERGENCY: 960 of 1000 MiB (96 %)" in failure.message
    assert "960 MiB of it by the engine (n_ctx 65536, n_parallel 8)" in failure.message
    assert "n_ctx (now 65536)" in failure.suggestion


def test_memory_that_others_hold_is_not_the_engines_fault(resident):
    """Where others hold most of it, the trial is to be run again, and the others are named."""
    device = FakeDevice(1000)
    device.held = {OTHER: 800.0}
    resident["mib"] = 100
    guarded = Guarded(device)
    guarded.at(device, 950, 100)
    failure = guarded.guard.failure(MemoryWords())
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert f"process-{OTHER} (pid {OTHER}) 800 MiB" in failure.message
    assert "100 MiB of it by the engine" in failure.message


def test_what_is_reserved_of_gpus_is_not_reserved_of_the_host():
    """Main memory is judged as a whole."""
    host = FakeDevice(1000)
    assert Guarded(host, reserve=GpuReserve(0.9)).at(host, 930, 930) is Level.CRITICAL


def test_peaks_by_window_and_for_life():
    """A window has its own peaks and metrics; the guard's life has all of them."""
    host = FakeDevice(1000)
    guarded = Guarded(host)
    guarded.at(host, 700, 600)
    guarded.at(host, 300, 200)
    with guarded.guard.window() as reading:
        guarded.at(host, 350, 250)
        guarded.at(host, 310, 210)
    assert reading().metrics() == {"peak_memory_mib": 250}
    assert reading().energy_joules is None
    assert guarded.guard.reading().engine_mib("host") == 600
    assert reading().facts()["devices"]["host"]["peak_used_mib"] == 350


def test_a_kill_by_the_kernel_is_found():
    """The kernel may be quicker than any sampling: its counter shows it, with what was seen last."""
    device = FakeDevice(1000)
    device.kills = 4
    guarded = Guarded(device)
    guarded.at(device, 300, 250)
    assert guarded.guard.failure(MemoryWords()) is None
    device.kills = 5
    failure = guarded.guard.failure(LLAMACPP.memory.words({"n_ctx": 1}))
    assert failure.error_class is ErrorClass.HOST_OUT_OF_MEMORY
    assert "the kernel killed 1 process for memory; at most 300 of 1000 MiB" in failure.message


def test_the_processes_are_looked_up_once_a_second():
    """Finding them costs more than reading them; those that were seen are remembered with their start."""
    device = FakeDevice(1000)
    guarded = Guarded(device)
    guarded.at(device, 10, 10)
    guarded.pids = (OTHER,)
    device.held = {ENGINE: 10.0, OTHER: 77.0}
    guarded.now += 0.5
    guarded.guard.sample()
    assert guarded.guard.current_mib == 10
    guarded.now += 0.5
    guarded.guard.sample()
    assert guarded.guard.current_mib == 77


def test_sampling_goes_on_by_itself_and_ends():
    """The thread sees what happens in the block, acts, and ends with it."""
    device = FakeDevice(1000)
    guarded = Guarded(device)
    with guarded.guard:
        device.used = 960
        _until(lambda: guarded.done)
    assert guarded.done[0] == "kill"
    assert not guarded.guard._thread.is_alive()


TOO_MANY_FILES = OSError(errno.EMFILE, "Too many open files")


class Faulty(FakeDevice):
    """Raises `fault` where one is set, and counts the looks."""

    fault, looks = None, 0

    def occupancy(self):
        self.looks += 1
        if self.fault is not None:
            raise self.fault
        return super().occupancy()

    def holders(self):
        raise TOO_MANY_FILES


def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


@pytest.mark.parametrize("fault", [psutil.AccessDenied(1), TOO_MANY_FILES])
def test_what_cannot_be_looked_at_prevents_no_kill(fault):
    """The engine is killed with what was seen of it last; who else holds memory is not known then."""
    device = Faulty(1000)
    guarded = Guarded(device)
    guarded.at(device, 500, 500)
    guarded.fault = fault
    assert guarded.at(device, 960, 960) is Level.EMERGENCY
    assert guarded.done == ["kill"]
    assert guarded.guard.processes == (ENGINE,)
    assert (guarded.guard.incident.engine_mib, guarded.guard.incident.others) == (960, ())


def test_a_device_that_fails_hides_no_other():
    """What of a GPU's library is missing does not keep main memory from being acted on."""
    broken, device = Faulty(1000), FakeDevice(1000)
    guarded = Guarded(broken, device)
    broken.fault = AttributeError("no such function")
    guarded.at(device, 960, 960)
    assert guarded.done == ["kill"]


def test_no_error_ends_the_sampling(caplog):
    """A look that fails is tried again and is one line in the log; then an emergency is acted on."""
    device = Faulty(1000)
    guarded = Guarded(device)
    with guarded.guard:
        device.fault, seen = RuntimeError("a driver"), device.looks
        _until(lambda: device.looks > seen + 3)
        device.fault, device.used = None, 960
        _until(lambda: guarded.done)
    assert caplog.text.count("a look at host failed, it is tried again: RuntimeError: a driver") == 1


def test_a_kill_that_fails_is_tried_again():
    """An error of the order itself does not end the thread that gives it."""
    device = FakeDevice(1000)
    tries = []

    def kill():
        tries.append(device.used)
        raise TOO_MANY_FILES

    with MemoryGuard([device], Thresholds(), tuple, kill):
        device.used = 960
        _until(lambda: len(tries) > 2)


def test_without_devices_nothing_runs():
    """An endpoint elsewhere has no memory here to be watched."""
    guarded = Guarded()
    with guarded.guard as guard:
        assert guard._thread is None
        assert (guard.level, guard.total_mib, guard.current_mib) == (Level.SAFE, None, 0)


def test_the_less_is_left_the_shorter_the_pause():
    """Far from the limit it looks seven times a second, near it a hundred times."""
    device = FakeDevice(100_000)
    guarded = Guarded(device)
    guarded.at(device, 50_000, 1)
    assert guarded.guard._pause() == 0.15
    guarded.at(device, 94_500, 1)
    assert guarded.guard._pause() == pytest.approx(500 / 8192)
    guarded.at(device, 99_000, 1)
    assert guarded.guard._pause() == 0.01


def test_sampling_takes_half_a_hundredth_of_a_core_each(monkeypatch):
    """What is expensive is done less often: the levels and the engine's share each have their part."""
    spent = iter([0.0, 0.5, 0.5, 2.5])
    monkeypatch.setattr(guards.time, "thread_time", lambda: next(spent))
    device = FakeDevice(1000)
    guarded = Guarded(device)
    pauses = []

    def wait(pause):
        pauses.append(pause)
        return len(pauses) == 2

    monkeypatch.setattr(guarded.guard._ended, "wait", wait)
    guarded.guard._run()
    assert pauses == [0.0, pytest.approx((0.5 - 0.05) / 0.005)]
    assert guarded.guard._weigh_at == pytest.approx(400)


def test_saved_time_is_for_a_crisis():
    """Cheap looks save; then many may follow each other, until the savings are spent."""
    allowance = guards._Allowance(0.0)
    assert allowance.rest(0.03, 0.0) == 0
    assert allowance.rest(0.03, 0.0) == pytest.approx(0.01 / 0.005)
    assert allowance.rest(0.0, 1000.0) == 0
    assert allowance.rest(0.06, 1000.0) == pytest.approx(0.01 / 0.005)
