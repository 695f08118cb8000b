"""Tests for a machine with an NVIDIA GPU: real NVML, real CUDA, real engines. Elsewhere they say they skip.

They need an environment with torch and transformers for CUDA: the one whose `bin` LLMOPT_ENGINE_TRANSFORMERS
names, else the one that is made for the tests. The model is made on the spot, small and random. Each test
prints what it found as JSON before it asserts, so that one run teaches even where it fails.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine
from fakes.small_llama import CONFIG

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import EngineMemory
from llmopt_runner.engine_slot.slot import EngineSlot
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.host.devices import NvmlDevice, visible_devices
from llmopt_runner.host.nvml import visible_gpus

_MAKE_MODEL = Path(__file__).with_name("make_small_model.py")
START_SECONDS = 300.0


def pytest_collection_modifyitems(items):
    """The quickest and most informative first: a lent machine may be taken away."""
    order = ("facts", "vllm", "healthy", "neighbours", "kills", "engines", "faults")
    items.sort(key=lambda item: [name not in item.path.name for name in order])


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
def make_model(python, tmp_path_factory) -> Callable[[Mapping[str, int]], Path]:
    """Makes a Llama of the given configuration, with a chat template, and returns its folder."""

    def make(configuration):
        folder = tmp_path_factory.mktemp("model")
        subprocess.run((python, _MAKE_MODEL, folder, json.dumps(configuration)), check=True)
        return folder

    return make


@pytest.fixture(scope="session")
def small_model(make_model) -> Path:
    """The folder of a small model."""
    return make_model(CONFIG)


@pytest.fixture
def finding(request, capsys):
    """Prints what was found, by the test's name, as one line of JSON."""

    def say(found):
        with capsys.disabled():
            sys.stdout.write(json.dumps({request.node.name: found}, default=str) + "\n")
            sys.stdout.flush()

    return say


@pytest.fixture
def slot_of(small_model, tmp_path):
    """Makes the slot of an engine as a runner has it, guarded by this machine's devices."""
    slots = []

    def settings_for(configuration):
        return LaunchSettings(
            small_model, "small", tmp_path, tmp_path / "engine.log", parameters=configuration.engine
        )

    def make(engine, **memory):
        watched = EngineMemory(visible_devices(), **memory)
        slots.append(EngineSlot(engine, settings_for, START_SECONDS, memory=watched))
        return slots[-1]

    yield make
    for slot in slots:
        slot.close()


@pytest.fixture
def loaded(slot_of):
    """Starts an engine with parameters in a slot of its own and returns slot and server."""

    def load(engine, memory=(), **parameters):
        slot = slot_of(engine, **dict(memory))
        server, _ = slot.ensure(Configuration(engine=parameters), {}, lambda: False)
        return slot, server

    return load
