"""What vLLM will surely take of memory: the weights as it holds them, and the KV cache of one request.

Source: vLLM 0.32 (`config/model.py` for the type that `auto` stands for, `config/cache.py`,
`v1/core/kv_cache_utils.py` for the smallest KV cache that it starts with).
"""

from collections.abc import Mapping

from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed, kv_cache_mib
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.tensor_types import TensorType, named_type

_MIB = 1024 * 1024
# Types with less than a byte an element; all others that quantise have one.
_HALF_BYTE = frozenset({"online", "nvfp4_per_token"})
_QUANTISED_WHILE_LOADING = frozenset(
    {"fp8", "fp8_per_tensor", "fp8_per_block", "fp8_per_channel", "int8_per_channel_weight_only", "mxfp8"}
)
_HALF_BYTE_CACHES = ("nvfp4", "turboquant", "ultraquant", "int4")


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the least that a model of `shape` needs under `configuration`, over all devices together.

    Where gpu_memory_utilization decides how large the KV cache becomes, what one request needs of it counts
    as overhead: the cache that is then really there says nothing about another configuration's.
    """
    engine = configuration.engine
    weights_mib = _weight_bytes(shape, engine) / _MIB
    asked_mib = engine.get("kv_cache_memory_mib")
    if asked_mib is not None:
        devices = float(engine.get("tensor_parallel_size", 1))
        return MemoryNeed(weights_mib, float(asked_mib) * devices, 0.0, 0.0)
    return MemoryNeed(weights_mib, 0.0, 0.0, _one_request_mib(shape, engine))


def _weight_bytes(shape: ModelShape, engine: Mapping[str, Value]) -> float:
    if shape.dtype is None or not shape.dtype.is_plain_float:  # quantised in its files
        return shape.weight_bytes
    plain = _type_of_weights(engine).bytes_per_element
    quantised = _bytes_quantised(str(engine.get("quantization", "")))
    if quantised is None:
        return shape.parameters * plain
    layers = shape.parameters - shape.embedding_parameters
    return shape.embedding_parameters * plain + layers * quantised


def _bytes_quantised(method: str) -> float | None:
    """Return the bytes of a weight that `method` quantises while it loads, None where it does not."""
    if method in _HALF_BYTE:
        return 0.5
    return 1.0 if method in _QUANTISED_WHILE_LOADING else None


def _type_of_weights(engine: Mapping[str, Value]) -> TensorType:
    # `auto` has no name of a type: float32 files too are then served in 16 bits.
    return named_type(str(engine.get("dtype", "auto"))) or TensorType.BFLOAT16


def _one_request_mib(shape: ModelShape, engine: Mapping[str, Value]) -> float:
    tokens = int(engine.get("max_model_len", shape.max_context))
    told = str(engine.get("kv_cache_dtype", "auto"))
    if told == "auto":
        return kv_cache_mib(shape, tokens, _type_of_weights(engine))
    if (cache_type := named_type(told)) is not None:
        return kv_cache_mib(shape, tokens, cache_type)
    one_byte_mib = kv_cache_mib(shape, tokens, TensorType.FP8_E4M3)
    return one_byte_mib / 2 if told.startswith(_HALF_BYTE_CACHES) else one_byte_mib
