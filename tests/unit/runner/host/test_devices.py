"""What is known of the GPUs that an engine would see."""

from fakes.memory_devices import FakeDevice
from fakes.nvml_library import Gpu, install

from llmopt_core.engines.gpus import Gpu as KnownGpu
from llmopt_runner.host.devices import HostMemory, known_gpus
from llmopt_runner.host.nvml import visible_gpus


def test_gpus_are_known_by_name_product_and_compute_capability(monkeypatch):
    """Main memory is none of them."""
    install(monkeypatch, Gpu("GPU-a", name="Tesla T4", capability=(7, 5)), Gpu("GPU-b"))
    assert known_gpus((HostMemory(), *visible_gpus({}))) == (
        KnownGpu("gpu0 (Tesla T4)", 75),
        KnownGpu("gpu1 (NVIDIA H200)", 90),
    )


def test_where_one_is_not_known_none_is(monkeypatch):
    """The engine may be given that one."""
    install(monkeypatch, Gpu("GPU-a"), Gpu("GPU-b", capability=None))
    assert known_gpus(visible_gpus({})) == ()


def test_a_machine_without_gpus_has_none():
    """Nor has one whose devices are of another kind."""
    assert known_gpus((HostMemory(), FakeDevice(1000, 50))) == ()
