"""What a runner says of the machine. NVML is a stand-in below pynvml."""

import json
import subprocess
import sys

import pynvml
from fakes.nvml_library import Gpu, install

from llmopt_core.installation import install_command
from llmopt_runner import machine_report
from llmopt_runner.engines.failures import EngineNotInstalled
from llmopt_runner.host import nvml


def _gpus():
    """What is shown of NVIDIA's GPUs; other accelerators are those of the machine that the tests run on."""
    shown = machine_report.describe()["gpus"]
    return {name: value for name, value in shown.items() if name != "unseen"}


def test_gpus_come_with_driver_and_cuda(monkeypatch):
    """Products, and versions in words."""
    install(monkeypatch, Gpu(name="NVIDIA H100"), Gpu(name="NVIDIA H100"))
    assert _gpus() == {
        "products": ["NVIDIA H100"] * 2,
        "driver": "580.159.04",
        "cuda": "13.0",
        "reason": None,
    }


def test_a_gpu_that_cannot_be_used_hides_no_other(monkeypatch):
    """The others are shown, and what NVML says of the one."""
    install(monkeypatch, Gpu(no_handle=pynvml.NVML_ERROR_GPU_IS_LOST), Gpu(name="NVIDIA L4"))
    found = _gpus()
    assert (found["products"], found["reason"]) == (["NVIDIA L4"], "GPU 0 cannot be used: GPU is lost")


def test_without_gpus_the_reason_is_reported(monkeypatch):
    """What NVML says, or that it is not there."""
    install(monkeypatch, driver=False)
    nothing = {"products": [], "driver": None, "cuda": None, "reason": "Driver Not Loaded"}
    assert _gpus() == nothing
    monkeypatch.setattr(nvml, "library", lambda: None)
    assert _gpus()["reason"] == f"the module pynvml is not installed: {install_command('runner')}"


def test_devices_come_with_the_guards_level(monkeypatch):
    """A share of a large GPU is no danger."""
    large, small = Gpu("GPU-a", 81_000, hidden_mib=75_000), Gpu("GPU-b", 2_000, hidden_mib=1_950)
    install(monkeypatch, large, small)
    levels = {each["name"]: each["level"] for each in machine_report.describe()["devices"]}
    assert (levels["gpu0"], levels["gpu1"]) == ("SAFE", "EMERGENCY")


def test_an_engine_that_cannot_be_asked_hides_no_other(monkeypatch):
    """A wrong path in the environment is that engine's problem, with its words."""
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", "/nowhere/vllm")
    engines = machine_report.describe()["engines"]
    assert engines["vllm"]["version"] is None
    assert "LLMOPT_ENGINE_VLLM=/nowhere/vllm" in engines["vllm"]["problem"]
    assert engines["llamacpp"]["problem"] is None
    assert EngineNotInstalled.__name__ not in str(engines)


def test_the_host_is_among_the_devices():
    """Its use is above nothing and below everything."""
    host = next(device for device in machine_report.describe()["devices"] if device["kind"] == "host")
    assert 0 < host["used_mib"] < host["total_mib"]


def test_the_program_prints_one_document():
    """Run as a program, it writes JSON alone."""
    command = [sys.executable, "-m", "llmopt_runner.machine_report"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(json.loads(output)) == {"engines", "devices", "gpus"}


def test_the_gpus_that_programs_can_be_given_are_a_document_of_their_own(monkeypatch, capsys):
    """For programs that start several runners; no engine is asked."""
    install(monkeypatch, Gpu(), Gpu("GPU-b", slices={0: Gpu("MIG-a")}))
    monkeypatch.delenv(nvml.VISIBLE_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "argv", ["machine_report", "--gpus"])
    assert machine_report.main() == 0
    assert json.loads(capsys.readouterr().out) == ["0", "MIG-a"]
