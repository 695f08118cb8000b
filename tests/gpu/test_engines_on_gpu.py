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
def test_transformers_serves_on_the_gpu_and_gives_it_back(gpu, settings, mode):
    """A real answer comes from the GPU, whose memory is what it was once the engine is gone."""
    before = gpu.used_mib()
    with EngineServer(Transformers(), _with(settings, **_MODES[mode])) as server:
        server.start(_START_SECONDS)
        assert Probe(server.base_url).complete(server.model, {"max_tokens": 8}, 60)
        assert gpu.used_mib() - before > 200  # the CUDA context alone takes that much
        assert not server.stop()
    deadline = time.monotonic() + _BACK_SECONDS
    while gpu.used_mib() - before > 64:
        assert time.monotonic() < deadline
        time.sleep(0.1)
