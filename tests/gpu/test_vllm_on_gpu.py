"""The real vLLM on a real GPU: it serves, takes what was predicted of memory, and says why it will not start.

Its environment is the one whose `bin` LLMOPT_ENGINE_VLLM names. The tests' own is a build for CPUs, which is
not tested here.
"""

import pytest
from fakes.engine_environments import use_engine
from fakes.gpu_memory import leaving
from fakes.small_llama import MIB

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engine_slot.engine_memory import MemoryExceeded
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.guard.levels import Level
from llmopt_runner.memory.shapes import read_shape

# Heads of 64 and a width that its kernels are made for; 8 GiB of the card are enough.
_CONFIG = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 8,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "max_position_embeddings": 8192,
    "bos_token_id": 0,
    "eos_token_id": 1,
}
_SMALL = {"max_model_len": 2048, "max_num_seqs": 32, "kv_cache_memory_mib": 2048}
_MODES = {
    "default": {},
    "eager": {**_SMALL, "enforce_eager": True},
    "fp8 weights": {**_SMALL, "quantization": "fp8"},
    "fp8 cache": {**_SMALL, "kv_cache_dtype": "fp8"},
    "look-up": {
        **_SMALL,
        "speculative_method": "ngram",
        "num_speculative_tokens": 3,
        "prompt_lookup_max": 3,
        "prompt_lookup_min": 2,
    },
    "draft model": {**_SMALL, "speculative_method": "draft_model", "num_speculative_tokens": 3},
    "few graphs, small steps": {
        **_SMALL,
        "cudagraph_capture_sizes": "1,8,32",
        "cudagraph_mode": "PIECEWISE",
        "max_num_batched_tokens": 512,
        "block_size": 32,
        "async_scheduling": False,
    },
    "triton attention": {**_SMALL, "attention_backend": "TRITON_ATTN", "optimization_level": 0},
}
# The log gives hundredths of a GiB. Weights that are quantised while they load left 37 MiB besides.
_ROUNDING_MIB = 6
_LOADING_LEAVES_MIB = 64
_LOG_CHARACTERS = 4000
_ELEMENT_BYTES = {"auto": 2, "fp8": 1}
# What vLLM refuses, or cannot have; the class that a trial ends with.
_REFUSED = {
    "a cache too small for one request": (
        {**_SMALL, "max_model_len": 8192, "kv_cache_memory_mib": 16},
        ErrorClass.KV_CACHE_TOO_SMALL,
    ),
    "longer than the model": (
        {**_SMALL, "max_model_len": 16_384},
        ErrorClass.INVALID_CONFIGURATION,
    ),
    "two devices": (
        {**_SMALL, "tensor_parallel_size": 2},
        ErrorClass.INVALID_CONFIGURATION,
    ),
    "weights that are not quantised so": (
        {**_SMALL, "quantization": "awq"},
        ErrorClass.INVALID_CONFIGURATION,
    ),
    "sizes beyond the card": (
        {"max_model_len": 2048, "kv_cache_memory_mib": 200_000},
        ErrorClass.GPU_OUT_OF_MEMORY,
    ),
}


@pytest.fixture(scope="module", autouse=True)
def vllm(gpu):
    """vLLM's version; where it is a build for CPUs, nothing here is tested."""
    use_engine("vllm")
    version = Vllm().installed() or ""
    if not version.startswith("vllm ") or version.endswith("+cpu"):
        pytest.skip(f"NO VLLM FOR THIS GPU: LLMOPT_ENGINE_VLLM names {version or 'none'}")
    return version


@pytest.fixture(scope="module")
def small_model(make_model):
    """A model that vLLM's kernels for attention accept."""
    return make_model(_CONFIG)


@pytest.fixture(scope="module")
def draft(make_model):
    """A smaller model with the same tokens, which guesses for the other."""
    return make_model({**_CONFIG, "num_hidden_layers": 2})


@pytest.mark.parametrize("mode", _MODES)
def test_vllm_serves_and_takes_what_was_predicted(small_model, draft, loaded, finding, mode):
    """It answers; its weights have the predicted size, and its cache the tokens that fit into it."""
    parameters = {**_MODES[mode]}
    shape = read_shape(small_model)
    layers = shape.cache
    if parameters.get("speculative_method") == "draft_model":
        parameters["speculative_model"] = str(draft)
        layers = (*layers, *read_shape(draft).cache)
    slot, server = loaded(Vllm(), memory={"shape": shape}, **parameters)
    with slot.memory.measuring() as reading:
        assert Probe(server.base_url).complete(server.model, {"max_tokens": 64}, 60)
        slot.memory.guard.sample()
    facts = server.facts()
    need = Vllm().memory_need(shape, Configuration(engine=parameters))
    size = _ELEMENT_BYTES[parameters.get("kv_cache_dtype", "auto")]
    token_bytes = sum(each.count * each.token_bytes(size, size) for each in layers)
    expected_tokens = facts["kv_cache_mib"] * MIB / token_bytes
    finding(
        {
            "facts": facts,
            "need": need,
            "tokens that fit": expected_tokens,
            "level": reading().level.name,
            "actions": reading().actions,
            "held MiB": reading().engine_mib("gpu"),
            "counters": Vllm().read_counters(server.metrics_text()),
            "fresh": Vllm().make_fresh(server, Configuration(engine=parameters)),
        }
    )
    assert reading().level < Level.CRITICAL
    assert not reading().actions
    left_mib = facts["weights_mib"] - need.weights_mib
    assert -_ROUNDING_MIB <= left_mib <= _LOADING_LEAVES_MIB
    assert facts["kv_cache_tokens"] == pytest.approx(expected_tokens, rel=0.02)


@pytest.mark.parametrize("name", _REFUSED)
def test_what_vllm_refuses_has_its_class(loaded, finding, name):
    """A server that will not start ends the trial with the class of its reason and with what to do."""
    parameters, expected = _REFUSED[name]
    with pytest.raises((EngineStartFailed, MemoryExceeded)) as caught:
        loaded(Vllm(), **parameters)
    error = caught.value
    failure = error.failure if isinstance(error, MemoryExceeded) else error.explained(parameters)
    finding({"failure": failure, "log": getattr(error, "log", "")[-_LOG_CHARACTERS:]})
    assert failure.error_class is expected
    assert failure.suggestion


def test_a_card_that_others_filled_is_busy(python, loaded, finding):
    """Too little is free for the share that vLLM was given, because another process holds it."""
    with leaving(python, 20_000) as neighbour, pytest.raises(MemoryExceeded) as caught:
        loaded(Vllm(), max_model_len=2048, gpu_memory_utilization=0.85)
    failure = caught.value.failure
    finding({"failure": failure, "neighbour": neighbour.pid})
    assert failure.error_class is ErrorClass.MEMORY_BUSY
    assert str(neighbour.pid) in f"{failure.message} {failure.suggestion}"
