"""Engines that use a GPU as they are meant to are left alone, and what they hold is known."""

import os
import signal
import time
from pathlib import Path

import pytest
from fakes.gpu_engine import GpuEngine

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.llamacpp.engine import LlamaCpp
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.transformers.engine import Transformers
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.guard.levels import NOTHING_RESERVED, Level
from llmopt_runner.memory.prediction import estimate, observations
from llmopt_runner.memory.shapes import read_shape

_WATCHED_SECONDS = 2.0
# What each stand-in holds, and what the runner takes that engine to reserve.
_FILLED = {
    **{
        f"vLLM at {share}": (
            f"share:{share}",
            Vllm().gpu_reserve(Configuration(engine={"gpu_memory_utilization": share})),
        )
        for share in (0.85, 0.92, 0.97)
    },
    "llama.cpp, all but 1 GiB": ("leaves:1024", LlamaCpp().gpu_reserve(Configuration())),
    "91 % without a word": ("share:0.91", NOTHING_RESERVED),
}
_MODES = {
    "plain": {"device": "cuda", "dtype": "bfloat16"},
    "batching": {"device": "cuda", "dtype": "bfloat16", "continuous_batching": True},
}


def _watch(slot, server):
    """Ask the server for answers while its guard looks on; return the guard's reading."""
    with slot.memory.measuring() as reading:
        end = time.monotonic() + _WATCHED_SECONDS
        while time.monotonic() < end:
            assert Probe(server.base_url).complete(server.model, {"max_tokens": 8}, 60)
    return reading()


def _command(pid):
    return Path(f"/proc/{pid}/cmdline").read_text()


def _facts(reading):
    return {"level": reading.level.name, "actions": reading.actions, "peaks": reading.facts()["devices"]}


@pytest.mark.parametrize("kind", _FILLED)
def test_a_gpu_that_is_full_on_purpose_ends_nothing(python, loaded, finding, kind):
    """A stand-in holds what an engine would: it answers, and nothing is done about it."""
    order, reserve = _FILLED[kind]
    slot, server = loaded(GpuEngine(python, reserve), orders=order)
    reading = _watch(slot, server)
    finding(_facts(reading))
    assert reading.level < Level.CRITICAL
    assert not reading.actions
    assert slot.memory.failure(ended=False) is None


@pytest.mark.parametrize("mode", _MODES)
def test_transformers_serves_and_is_predicted(small_model, loaded, finding, mode):
    """The real server answers; its share of the GPU is known; from its facts the next need is predicted."""
    shape, parameters = read_shape(small_model), _MODES[mode]
    slot, server = loaded(Transformers(), memory={"shape": shape}, **parameters)
    reading = _watch(slot, server)
    facts = slot.memory.facts()
    need = Transformers().memory_need(shape, Configuration(engine=parameters))
    expected = None if need is None else estimate(need, observations([facts], gpus=True))
    finding({**_facts(reading), "facts": facts, "expected": expected})
    assert reading.level < Level.CRITICAL
    assert not reading.actions
    held_mib = reading.engine_mib("gpu")
    assert held_mib > 200  # the CUDA context alone takes that much
    if expected is not None and not facts.get("cache_takes_rest"):
        assert expected.low_mib <= held_mib <= expected.mib + expected.margin_mib


def test_the_fastest_allocation_is_ended(python, loaded, gpu, finding):
    """An engine that fills the card at once is killed at EMERGENCY, as out of memory, and leaves nothing."""
    before_mib = gpu.used_mib()
    slot, server = loaded(GpuEngine(python), orders="grows")
    (engine,) = [pid for pid in server.pids() if "gpu_server" in _command(pid)]
    began_at = time.monotonic()
    os.kill(engine, signal.SIGUSR1)
    while server.alive():
        assert time.monotonic() - began_at < 30
        time.sleep(0.005)
    gone_seconds = time.monotonic() - began_at
    failure = slot.memory.failure(ended=True)
    slot.close()
    left = slot.memory.take_warnings()
    finding({"gone after seconds": gone_seconds, "failure": failure, "left": left})
    assert failure is not None
    assert failure.error_class is ErrorClass.GPU_OUT_OF_MEMORY
    assert not left
    assert gpu.used_mib() - before_mib < 64
