"""What vLLM will surely take of memory: the weights as it holds them, and the KV cache of one request.

Source: vLLM 0.32 (`config/model.py` for the type that `auto` stands for, `config/cache.py`,
`v1/core/kv_cache_utils.py` for the smallest KV cache that it starts with).
"""

from collections.abc import Mapping, Sequence
from functools import partial

from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.vllm.drafts import drafting
from llmopt_runner.engines.vllm.offloading import offloaded_bytes
from llmopt_runner.memory.layers import CachedLayers
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.paging import STATE_COPIES, TOKENS_IN_FLIGHT, paged_request_bytes
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.splits import Split
from llmopt_runner.memory.weights import StoredWeights, expert_bytes, replicated_bytes, weight_bytes
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


def _split(engine: Mapping[str, Value]) -> Split:
    sizes = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    tensor, pipeline, data = (max(1, int(engine.get(name, 1))) for name in sizes)
    return Split(tensor, pipeline, data)


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the least that a model of `shape` needs under `configuration`, over all devices together.

    Where gpu_memory_utilization decides how large the KV cache becomes, what one request needs of it counts
    as overhead: the cache that is then really there says nothing about another configuration's. Raises
    LayoutUnknown where what a draft model keeps of a sequence is not understood.
    """
    engine = configuration.engine
    split = _split(engine)
    drafts = drafting(shape, engine, _type_of_weights(engine))
    size_of = partial(_weight_bytes, engine=engine, split=split)
    held = size_of(shape.weights) - offloaded_bytes(shape, engine, split, size_of)
    weights_mib = (held + split.data * drafts.weight_bytes) / _MIB
    asked_mib = engine.get("kv_cache_memory_mib")
    if asked_mib is not None:
        cache_mib = float(asked_mib) * split.gpus
        return MemoryNeed(weights_mib, cache_mib, 0.0, 0.0, devices=split.gpus, left_out=drafts.left_out)
    request_mib = _one_request_bytes(shape, engine, split, drafts.layers) / _MIB
    return MemoryNeed(weights_mib, 0.0, 0.0, request_mib, devices=split.gpus, left_out=drafts.left_out)


def _weight_bytes(weights: StoredWeights, engine: Mapping[str, Value], split: Split) -> float:
    """Return what the model's own `weights` take, on all devices together.

    Experts are spread over all replicas, in parts or whole; of the rest each replica has its own, and of what
    is not split each device of a replica.
    """
    quantization = engine.get("quantization")
    plain, method = _type_of_weights(engine), None if quantization is None else str(quantization)
    experts = expert_bytes(weights, plain, method)
    repeated = replicated_bytes(weights, plain)
    shared = weight_bytes(weights, plain, method) - experts - repeated
    return experts + split.data * (shared + split.tensor * repeated)


def _type_of_weights(engine: Mapping[str, Value]) -> TensorType:
    # `auto` has no name of a type: float32 files too are then served in 16 bits.
    return named_type(str(engine.get("dtype", "auto"))) or TensorType.BFLOAT16


def _one_request_bytes(
    shape: ModelShape, engine: Mapping[str, Value], split: Split, drafting_layers: Sequence[CachedLayers]
) -> float:
    """Return what one request of the greatest length takes, of each replica's devices together."""
    batched = engine.get("max_num_batched_tokens")
    in_flight = TOKENS_IN_FLIGHT if batched is None else _STEPS_AT_A_TIME * int(batched)
    per_device = paged_request_bytes(
        [layer.on_one_of(split.tensor) for layer in (*shape.cache, *drafting_layers)],
        int(engine.get("max_model_len", shape.max_context)),
        *_sizes(shape, engine),
        in_flight=in_flight,
        state_copies=1 if engine.get("enable_prefix_caching") is False else STATE_COPIES,
    )
    return split.data * split.tensor * per_device


def _sizes(shape: ModelShape, engine: Mapping[str, Value]) -> tuple[float, float]:
    """Return the bytes of a key's and of a value's element."""
    named = str(engine.get("kv_cache_dtype", "auto"))
    if named == "auto":
        cache_type = shape.cache_type or _type_of_weights(engine)
        return cache_type.bytes_per_element, cache_type.bytes_per_element
    if named in _CACHE_BYTES:
        return _CACHE_BYTES[named]
    known = named_type(named) or TensorType.FP8_E4M3  # all others have a byte
    return known.bytes_per_element, known.bytes_per_element
