"""What the guard does about GPUs, whose NVML is a stand-in below pynvml."""

import pynvml
import pytest
from fakes.memory_devices import FakeDevice
from fakes.nvml_library import Gpu, Pids, install

from llmopt_core.engines.memory_parameters import MemoryWords
from llmopt_core.errors.classes import ErrorClass
from llmopt_runner.guard.guard import MemoryGuard
from llmopt_runner.guard.levels import GpuReserve, Level, Thresholds
from llmopt_runner.host.gpu_conditions import HEAT, POWER, GpuCondition
from llmopt_runner.host.nvml import visible_gpus

ENGINE, NEIGHBOUR = 999_999_901, 999_999_777
H100_MIB = 81_000


class Guarded:
    """A guard over main memory and all GPUs that NVML has, with what it did."""

    def __init__(self, **changes):
        self.now = 0.0
        self.done = []
        self.guard = MemoryGuard(
            [FakeDevice(100_000), *visible_gpus({})],
            Thresholds(),
            lambda: (ENGINE,),
            lambda: self.done.append("kill"),
            stop=lambda: self.done.append("stop"),
            clock=lambda: self.now,
            **changes,
        )

    def look(self):
        self.now += 1.0
        return self.guard.sample()


@pytest.fixture
def nvml(monkeypatch):
    """Plug GPUs in."""
    return lambda *gpus, **how: install(monkeypatch, *gpus, **how)


@pytest.mark.parametrize(
    ("free", "level", "done"),
    [
        (7000, Level.SAFE, []),  # 91 % of it
        (900, Level.WARNING, []),
        (200, Level.CRITICAL, ["stop"]),
        (100, Level.EMERGENCY, ["kill"]),
    ],
)
def test_an_engine_that_fills_its_gpu_is_ended_where_little_is_left(nvml, free, level, done):
    """A share of a large GPU is no danger; the class says which memory it was."""
    gpu = Gpu(total_mib=H100_MIB)
    nvml(gpu)
    guarded = Guarded()
    gpu.hold(ENGINE, H100_MIB - free)
    assert guarded.look() is level
    assert guarded.done == done
    failure = guarded.guard.failure(MemoryWords())
    assert (failure.error_class if failure else None) is (ErrorClass.GPU_OUT_OF_MEMORY if done else None)


@pytest.mark.parametrize(
    ("reserve", "level"), [(GpuReserve(), Level.CRITICAL), (GpuReserve(0.99), Level.SAFE)]
)
def test_what_an_engine_takes_on_purpose_is_no_danger(nvml, reserve, level):
    """Also while it loads, and whatever is left of a small GPU."""
    gpu = Gpu(total_mib=24_000)
    nvml(gpu)
    guarded = Guarded(reserve=reserve)
    gpu.hold(ENGINE, 24_000 - 200)
    assert guarded.look() is level


def test_a_neighbour_that_fills_another_gpu_ends_nothing(nvml):
    """A GPU that the engine does not use is warned of; the engine on the other one lives."""
    first, second = Gpu("GPU-a", H100_MIB), Gpu("GPU-b", H100_MIB)
    nvml(first, second)
    guarded = Guarded()
    second.hold(ENGINE, 20_000)
    first.hold_elsewhere(NEIGHBOUR, 999_999_777, growth_mib=5_000)
    for _ in range(4):
        guarded.look()
    assert guarded.guard.now()["gpu0"][1] is Level.WARNING
    assert guarded.done == []
    assert guarded.guard.shares_mib() == {"host": 0.0, "gpu0": 0.0, "gpu1": 20_000.0}


def test_a_context_on_another_gpu_does_not_make_it_the_engines(nvml):
    """An engine may hold a driver's context on GPUs that it does not use."""
    first, second = Gpu("GPU-a", H100_MIB), Gpu("GPU-b", H100_MIB)
    nvml(first, second)
    guarded = Guarded()
    second.hold(ENGINE, 20_000)
    first.hold(ENGINE, 600)
    first.hold_elsewhere(NEIGHBOUR, 80_300)
    guarded.look()
    assert guarded.done == []
    assert guarded.guard.reading().gpus() == (1, 2)


def test_a_neighbour_that_grows_is_to_blame(nvml):
    """Where others hold most of the engine's GPU, the trial is run again, and they are named."""
    gpu = Gpu(total_mib=H100_MIB)
    nvml(gpu)
    guarded = Guarded()
    gpu.hold(ENGINE, 20_000)
    gpu.hold_elsewhere(NEIGHBOUR, 55_000, growth_mib=2_000)
    while not guarded.done:
        guarded.look()
    failure = guarded.guard.failure(MemoryWords())
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert f"(pid {NEIGHBOUR})" in failure.message
    assert "20000 MiB of it by the engine" in failure.message


@pytest.mark.parametrize("pids", [Pids.HOST, Pids.WITHOUT_MEMORY])
def test_in_a_container_what_was_added_is_the_engines(nvml, pids):
    """On a GPU that was nobody's before, whether NVML knows only other ids or no memory."""
    gpu = Gpu(total_mib=H100_MIB)
    nvml(gpu, pids=pids)
    guarded = Guarded()
    gpu.hold(ENGINE, 30_000)
    guarded.look()
    assert guarded.guard.reading().engine_mib("gpu") == 30_000


@pytest.mark.parametrize("pids", [Pids.HOST, Pids.WITHOUT_MEMORY])
def test_a_neighbours_growth_is_not_the_engines(nvml, pids):
    """Where NVML does not say what ours hold and others were there before, nothing is guessed or ended."""
    gpu = Gpu(total_mib=H100_MIB)
    gpu.hold_elsewhere(NEIGHBOUR, 30_000)
    nvml(gpu, pids=pids)
    guarded = Guarded()
    gpu.hold(ENGINE, 20_000)
    gpu.hold_elsewhere(NEIGHBOUR, 60_900)
    assert guarded.look() is Level.WARNING
    assert guarded.done == []
    assert guarded.guard.reading().engine_mib("gpu") == 0


@pytest.mark.parametrize("pids", [Pids.OWN, Pids.TRANSLATED])
def test_beside_a_neighbour_that_grows_the_engines_share_stays(nvml, pids):
    """Whether NVML lists the neighbour or only its memory is seen, as on a GPU that is shared in time."""
    gpu = Gpu(total_mib=H100_MIB)
    gpu.hold_elsewhere(NEIGHBOUR, 5_000, growth_mib=2_000)
    nvml(gpu, pids=pids)
    guarded = Guarded()
    gpu.hold(ENGINE, 20_000)
    with guarded.guard.window() as reading:
        for _ in range(3):
            guarded.look()
    assert reading().engine_mib("gpu") == 20_000
    (seen,) = reading().gpu_conditions
    assert seen.others_mib > 9_000
    assert seen.shared


@pytest.mark.parametrize(("free", "done"), [(600, set()), (100, {"kill"})])
def test_a_slice_is_guarded_as_a_gpu_of_its_own(nvml, free, done):
    """What the whole GPU holds, or another slice, is no matter of the engine's; it counts no energy."""
    mine, other = Gpu("MIG-1111", 10_000), Gpu("MIG-2222", 10_000)
    nvml(Gpu("GPU-a", H100_MIB, hidden_mib=H100_MIB, slices={1: mine, 3: other}))
    guarded = Guarded()
    other.hold_elsewhere(NEIGHBOUR, 9_990)
    mine.hold(ENGINE, 10_000 - free)
    with guarded.guard.window() as reading:
        guarded.look()
    assert set(guarded.done) == done
    assert reading().engine_mib("gpu") == 10_000 - free
    assert reading().gpu_conditions == (GpuCondition("gpu0"),)
    assert reading().energy_joules is None


def test_a_gpu_that_fails_hides_no_other(nvml):
    """It keeps what was last seen of it; the other is watched on."""
    first, second = Gpu("GPU-a", H100_MIB), Gpu("GPU-b", H100_MIB)
    nvml(first, second)
    guarded = Guarded()
    first.hold(ENGINE, 30_000)
    second.hold(ENGINE, 30_000)
    guarded.look()
    first.error = pynvml.NVML_ERROR_GPU_IS_LOST
    second.hold(ENGINE, H100_MIB - 100)
    assert guarded.look() is Level.EMERGENCY
    seen, level = guarded.guard.now()["gpu0"]
    assert (seen.used_mib, level) == (30_000, Level.SAFE)


def test_a_gpu_that_was_never_read_is_safe(nvml):
    """What cannot be read at all is not judged."""
    nvml(Gpu(error=pynvml.NVML_ERROR_UNKNOWN))
    assert Guarded().look() is Level.SAFE


def test_the_energy_of_a_measurement_is_that_of_the_engines_gpus(nvml):
    """What other GPUs took meanwhile is not the engine's."""
    first, second = Gpu("GPU-a", H100_MIB, millijoules=0), Gpu("GPU-b", H100_MIB, millijoules=0)
    library = nvml(first, second)
    guarded = Guarded()
    second.hold(ENGINE, 30_000)
    guarded.look()
    with guarded.guard.window() as reading:
        library.calls.clear()
        guarded.look()
        assert "nvmlDeviceGetTotalEnergyConsumption" not in library.calls  # it takes 2.4 ms
        first.millijoules, second.millijoules = 99_000, 30_000
    assert reading().energy_joules == 30
    assert reading().metrics() == {"peak_gpu_memory_mib": 30_000}


def test_the_energy_of_a_shared_gpu_is_not_the_studys(nvml):
    """A neighbour's work is in it, also of one that was there for a moment only."""
    gpu = Gpu(total_mib=H100_MIB, millijoules=0)
    nvml(gpu)
    guarded = Guarded()
    gpu.hold(ENGINE, 30_000)
    with guarded.guard.window() as reading:
        gpu.hold_elsewhere(NEIGHBOUR, 1000)
        guarded.look()
        gpu.processes.pop()
        gpu.millijoules = 30_000
    assert reading().energy_joules is None


def test_how_the_engines_gpu_was_is_reported_with_a_measurement(nvml):
    """Who else was there, what held the clocks back how often, and errors since it began."""
    gpu = Gpu("GPU-a", H100_MIB, ecc_errors=5)
    nvml(gpu, Gpu("GPU-b", H100_MIB, reasons=pynvml.nvmlClocksEventReasonHwThermalSlowdown, ecc_errors=9))
    guarded = Guarded()
    gpu.hold(ENGINE, 30_000)
    guarded.look()
    with guarded.guard.window() as reading:
        guarded.look()
        gpu.reasons = pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonGpuIdle
        gpu.ecc_errors = 6
        gpu.hold_elsewhere(NEIGHBOUR, 1_000)
        guarded.look()
    (seen,) = reading().gpu_conditions
    assert (seen.device, seen.neighbours, seen.others_mib, seen.shared) == ("gpu0", {NEIGHBOUR}, 1_000, True)
    assert 0 < seen.held_back[POWER] < 1
    assert (HEAT in seen.held_back, seen.memory_errors) == (False, 1)


def test_a_quiet_gpu_is_reported_as_quiet(nvml):
    """Nobody else, full clocks, no error."""
    gpu = Gpu(total_mib=H100_MIB)
    nvml(gpu)
    guarded = Guarded()
    gpu.hold(ENGINE, 30_000)
    with guarded.guard.window() as reading:
        guarded.look()
    assert reading().gpu_conditions == (GpuCondition("gpu0"),)
