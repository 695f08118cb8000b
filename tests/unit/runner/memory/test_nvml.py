"""GPUs by NVML. The library is a fake: no GPU is here; tests/gpu has the real one."""

import os

import pytest
from fakes.memory_devices import FakeNvml

from llmopt_runner.memory.nvml import VISIBLE_VARIABLE, visible_gpus
from llmopt_runner.memory.occupancy import DeviceUnreadable


def _totals(nvml, visible=None):
    environment = {} if visible is None else {VISIBLE_VARIABLE: visible}
    return [gpu.total_mib() for gpu in visible_gpus(environment, nvml)]


@pytest.mark.parametrize(
    ("visible", "totals"),
    [
        (None, [1000, 2000]),
        ("", []),
        ("-1", []),
        ("1", [2000]),
        ("1,0", [2000, 1000]),
        ("0,7,1", [1000]),
        ("GPU-bbbb", [2000]),
        ("GPU-b", [2000]),
        ("GPU-", []),
        ("GPU-zzzz,0", []),
        ("0,0", []),
        ("0,GPU-aaaa", []),
    ],
)
def test_the_gpus_that_cuda_would_see(visible, totals):
    """As in CUDA, an unknown entry ends the list, and a GPU that is named twice empties it."""
    assert _totals(FakeNvml(), visible) == totals


@pytest.mark.parametrize(
    ("visible", "totals"),
    [
        (None, [1000, 500]),
        ("1", [500]),
        ("MIG-2222", [500]),
        ("MIG-2222,MIG-1111", [500, 500]),
        ("MIG-9", []),
    ],
)
def test_slices_of_a_divided_gpu(visible, totals):
    """A slice is named by its id; a divided GPU that is named itself is its first slice."""
    assert _totals(FakeNvml(divided=True), visible) == totals


def test_a_machine_without_a_driver_has_no_gpus():
    """NVML may be installed where no driver is."""
    assert visible_gpus({}, FakeNvml(driver=False)) == ()


def test_who_holds_a_gpus_memory():
    """Processes count with what they hold; one that NVML gives no number for holds nothing that is known."""
    nvml = FakeNvml((("GPU-a", 1000),))
    (gpu,) = visible_gpus({}, nvml)
    nvml.gpus[0].processes = [(os.getpid(), 300), (999_999_999, 50), (1, None)]
    assert gpu.used_by_mib((os.getpid(), 1)) == 300
    assert [(holder.pid, holder.mib) for holder in gpu.holders()] == [(os.getpid(), 300), (999_999_999, 50)]
    assert gpu.holders()[1].command == "unknown"
    assert (gpu.name, gpu.kind, gpu.used_mib(), gpu.oom_kills()) == ("gpu0", "gpu", 100, 0)


def test_a_gpu_that_is_lost_is_unreadable():
    """An error of NVML is the device's, with its name."""
    nvml = FakeNvml((("GPU-a", 1000),))
    (gpu,) = visible_gpus({}, nvml)
    nvml.lost = True
    with pytest.raises(DeviceUnreadable, match=r"gpu0.*GPU is lost"):
        gpu.occupancy()


def test_energy_is_told_where_it_is_counted():
    """Joules since the driver was loaded; nothing where the GPU does not count."""
    nvml = FakeNvml((("GPU-a", 1000),))
    (gpu,) = visible_gpus({}, nvml)
    assert gpu.energy_joules() is None
    nvml.gpus[0].millijoules = 12_500
    assert gpu.energy_joules() == 12.5
