"""Tests for a machine with an NVIDIA GPU: real NVML, real CUDA, real engines. Elsewhere they say they skip.

They need an environment with torch and transformers for CUDA: the one whose `bin` LLMOPT_ENGINE_TRANSFORMERS
names, else the one that is made for the tests. The model is made on the spot, small and random.
"""

import json
import subprocess
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine
from fakes.small_llama import CONFIG

from llmopt_runner.host.devices import NvmlDevice
from llmopt_runner.host.nvml import visible_gpus

_MAKE_MODEL = Path(__file__).with_name("make_small_model.py")


@pytest.fixture(scope="session")
def gpu() -> NvmlDevice:
    """The first GPU that programs started from here see."""
    gpus = visible_gpus()
    if not gpus:
        pytest.skip("NO GPU: NVML shows none on this machine, so nothing here was tested")
    return gpus[0]


@pytest.fixture(scope="session")
def python(gpu) -> Path:
    """The Python that has torch for CUDA and transformers."""
    return use_engine("transformers") / "bin" / "python"


@pytest.fixture(scope="session")
def small_model(python, tmp_path_factory) -> Path:
    """The folder of a small model with a chat template."""
    folder = tmp_path_factory.mktemp("small-model")
    subprocess.run((python, _MAKE_MODEL, folder, json.dumps(CONFIG)), check=True)
    return folder
