"""What vLLM is said to need of memory, before it is started."""

import json
from dataclasses import replace

import pytest
from fakes.small_llama import CACHED_NUMBERS_A_TOKEN, MIB, SHAPE, quantised

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.engines.vllm.memory_needs import memory_need
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import read_shape
from llmopt_runner.memory.weights import StoredWeights
from llmopt_runner.models.tensor_types import TensorType

# 32.8 thousand million parameters: two embeddings of 151,936 by 5,120, and 64 layers.
LARGE = {
    "model.embed_tokens.weight": (151_936, 5120),
    "lm_head.weight": (151_936, 5120),
    **{f"model.layers.{layer}.weight": (5120, 95_234) for layer in range(64)},
}
LARGE_CONFIG = {
    "num_hidden_layers": 64,
    "hidden_size": 5120,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151_936,
    "max_position_embeddings": 40_960,
    "torch_dtype": "bfloat16",
}


def _checkpoint(folder, dtype, bytes_per_element):
    """Write the headers of a checkpoint as the hub has it; its data is a hole in the file."""
    header, offset = {}, 0
    for name, shape in LARGE.items():
        size = shape[0] * shape[1] * bytes_per_element
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)
    (folder / "config.json").write_text(json.dumps(LARGE_CONFIG))
    return read_shape(folder)


def _need(shape=SHAPE, **engine):
    return memory_need(shape, Configuration(engine=engine))


@pytest.mark.parametrize(
    ("engine", "weights_mib"),
    [
        ({}, 200),
        ({"dtype": "float32"}, 400),
        ({"dtype": "float16"}, 200),
        ({"quantization": "fp8"}, 20 * 2 + 80),
        ({"quantization": "mxfp4"}, 20 * 2 + 42.5),
        ({"quantization": "nvfp4_per_token"}, 200),  # of experts only, and here are none
        ({"quantization": "awq"}, 200),
    ],
)
def test_weights_are_counted_as_they_are_held(engine, weights_mib):
    """The type asked for decides, and what is quantised while it loads is smaller without its embeddings."""
    assert _need(**engine).weights_mib == pytest.approx(weights_mib)


def test_quantised_files_stay_as_they_are():
    """Neither a type nor a quantisation that is asked for changes what is quantised in its files."""
    assert _need(quantised(60), dtype="float16", quantization="fp8").weights_mib == 60


@pytest.mark.parametrize(("dtype", "size"), [("BF16", 2), ("F16", 2), ("F32", 4)])
@pytest.mark.parametrize(("quantization", "weights_mib"), [(None, 62_489), ("fp8", 32_726)])
def test_a_checkpoint_in_plain_floats_is_quantised_while_it_loads(
    tmp_path, dtype, size, quantization, weights_mib
):
    """What its headers call the type decides: with fp8 a model of 32.8 billion parameters fits on 48 GiB."""
    shape = _checkpoint(tmp_path, dtype, size)
    engine = {} if quantization is None else {"quantization": quantization}
    assert _need(shape, **engine).weights_mib == pytest.approx(weights_mib, rel=1e-4)


# A layer is 930 MiB, the layers are 59,521.
@pytest.mark.parametrize(
    ("engine", "weights_mib"),
    [
        ({"cpu_offload_gb": 40}, 62_489 - 40 * 1024),
        ({"cpu_offload_gb": 20, "tensor_parallel_size": 2}, 62_489 - 40 * 1024),
        ({"cpu_offload_gb": 500}, 2967),  # embeddings and head stay
        ({"cpu_offload_gb": 40, "offload_backend": "prefetch"}, 62_489),
        ({"offload_group_size": 2, "offload_num_in_group": 1}, 62_489 - 31 * 930),
        ({"offload_group_size": 8, "offload_num_in_group": 2, "cpu_offload_gb": 40}, 62_489 - 15 * 930),
        ({"offload_group_size": 8, "offload_prefetch_step": 3}, 62_489 - 5 * 930),
        ({"offload_group_size": 8, "offload_backend": "uva"}, 62_489),
        # Each stage counts its own 16 layers, and has buffers of its own.
        (
            {"offload_group_size": 16, "offload_num_in_group": 4, "pipeline_parallel_size": 4},
            62_489 - 12 * 930,
        ),
        ({"offload_group_size": 2, "data_parallel_size": 2}, 2 * (62_489 - 31 * 930)),
        ({"offload_group_size": 2, "quantization": "fp8"}, 32_726 - 31 * 465),
    ],
)
@pytest.mark.parametrize("placed", [True, False])
def test_layers_in_main_memory_are_not_needed_on_gpus(tmp_path, engine, weights_mib, placed):
    """By size or by groups of layers, which need buffers for those that are fetched ahead."""
    shape = _checkpoint(tmp_path, "BF16", 2)
    need = _need(shape if placed else replace(shape, placed=None), **engine)
    assert need.weights_mib == pytest.approx(weights_mib, rel=1e-3)


@pytest.mark.parametrize(("dtype", "size"), [("F8_E4M3", 1), ("I32", 4), ("U8", 1), ("F4_NEW", 1)])
def test_a_checkpoint_that_is_quantised_already_stays_as_it_is(tmp_path, dtype, size):
    """Weights in a type that is no plain float, or not known here, need what they take in their files."""
    shape = _checkpoint(tmp_path, dtype, size)
    assert _need(shape, quantization="fp8").weights_mib == pytest.approx(shape.weight_bytes / MIB)


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
        ({"max_model_len": 512, "kv_cache_dtype": "nvfp4"}, 512, 0.5625),
        ({"max_model_len": 512, "dtype": "float32"}, 512, 4),
    ],
)
def test_the_cache_must_hold_one_longest_request(engine, tokens, bytes_a_number):
    """Without a size the least is one request; it is no part that a start's own figures may scale."""
    need = _need(**engine)
    assert need.kv_cache_mib == 0
    assert need.overhead_mib == pytest.approx(CACHED_NUMBERS_A_TOKEN * tokens * bytes_a_number / MIB)


@pytest.mark.parametrize(
    ("engine", "reserve"),
    [
        ({}, GpuReserve(0.92)),
        ({"gpu_memory_utilization": 0.5}, GpuReserve(0.5)),
        ({"kv_cache_memory_mib": 64}, GpuReserve(mib=64)),
    ],
)
def test_what_is_taken_on_purpose(engine, reserve):
    """What vLLM reserves at its start is no sign of danger: its share, or the cache that is given."""
    assert Vllm().gpu_reserve(Configuration(engine=engine)) == reserve


def _hybrid(*layers):
    return replace(SHAPE, cache=layers)


@pytest.mark.parametrize(
    ("engine", "share"),
    [
        ({"tensor_parallel_size": 2}, 1),
        ({"tensor_parallel_size": 8}, 2),  # four KV heads: each is held twice
        ({"pipeline_parallel_size": 2}, 1),
        ({"data_parallel_size": 2}, 2),
    ],
)
def test_the_cache_of_all_devices_together(engine, share):
    """Heads are split and, beyond their number, repeated; each replica needs a request's cache."""
    need = _need(max_model_len=512, **engine)
    assert need.overhead_mib == pytest.approx(share * CACHED_NUMBERS_A_TOKEN * 512 * 2 / MIB)


def test_a_latent_is_held_by_every_device():
    """It is of all heads, and cannot be split."""
    latent = CachedLayers(LayerKind.LATENT, 10, key_elements=576)
    need = _need(_hybrid(latent), max_model_len=512, tensor_parallel_size=8)
    assert need.overhead_mib == pytest.approx(8 * 10 * 576 * 512 * 2 / MIB)


def test_replicas_share_experts():
    """Every replica has all weights, but for experts, which are spread over all: in parts, or whole."""
    weights = StoredWeights(stored_bytes=200 * MIB, linear=40 * MIB, experts=60 * MIB, expert_bytes=120 * MIB)
    shape = replace(SHAPE, weights=weights)
    for asked in ({}, {"enable_expert_parallel": True}):
        shared = _need(shape, data_parallel_size=4, **asked)
        assert shared.weights_mib == pytest.approx(4 * 80 + 120)
        assert shared.devices == 4
    assert _need(shape, data_parallel_size=4, quantization="fp8").weights_mib == pytest.approx(4 * 40 + 60)
    both = _need(shape, tensor_parallel_size=4, pipeline_parallel_size=2)
    assert (both.weights_mib, both.devices) == (pytest.approx(200), 8)


def test_what_is_not_split_is_held_by_each_device():
    """Norms, routers and biases."""
    shape = replace(SHAPE, weights=StoredWeights(stored_bytes=200 * MIB, linear=90 * MIB, other=10 * MIB))
    need = _need(shape, tensor_parallel_size=4, pipeline_parallel_size=2, data_parallel_size=3)
    assert need.weights_mib == pytest.approx(3 * (180 + 4 * 20))


@pytest.mark.parametrize(
    ("method", "weights", "cached"),
    [
        ("draft_model", True, True),
        ("eagle", True, True),
        ("eagle3", True, True),
        ("medusa", True, False),
        ("ngram", False, False),
    ],
)
def test_a_model_that_guesses_needs_memory_too(tmp_path, method, weights, cached):
    """Its weights in each replica, and for one whose layers attend the cache of the same tokens."""
    draft = _checkpoint(tmp_path, "BF16", 2)
    named = {} if method == "ngram" else {"speculative_model": str(tmp_path)}
    asked = {"max_model_len": 512, "data_parallel_size": 2, "speculative_method": method, **named}
    need, alone = _need(**asked), _need(max_model_len=512, data_parallel_size=2)
    assert need.weights_mib - alone.weights_mib == pytest.approx(weights * 2 * draft.weight_bytes / MIB)
    more = 2 * 2 * 64 * 8 * 128 * 512 * 2 / MIB
    assert need.overhead_mib - alone.overhead_mib == pytest.approx(cached * more)


def test_layers_that_only_draft_are_loaded_where_they_are_asked_to():
    """Multi-token prediction is stored with the model."""
    shape = replace(SHAPE, weights=replace(SHAPE.weights, drafting_bytes=30 * MIB))
    assert _need(shape).weights_mib == pytest.approx(200)
    assert _need(shape, speculative_method="mtp").weights_mib == pytest.approx(230)


@pytest.mark.parametrize("named", ["org/draft", "/nowhere"])
def test_a_model_that_guesses_and_is_not_here_is_left_out(named):
    """Nothing is fetched to predict, and nothing is refused for it."""
    asked = {"speculative_method": "draft_model", "speculative_model": named}
    assert _need(**asked).total_mib == _need().total_mib


@pytest.mark.parametrize(
    ("named", "numbers"), [("fp8_ds_mla", 656), ("nvfp4_ds_mla", 416), ("auto", 2 * 576), ("fp8", 576)]
)
def test_a_latent_in_its_own_formats(named, numbers):
    """DeepSeek's formats keep a part of each latent in 16 bits, and scales."""
    latent = CachedLayers(LayerKind.LATENT, 1, key_elements=576)
    need = _need(_hybrid(latent), max_model_len=1024, kv_cache_dtype=named)
    assert need.overhead_mib == pytest.approx(numbers * 1024 / MIB)


def test_a_checkpoint_may_ask_for_a_smaller_cache():
    """`auto` is what the files say; a type that is asked for comes first."""
    shape = replace(SHAPE, cache_type=TensorType.FP8_E4M3)
    assert _need(shape).overhead_mib == pytest.approx(_need().overhead_mib / 2)
    assert _need(shape, kv_cache_dtype="bfloat16").overhead_mib == pytest.approx(_need().overhead_mib)


def test_a_window_is_held_with_the_tokens_that_are_computed():
    """Two steps are under way at a time, and a window begins within a block."""
    windowed = CachedLayers(LayerKind.WINDOWED, 1, key_elements=MIB // 32, window=1024)
    full = CachedLayers(LayerKind.FULL, 1, key_elements=MIB // 32)
    need = _need(_hybrid(windowed, full), max_model_len=32_768, max_num_batched_tokens=512)
    # A block of 16 tokens is a MiB.
    assert need.overhead_mib == 32_768 / 16 + (1024 + 1024) / 16 + 1


@pytest.mark.parametrize(("engine", "copies"), [({}, 2), ({"enable_prefix_caching": False}, 1)])
def test_a_state_takes_a_block_and_with_prefix_caching_two(engine, copies):
    """Blocks are as large as a state, so that both can be had of one pool."""
    state = CachedLayers(LayerKind.STATE, 2, state_bytes=MIB)
    full = CachedLayers(LayerKind.FULL, 2, key_elements=512)
    need = _need(_hybrid(state, full), max_model_len=32_768, **engine)
    assert need.overhead_mib == 2 * (32_768 / 1024 + copies)


@pytest.mark.parametrize(("engine", "takes"), [({}, True), ({"kv_cache_memory_mib": 64}, False)])
def test_a_cache_without_a_size_takes_what_is_left(engine, takes):
    """Then what was held says nothing of a need."""
    assert Vllm().cache_takes_rest(Configuration(engine=engine)) is takes
