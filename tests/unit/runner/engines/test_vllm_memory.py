"""What vLLM is said to need of memory, before it is started."""

import dataclasses

import pytest
from fakes.small_llama import CACHED_NUMBERS_A_TOKEN, MIB, SHAPE

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm import Vllm
from llmopt_runner.engines.vllm_memory import memory_need


def _need(shape=SHAPE, **engine):
    return memory_need(shape, Configuration(engine=engine))


@pytest.mark.parametrize(
    ("engine", "weights_mib"),
    [
        ({}, 200),
        ({"dtype": "float32"}, 400),
        ({"dtype": "float16"}, 200),
        ({"quantization": "fp8"}, 20 * 2 + 80),
        ({"quantization": "nvfp4_per_token"}, 20 * 2 + 40),
        ({"quantization": "awq"}, 200),
    ],
)
def test_weights_are_counted_as_they_are_held(engine, weights_mib):
    """The type asked for decides, and what is quantised while it loads is smaller without its embeddings."""
    assert _need(**engine).weights_mib == pytest.approx(weights_mib)


@pytest.mark.parametrize(("dtype", "size", "held_mib"), [("f32", 400, 200), ("i32", 60, 60)])
def test_files_of_other_types_are_converted_or_kept(dtype, size, held_mib):
    """float32 is served in 16 bits unless asked otherwise; quantised files stay as they are."""
    shape = dataclasses.replace(SHAPE, dtype=dtype, weight_bytes=size * MIB)
    assert _need(shape).weights_mib == held_mib


def test_a_given_cache_is_needed_on_each_device():
    """The size that is asked for is taken, whatever a request needs."""
    need = _need(kv_cache_memory_mib=1024, tensor_parallel_size=2, max_model_len=2048)
    assert (need.kv_cache_mib, need.overhead_mib) == (2048, 0)


@pytest.mark.parametrize(
    ("engine", "tokens", "bytes_a_number"),
    [
        ({}, 2048, 2),
        ({"max_model_len": 512}, 512, 2),
        ({"max_model_len": 512, "kv_cache_dtype": "fp8"}, 512, 1),
        ({"max_model_len": 512, "kv_cache_dtype": "int8_per_token_head"}, 512, 1),
        ({"max_model_len": 512, "kv_cache_dtype": "nvfp4"}, 512, 0.5),
        ({"max_model_len": 512, "dtype": "float32"}, 512, 4),
    ],
)
def test_the_cache_must_hold_one_longest_request(engine, tokens, bytes_a_number):
    """Without a size the least is one request; it is no part that a start's own figures may scale."""
    need = _need(**engine)
    assert need.kv_cache_mib == 0
    assert need.overhead_mib == pytest.approx(CACHED_NUMBERS_A_TOKEN * tokens * bytes_a_number / MIB)


@pytest.mark.parametrize(
    ("engine", "share"),
    [({}, 0.92), ({"gpu_memory_utilization": 0.5}, 0.5), ({"kv_cache_memory_mib": 64}, 0.0)],
)
def test_the_share_that_is_taken_on_purpose(engine, share):
    """What vLLM reserves at its start is no sign of danger; with a given cache it reserves nothing."""
    assert Vllm().reserved_gpu_share(Configuration(engine=engine)) == share
