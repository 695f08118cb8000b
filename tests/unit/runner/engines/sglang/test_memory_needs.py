"""What SGLang is said to need of memory, before it is started."""

import pytest
from fakes.small_llama import SHAPE

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.sglang.engine import Sglang


def _need(**engine):
    return Sglang().memory_need(SHAPE, Configuration(engine={"context_length": 512, **engine}))


@pytest.mark.parametrize(
    ("engine", "weights_mib"),
    [
        ({}, 200),
        ({"quantization": "fp8"}, 20 * 2 + 80),
        ({"cpu_offload_gb": 1}, 20 * 2),  # embeddings stay
        ({"cpu_offload_gb": 1, "data_parallel_size": 2}, 2 * 20 * 2),
    ],
)
def test_weights_are_counted_as_the_gpus_hold_them(engine, weights_mib):
    """By type and quantisation, less the layers that lie in main memory."""
    assert _need(**engine).weights_mib == pytest.approx(weights_mib)
