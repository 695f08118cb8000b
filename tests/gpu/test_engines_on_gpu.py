"""Real engines on a real GPU: they answer, give everything back, and fail as what they are."""

import time
from dataclasses import replace

import pytest

from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.engines.transformers.engine import Transformers

_START_SECONDS = 300
_BACK_SECONDS = 30
_LEFT_MIB = 64
_MODES = {
    "bf16": {"device": "cuda", "dtype": "bfloat16"},
    "bnb-4bit": {"device": "cuda", "dtype": "bfloat16", "quantization": "bnb-4bit"},
    "fp4": {
        "device": "cuda",
        "dtype": "bfloat16",
        "quantization": "bnb-4bit",
        "bnb_4bit_quant_type": "fp4",
        "bnb_4bit_use_double_quant": False,
        "bnb_4bit_compute_dtype": "bfloat16",
    },
    "continuous batching": {"device": "cuda", "dtype": "bfloat16", "continuous_batching": True},
}


@pytest.fixture
def settings(small_model, tmp_path):
    return LaunchSettings(
        model_path=small_model, model_id="small", workdir=tmp_path, log_path=tmp_path / "engine.log"
    )


def _with(settings, **parameters):
    return replace(settings, parameters=parameters)


@pytest.mark.parametrize("mode", _MODES)
def test_transformers_serves_on_the_gpu_and_gives_it_back(gpu, settings, finding, mode):
    """A real answer comes from the GPU, whose memory is what it was once the engine is gone."""
    before = gpu.used_mib()
    with EngineServer(Transformers(), _with(settings, **_MODES[mode])) as server:
        server.start(_START_SECONDS)
        answered = Probe(server.base_url).complete(server.model, {"max_tokens": 8}, 60)
        held_mib = gpu.used_mib() - before
        remains = server.stop()
    began_at = time.monotonic()
    while gpu.used_mib() - before > _LEFT_MIB and time.monotonic() - began_at < _BACK_SECONDS:
        time.sleep(0.1)
    left_mib, back_seconds = gpu.used_mib() - before, time.monotonic() - began_at
    finding({"held MiB": held_mib, "left MiB": left_mib, "back after seconds": back_seconds})
    assert answered
    assert held_mib > 200  # the CUDA context alone takes that much
    assert not remains
    assert left_mib <= _LEFT_MIB
