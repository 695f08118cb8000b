"""Others on the GPU: who is to blame, who is named, and who lives."""

import time

import pytest
from fakes.gpu_engine import GpuEngine
from fakes.gpu_memory import holding, leaving

from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.policies import POLICIES
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import MemoryExceeded
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.transformers.engine import Transformers

# Less than a CUDA context and the first kernels of a server take.
_LEFT_MIB = 450
_PATIENCE_SECONDS = 60


def _until(condition):
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_card_that_others_filled_is_busy(python, slot_of, finding):
    """With nearly nothing left a start fails as MemoryBusy, names who holds it, and is tried again."""
    slot = slot_of(Transformers())
    with leaving(python, _LEFT_MIB) as neighbour, pytest.raises(MemoryExceeded) as caught:
        slot.ensure(Configuration(engine={"device": "cuda", "dtype": "bfloat16"}), {}, lambda: False)
    failure = caught.value.failure
    finding({"failure": failure, "neighbour": neighbour.pid})
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert POLICIES[failure.error_class] is RetryPolicy.RETRY
    assert str(neighbour.pid) in f"{failure.message} {failure.suggestion}"


def test_a_neighbour_that_fills_the_card_is_to_blame(python, loaded, finding):
    """An engine of 2 GiB beside one that takes all the rest: whatever is done, the engine is not at fault."""
    slot, server = loaded(GpuEngine(python), orders="mib:2048")
    with slot.memory.measuring() as reading, leaving(python, 64) as neighbour:
        _until(lambda: slot.memory.guard.exceeded or not server.alive())
    failure = slot.memory.failure(ended=not server.alive())
    finding({"failure": failure, "neighbour": neighbour.pid, "reading": reading().facts()})
    assert failure is not None
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert f"(pid {neighbour.pid})" in failure.message
    assert reading().engine_mib("gpu") == pytest.approx(2048 + 600, abs=400)


def test_an_engine_on_the_processors_does_not_mind(python, loaded, finding):
    """A full GPU ends no engine that was asked to use the CPU."""
    slot, server = loaded(GpuEngine(python, on_gpus=False), orders="nothing")
    with slot.memory.measuring() as reading, leaving(python, 64):
        for _ in range(20):
            assert Probe(server.base_url).complete(server.model, {"max_tokens": 8}, 60)
    finding(reading().facts())
    assert server.alive()
    assert not reading().actions


def test_a_neighbours_growth_is_not_the_engines(python, loaded, finding):
    """What a neighbour takes while an engine is measured is not counted as the engine's."""
    slot, server = loaded(GpuEngine(python), orders="mib:2048")
    with slot.memory.measuring() as reading, holding(python, 8192):
        assert Probe(server.base_url).complete(server.model, {"max_tokens": 8}, 60)
        slot.memory.guard.sample()
    finding(reading().facts())
    assert reading().engine_mib("gpu") < 4096
    assert any(condition.others_mib > 8000 for condition in reading().gpu_conditions)
