import os

import pytest

from llmopt_runner.host.devices import DeviceUnreadable
from llmopt_runner.host.machine_kind import machine_kind

COUNT = len(os.sched_getaffinity(0))
ONE = "processor\t: 0\nmodel name\t: Great Processor 9000\n\n"
MEMORY = "MemTotal:       16384000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"


class Gpu:
    """A GPU that NVML knows, or has lost."""

    def __init__(self, name):
        self.name = name

    def product(self):
        if self.name is None:
            raise DeviceUnreadable("gpu0: NVML says: GPU is lost")
        return self.name


@pytest.fixture
def proc(tmp_path):
    folder = tmp_path / "proc"
    (folder / "self").mkdir(parents=True)
    (folder / "cpuinfo").write_text(ONE * 2)
    (folder / "meminfo").write_text(MEMORY)
    (folder / "self" / "cgroup").write_text("0::/\n")
    return folder


def _kind(proc, tmp_path, gpus=()):
    return machine_kind(gpus, cgroup_root=tmp_path / "cgroup", proc=proc)


def test_processors_memory_and_gpus_make_a_machine(proc, tmp_path):
    """Two machines that differ in any of them are not the same."""
    plain = f"{COUNT} x Great Processor 9000, 16 GiB"
    assert _kind(proc, tmp_path) == plain
    assert _kind(proc, tmp_path, (Gpu("H1"), Gpu("H1"))) == f"{plain}, H1, H1"


def test_a_limit_of_the_processors_makes_another_machine(proc, tmp_path):
    """A container that may use two processors is not as fast as one that may use all."""
    group = tmp_path / "cgroup"
    group.mkdir()
    (group / "memory.current").write_text("1000000\n")
    (group / "cpu.max").write_text("200000 100000\n")
    assert _kind(proc, tmp_path) == f"{COUNT} x Great Processor 9000 (2 used), 16 GiB"
    (group / "cpu.max").write_text("max 100000\n")
    assert "used" not in _kind(proc, tmp_path)


@pytest.mark.parametrize("missing", ["cpuinfo", "gpu", "nvml"])
def test_what_cannot_be_read_leaves_the_machine_unknown(proc, tmp_path, missing, monkeypatch):
    """No processor, a GPU that does not answer, and one that only its driver knows: no machine is named."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    gpus = ()
    if missing == "cpuinfo":
        (proc / "cpuinfo").unlink()
    elif missing == "gpu":
        gpus = (Gpu(None),)
    else:
        (proc / "driver" / "nvidia" / "gpus" / "0000:01:00.0").mkdir(parents=True)
    assert _kind(proc, tmp_path, gpus) == ""


def test_this_machine_is_the_same_twice():
    """What is asked again on one machine gives the same words."""
    assert machine_kind() == machine_kind()
