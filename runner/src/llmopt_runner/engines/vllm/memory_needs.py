"""What vLLM will surely take of memory: the weights as it holds them, and the KV cache of one request.

Source: vLLM 0.32 (`config/model.py` for the type that `auto` stands for, `config/cache.py`,
`v1/core/kv_cache_utils.py` for the smallest KV cache that it starts with).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.paging import STATE_COPIES, TOKENS_IN_FLIGHT, paged_request_bytes
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import weight_bytes
from llmopt_runner.models.tensor_types import TensorType, named_type

_MIB = 1024 * 1024
_STEPS_AT_A_TIME = 2
# Bytes of one key and one value, by the name that engine.kv_cache_dtype has for them; the scales that some
# have for each head are left out. DeepSeek's formats keep a latent of 576 in 656 or 416 bytes.
_CACHE_BYTES: Mapping[str, tuple[float, float]] = {
    "fp8_ds_mla": (656 / 576, 0.0),
    "nvfp4_ds_mla": (416 / 576, 0.0),
    "turboquant_k8v4": (1.0, 0.5),
    "turboquant_4bit_nc": (0.5, 0.5),
    "turboquant_k3v4_nc": (0.375, 0.5),
    "turboquant_3bit_nc": (0.375, 0.375),
    "ultraquant_4bit": (0.5, 0.5),
    "int4_per_token_head": (0.5, 0.5),
    "nvfp4": (0.5 + 1 / 16, 0.5 + 1 / 16),
    "nvfp4_4over6": (0.5 + 1 / 16, 0.5 + 1 / 16),
}


@dataclass(frozen=True)
class _Devices:
    """How many devices share each layer, how many stages the layers are split into, and how many replicas."""

    tensor: int
    pipeline: int
    data: int
    expert_parallel: bool

    @classmethod
    def of(cls, engine: Mapping[str, Value]) -> "_Devices":
        sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
        tensor, pipeline, data = (max(1, int(engine.get(name, 1))) for name in sizes)
        return cls(tensor, pipeline, data, engine.get("enable_expert_parallel") is True)


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the least that a model of `shape` needs under `configuration`, over all devices together.

    Where gpu_memory_utilization decides how large the KV cache becomes, what one request needs of it counts
    as overhead: the cache that is then really there says nothing about another configuration's.
    """
    engine = configuration.engine
    devices = _Devices.of(engine)
    weights_mib = _weight_bytes(shape, engine, devices) / _MIB
    asked_mib = engine.get("kv_cache_memory_mib")
    if asked_mib is not None:
        total_mib = float(asked_mib) * devices.tensor * devices.pipeline * devices.data
        return MemoryNeed(weights_mib, total_mib, 0.0, 0.0)
    return MemoryNeed(weights_mib, 0.0, 0.0, _one_request_bytes(shape, engine, devices) / _MIB)


def _weight_bytes(shape: ModelShape, engine: Mapping[str, Value], devices: _Devices) -> float:
    method = engine.get("quantization")
    loaded = weight_bytes(shape.weights, _type_of_weights(engine), None if method is None else str(method))
    # A replica has all weights of its own, but for experts that all replicas share.
    stored = shape.weights.stored_bytes
    shared = shape.weights.expert_bytes / stored if devices.expert_parallel and stored else 0.0
    held = loaded * (shared + (1 - shared) * devices.data)
    return max(0.0, held - _offloaded_bytes(held, engine, devices))


def _offloaded_bytes(held: float, engine: Mapping[str, Value], devices: _Devices) -> float:
    """Return what of the weights lies in main memory, of all devices together."""
    group = int(engine.get("offload_group_size", 0))
    if group:
        return held * min(1.0, int(engine.get("offload_num_in_group", 1)) / group)
    count = devices.tensor * devices.pipeline * devices.data
    return float(engine.get("cpu_offload_gb", 0)) * 2**30 * count


def _type_of_weights(engine: Mapping[str, Value]) -> TensorType:
    # `auto` has no name of a type: float32 files too are then served in 16 bits.
    return named_type(str(engine.get("dtype", "auto"))) or TensorType.BFLOAT16


def _one_request_bytes(shape: ModelShape, engine: Mapping[str, Value], devices: _Devices) -> float:
    """Return what one request of the greatest length takes, of each replica's devices together."""
    batched = engine.get("max_num_batched_tokens")
    in_flight = TOKENS_IN_FLIGHT if batched is None else _STEPS_AT_A_TIME * int(batched)
    per_device = paged_request_bytes(
        [layer.on_one_of(devices.tensor) for layer in shape.cache],
        int(engine.get("max_model_len", shape.max_context)),
        *_sizes(shape, engine),
        in_flight=in_flight,
        state_copies=1 if engine.get("enable_prefix_caching") is False else STATE_COPIES,
    )
    return devices.data * devices.tensor * per_device


def _sizes(shape: ModelShape, engine: Mapping[str, Value]) -> tuple[float, float]:
    """Return the bytes of a key's and of a value's element."""
    told = str(engine.get("kv_cache_dtype", "auto"))
    if told == "auto":
        cache_type = shape.cache_type or _type_of_weights(engine)
        return cache_type.bytes_per_element, cache_type.bytes_per_element
    if told in _CACHE_BYTES:
        return _CACHE_BYTES[told]
    known = named_type(told) or TensorType.FP8_E4M3  # all others have a byte
    return known.bytes_per_element, known.bytes_per_element
