"""What a runner says of the machine. The GPU library is a stand-in: there is no GPU here."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from llmopt_runner import describing
from llmopt_runner.engines.failures import EngineNotInstalled


class NVMLError(Exception):
    """As the library's own."""


def library(*, products=(), error=None):
    """Stands for the module pynvml: `products` are plugged in, or every call ends with `error`."""

    def init():
        if error:
            raise NVMLError(error)

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=init,
        nvmlSystemGetCudaDriverVersion_v2=lambda: 13020,
        nvmlSystemGetDriverVersion=lambda: "580.65.06",
        nvmlDeviceGetCount=lambda: len(products),
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetName=lambda handle: products[handle],
    )


@pytest.mark.parametrize(
    ("nvml", "expected"),
    [
        (
            library(products=("NVIDIA H100", "NVIDIA H100")),
            {"products": ["NVIDIA H100"] * 2, "driver": "580.65.06", "cuda": "13.2", "reason": None},
        ),
        (
            library(error="Driver Not Loaded"),
            {"products": [], "driver": None, "cuda": None, "reason": "Driver Not Loaded"},
        ),
        (
            None,
            {
                "products": [], "driver": None, "cuda": None,
                "reason": "the module pynvml is not installed: pip install 'llmopt[runner]'",
            },
        ),
    ],
)  # fmt: skip
def test_gpus_come_with_driver_and_cuda_or_the_reason_why_not(monkeypatch, nvml, expected):
    """Products, versions in words, or what NVML said."""
    monkeypatch.setattr(describing, "_library", lambda: nvml)
    assert describing.describe()["gpus"] == expected


def test_an_engine_that_cannot_be_asked_hides_no_other(monkeypatch):
    """A wrong path in the environment is that engine's problem, with its words."""
    monkeypatch.setenv("LLMOPT_ENGINE_VLLM", "/nowhere/vllm")
    engines = describing.describe()["engines"]
    assert engines["vllm"]["version"] is None
    assert "LLMOPT_ENGINE_VLLM=/nowhere/vllm" in engines["vllm"]["problem"]
    assert engines["llamacpp"]["problem"] is None
    assert EngineNotInstalled.__name__ not in str(engines)


def test_the_host_is_among_the_devices():
    """Its use is above nothing and below everything."""
    host = next(device for device in describing.describe()["devices"] if device["kind"] == "host")
    assert 0 < host["used_mib"] < host["total_mib"]


def test_the_program_prints_one_document():
    """Run as a program, it writes JSON alone."""
    command = [sys.executable, "-m", "llmopt_runner.describing"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(json.loads(output)) == {"engines", "devices", "gpus"}
