"""What SGLang takes of a GPU on purpose, and what its start then says of a need."""

import pytest

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.sglang.engine import Sglang
from llmopt_runner.guard.levels import GpuReserve


@pytest.mark.parametrize(
    ("engine", "share", "takes_rest"),
    [
        ({}, 0.9, True),
        ({"mem_fraction_static": 0.8}, 0.8, True),
        ({"mem_fraction_static": 0.8, "max_total_tokens": 4096}, 0.8, False),
    ],
)
def test_its_share_is_reserved_and_a_cache_without_a_size_takes_it(engine, share, takes_rest):
    """Weights and cache fill the share at the start; what was held then says nothing of a need."""
    configuration = Configuration(engine=engine)
    assert Sglang().gpu_reserve(configuration) == GpuReserve(share)
    assert Sglang().cache_takes_rest(configuration) is takes_rest
    assert Sglang().uses_gpus(configuration)
