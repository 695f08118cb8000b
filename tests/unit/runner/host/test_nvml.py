"""GPUs by NVML, whose library is a stand-in below pynvml; tests/gpu has the real one."""

import os

import pynvml
import pytest
from fakes.nvml_library import H200_RESERVED_MIB, Gpu, Pids, install

from llmopt_runner.host import nvml
from llmopt_runner.host.nvml import VISIBLE_VARIABLE, assignable_gpus, visible_gpus
from llmopt_runner.host.occupancy import DeviceUnreadable

ME = os.getpid()


def _two():
    return Gpu("GPU-aaaa", 1000), Gpu("GPU-bbbb", 2000)


def _divided():
    """A GPU, and one whose slices 1 and 3 are here: those of other containers leave gaps."""
    slices = {1: Gpu("MIG-1111", 500), 3: Gpu("MIG-2222", 400)}
    return Gpu("GPU-aaaa", 1000), Gpu("GPU-bbbb", 2000, slices=slices)


def _environment(visible):
    return {} if visible is None else {VISIBLE_VARIABLE: visible}


def _totals(visible=None):
    return [gpu.total_mib() for gpu in visible_gpus(_environment(visible))]


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
def test_the_gpus_that_cuda_would_see(monkeypatch, visible, totals):
    """As in CUDA, an unknown entry ends the list, and a GPU that is named twice empties it."""
    install(monkeypatch, *_two())
    assert _totals(visible) == totals


@pytest.mark.parametrize(
    ("visible", "totals"),
    [
        (None, [500]),
        ("0", [1000]),
        ("1", [500]),
        ("0,1", [500]),
        ("MIG-2222", [400]),
        ("MIG-2222,MIG-1111", [400]),
        ("MIG-9", []),
    ],
)
def test_slices_of_a_divided_gpu(monkeypatch, visible, totals):
    """A program sees one slice and beside it no GPU; slices are found whatever their numbers are."""
    install(monkeypatch, *_divided())
    assert _totals(visible) == totals


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ("0", "MIG-1111", "MIG-2222")),
        ("1", ("MIG-1111", "MIG-2222")),
        ("GPU-aaaa", ("0",)),
        ("MIG-2222, MIG-1111", ("MIG-2222", "MIG-1111")),
        ("", ()),
    ],
)
def test_what_programs_can_be_given_one_each(monkeypatch, visible, names):
    """GPUs by their number on the bus, and each slice by its own name; only what the environment names."""
    install(monkeypatch, *_divided())
    assert assignable_gpus(_environment(visible)) == names


@pytest.mark.parametrize(
    ("gpus", "how", "reason"),
    [
        (_two(), {"driver": False}, "NVML says: Driver Not Loaded"),
        (_two(), {"count_error": pynvml.NVML_ERROR_UNKNOWN}, "NVML says: Unknown Error"),
        (_two(), None, "the module pynvml is not installed"),
        ((), {}, "NVML finds none"),
    ],
)
def test_why_there_are_no_gpus_is_logged(monkeypatch, caplog, gpus, how, reason):
    """NVML may be installed where no driver is, and a driver where NVML is not."""
    install(monkeypatch, *gpus, **how or {})
    if how is None:
        monkeypatch.setattr(nvml, "library", lambda: None)
    with caplog.at_level("INFO"):
        assert visible_gpus({}) == ()
    assert caplog.messages == [f"no GPU is watched: {reason}"]
    assert assignable_gpus({}) == ()


@pytest.mark.parametrize("visible", [None, "0,1,2"])
def test_a_handle_that_cannot_be_had_hides_no_other(monkeypatch, visible):
    """The others keep their names, by which their place among all GPUs is known."""
    broken = Gpu("GPU-bbbb", 2000, no_handle=pynvml.NVML_ERROR_GPU_IS_LOST)
    install(monkeypatch, Gpu("GPU-aaaa", 1000), broken, Gpu("GPU-cccc", 3000))
    assert [(gpu.name, gpu.total_mib()) for gpu in visible_gpus(_environment(visible))] == [
        ("gpu0", 1000),
        ("gpu2", 3000),
    ]


def test_a_gpu_that_is_lost_is_unreadable(monkeypatch):
    """An error of NVML is the device's, with its name; the device beside it answers on."""
    lost, other = _two()
    install(monkeypatch, lost, other)
    first, second = visible_gpus({})
    lost.error = pynvml.NVML_ERROR_GPU_IS_LOST
    with pytest.raises(DeviceUnreadable, match=r"gpu0.*GPU is lost"):
        first.occupancy()
    with pytest.raises(DeviceUnreadable, match=r"gpu0.*GPU is lost"):
        first.listed()
    assert second.used_mib() == 0


def test_memory_is_what_programs_have(monkeypatch):
    """What the driver reserves is left out, as torch leaves it out; old drivers left it out by themselves."""
    gpu = Gpu(total_mib=143_771, reserved_mib=H200_RESERVED_MIB, hidden_mib=10)
    install(monkeypatch, gpu)
    (device,) = visible_gpus({})
    assert (device.total_mib(), device.used_mib()) == (143_771 - H200_RESERVED_MIB, 10)
    install(monkeypatch, gpu, lacks=["nvmlDeviceGetMemoryInfo_v2"])
    (device,) = visible_gpus({})
    assert (device.total_mib(), device.used_mib()) == (143_771 - H200_RESERVED_MIB, 10)


@pytest.mark.parametrize(
    ("pids", "listed"),
    [
        (Pids.OWN, {ME: 300, 999_999_999: 50, 70_000: 200}),
        (Pids.HOST, {4711: 300, 4712: 50, 70_000: 200}),
        (Pids.TRANSLATED, {ME: 300, 999_999_999: 50}),
        (Pids.WITHOUT_MEMORY, {ME: None, 999_999_999: None}),
    ],
)
def test_the_processes_that_nvml_lists(monkeypatch, pids, listed):
    """Ids and memory are what the driver gives, a memory that it does not give is not known."""
    gpu = Gpu(total_mib=1000)
    gpu.hold(ME, 300, host_pid=4711)
    gpu.hold(999_999_999, 50, host_pid=4712)
    gpu.hold_elsewhere(70_000, 200)
    install(monkeypatch, gpu, pids=pids)
    (device,) = visible_gpus({})
    assert device.listed() == listed
    assert device.used_by_mib((ME, 1)) == (listed.get(ME) or 0)
    assert device.used_mib() == 550


def test_who_holds_a_gpus_memory(monkeypatch):
    """The largest first, by the command that runs; one that is gone has none."""
    gpu = Gpu(total_mib=1000)
    gpu.hold(999_999_999, 50)
    gpu.hold(ME, 300)
    install(monkeypatch, gpu)
    (device,) = visible_gpus({})
    assert [(holder.pid, holder.mib) for holder in device.holders()] == [(ME, 300), (999_999_999, 50)]
    assert device.holders()[1].command == "unknown"
    assert (device.name, device.kind, device.uuid, device.oom_kills()) == ("gpu0", "gpu", "GPU-0000", 0)


def test_what_a_gpu_counts(monkeypatch):
    """Energy, clock events and errors of memory, each where the GPU counts it."""
    plain = Gpu("GPU-a")
    counting = Gpu("GPU-b", millijoules=12_500, reasons=pynvml.nvmlClocksEventReasonSwPowerCap, ecc_errors=2)
    install(monkeypatch, plain, counting)
    first, second = visible_gpus({})
    assert (first.energy_joules(), first.clock_events(), first.memory_errors()) == (None, 0, 0)
    assert (second.energy_joules(), second.clock_events(), second.memory_errors()) == (12.5, 4, 2)


@pytest.mark.parametrize(("node", "keeps"), [(None, False), (-1, False), (1, True)])
def test_a_gpu_that_is_a_node_of_the_machines_memory(monkeypatch, node, keeps):
    """There the kernel may keep page cache, which is no leak."""
    install(monkeypatch, Gpu(numa_node=node))
    (device,) = visible_gpus({})
    assert device.keeps_cache == keeps


def test_compute_capabilities(monkeypatch):
    """Of a slice it is that of its GPU; a GPU that does not say it has none."""
    install(monkeypatch, Gpu("GPU-a", capability=(7, 5)), Gpu("GPU-b", capability=(12, 1)))
    assert [gpu.compute_capability() for gpu in visible_gpus({})] == [75, 121]
    slices = {1: Gpu("MIG-1111", 500)}
    install(monkeypatch, Gpu("GPU-c", capability=(8, 0), slices=slices))
    assert [gpu.compute_capability() for gpu in visible_gpus({})] == [80]
    for silent in ({"capability": None}, {"error": pynvml.NVML_ERROR_GPU_IS_LOST}):
        install(monkeypatch, Gpu("GPU-d", **silent))
        assert [gpu.compute_capability() for gpu in visible_gpus({})] in ([None], [])


def test_a_library_that_cannot_say_the_compute_capability(monkeypatch):
    """An older one: nothing is known, and nothing fails."""
    lacks = ("nvmlDeviceGetCudaComputeCapability", "nvmlDeviceGetDeviceHandleFromMigDeviceHandle")
    install(monkeypatch, *_two(), lacks=lacks)
    assert [gpu.compute_capability() for gpu in visible_gpus({})] == [None, None]
