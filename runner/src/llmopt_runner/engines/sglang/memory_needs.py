"""What SGLang will surely take of memory: the weights as it holds them, and the KV cache of one request.

Source: SGLang 0.5.23 (`srt/model_executor/pool_configurator.py`). Its cache has pages of any size for all
layers; a server whose cache cannot hold one request ends at its start.
"""

from collections.abc import Mapping

from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import weight_bytes, without_embeddings
from llmopt_runner.models.tensor_types import TensorType, named_type

_MIB = 1024 * 1024


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the least that a model of `shape` needs under `configuration`, over all devices together."""
    engine = configuration.engine
    replicas = int(engine.get("data_parallel_size", 1))
    method = engine.get("quantization")
    name = None if method is None else str(method)
    plain = _type_of_weights(engine)
    movable = replicas * weight_bytes(without_embeddings(shape.weights), plain, name)
    weights = replicas * weight_bytes(shape.weights, plain, name)
    devices = int(engine.get("tensor_parallel_size", 1)) * int(engine.get("pipeline_parallel_size", 1))
    offloaded = float(engine.get("cpu_offload_gb", 0)) * 2**30 * devices * replicas
    cache = replicas * _one_request_bytes(shape, engine)
    return MemoryNeed((weights - min(offloaded, movable)) / _MIB, 0.0, 0.0, cache / _MIB)


def _type_of_weights(engine: Mapping[str, Value]) -> TensorType:
    return named_type(str(engine.get("dtype", "auto"))) or TensorType.BFLOAT16


def _one_request_bytes(shape: ModelShape, engine: Mapping[str, Value]) -> float:
    length = int(engine.get("context_length", shape.max_context))
    return sum(
        layer.count * (min(length, layer.window or length) * layer.token_bytes(*_sizes(shape, engine)))
        + layer.count * layer.state_bytes
        for layer in shape.cache
    )


def _sizes(shape: ModelShape, engine: Mapping[str, Value]) -> tuple[float, float]:
    """Return the bytes of a key's and of a value's element."""
    cache_dtype = str(engine.get("kv_cache_dtype", "auto"))
    if cache_dtype == "auto":
        cache_type = shape.cache_type or _type_of_weights(engine)
    elif cache_dtype == "nvfp4":
        return 0.5 + 1 / 16, 0.5 + 1 / 16
    else:
        cache_type = named_type(cache_dtype) or TensorType.FP8_E4M3  # all others have a byte
    return cache_type.bytes_per_element, cache_type.bytes_per_element
