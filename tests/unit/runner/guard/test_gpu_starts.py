"""One start at a time on each GPU; NVML is a stand-in below pynvml, the locks are real."""

import pytest
from fakes.memory_devices import FakeDevice
from fakes.nvml_library import Gpu, install

from llmopt_runner.guard.gpu_starts import alone_on
from llmopt_runner.host.nvml import visible_gpus
from llmopt_runner.stopping import Interrupted


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, each as a runner that has it alone sees it."""
    install(monkeypatch, Gpu("GPU-a"), Gpu("MIG-b/1/0"))
    return {name: visible_gpus({"CUDA_VISIBLE_DEVICES": name}) for name in ("0", "1", "0,1")}


def _starts(devices, folder, *, sleep=lambda _seconds: None):
    """Say whether a start on `devices` may begin without waiting."""
    try:
        with alone_on(devices, lambda: True, folder=folder, sleep=sleep):
            return True
    except Interrupted:
        return False


def test_a_second_start_waits_for_the_first(gpus, tmp_path):
    """It begins when the first is over; one that is asked to stop meanwhile does."""
    first = alone_on(gpus["0"], lambda: False, folder=tmp_path)
    first.__enter__()
    assert not _starts(gpus["0"], tmp_path)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        first.__exit__(None, None, None)

    with alone_on(gpus["0"], lambda: False, folder=tmp_path, sleep=sleep):
        assert len(waits) == 1


@pytest.mark.parametrize(("other", "free"), [("0", False), ("1", True), ("0,1", False)])
def test_only_starts_on_the_same_gpu_wait(gpus, tmp_path, other, free):
    """An engine on several GPUs waits for each of them, whatever their order."""
    with alone_on(gpus["0"], lambda: False, folder=tmp_path):
        assert _starts(gpus[other], tmp_path) is free
    assert _starts(gpus[other], tmp_path)


def test_main_memory_is_shared_by_all(tmp_path):
    """Engines without a GPU start as they come."""
    with alone_on([FakeDevice()], lambda: False, folder=tmp_path):
        assert _starts([FakeDevice()], tmp_path)


def test_without_a_place_for_locks_starts_go_on(gpus, tmp_path):
    """A warning says that they may overlap; nobody waits for what cannot be had."""
    (tmp_path / "file").touch()
    with alone_on(gpus["0"], lambda: False, folder=tmp_path / "file"):
        assert _starts(gpus["0"], tmp_path / "file")
