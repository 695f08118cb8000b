"""What vLLM is said to need of memory, before it is started."""

import dataclasses
import json

import pytest
from fakes.small_llama import CACHED_NUMBERS_A_TOKEN, MIB, SHAPE

from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm import Vllm
from llmopt_runner.engines.vllm_memory import memory_need
from llmopt_runner.memory.levels import GpuReserve
from llmopt_runner.memory.shapes import read_shape
from llmopt_runner.memory.tensor_types import TensorType

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
        ({"quantization": "nvfp4_per_token"}, 20 * 2 + 40),
        ({"quantization": "awq"}, 200),
    ],
)
def test_weights_are_counted_as_they_are_held(engine, weights_mib):
    """The type asked for decides, and what is quantised while it loads is smaller without its embeddings."""
    assert _need(**engine).weights_mib == pytest.approx(weights_mib)


@pytest.mark.parametrize(
    ("dtype", "size", "held_mib"),
    [
        (TensorType.FLOAT32, 400, 200),
        (TensorType.INT32, 60, 60),
        (TensorType.FP8_E4M3, 100, 100),
        (None, 60, 60),
    ],
)
def test_files_of_other_types_are_converted_or_kept(dtype, size, held_mib):
    """float32 is served in 16 bits unless asked otherwise; quantised files stay as they are."""
    shape = dataclasses.replace(SHAPE, dtype=dtype, weight_bytes=size * MIB)
    assert _need(shape).weights_mib == held_mib


@pytest.mark.parametrize(("dtype", "size"), [("BF16", 2), ("F16", 2), ("F32", 4)])
@pytest.mark.parametrize(("quantization", "weights_mib"), [(None, 62_489), ("fp8", 32_726)])
def test_a_checkpoint_in_plain_floats_is_quantised_while_it_loads(
    tmp_path, dtype, size, quantization, weights_mib
):
    """What its headers call the type decides: with fp8 a model of 32.8 billion parameters fits on 48 GiB."""
    shape = _checkpoint(tmp_path, dtype, size)
    engine = {} if quantization is None else {"quantization": quantization}
    assert _need(shape, **engine).weights_mib == pytest.approx(weights_mib, rel=1e-4)


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
