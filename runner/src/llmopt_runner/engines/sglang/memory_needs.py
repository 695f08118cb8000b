"""What SGLang will surely take of memory: the weights as it holds them, and the KV cache of one request.

Source: SGLang 0.5.23 (`srt/model_executor/pool_configurator.py`, `srt/speculative`). Its cache has pages of
any size for all layers; a server whose cache cannot hold one request ends at its start.
"""

from collections.abc import Mapping, Sequence

from llmopt_core.engines.sglang.parameters import NO_METHOD
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.drafts import AskedDraft, Drafting, drafting_by, own_drafting
from llmopt_runner.memory.layers import CachedLayers
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import weight_bytes, without_embeddings
from llmopt_runner.models.tensor_types import TensorType, named_type

_MIB = 1024 * 1024
_DRAFT = "speculative_draft_model_path"
_WITHOUT_A_MODEL = frozenset({NO_METHOD, "NGRAM"})


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the least that a model of `shape` needs under `configuration`, over all devices together.

    Raises LayoutUnknown where what a draft model keeps of a sequence is not understood.
    """
    engine = configuration.engine
    replicas = int(engine.get("data_parallel_size", 1))
    plain, method = _type_of_weights(engine), _method(engine)
    drafts = _drafting(shape, engine)
    movable = replicas * weight_bytes(without_embeddings(shape.weights), plain, method)
    weights = replicas * weight_bytes(shape.weights, plain, method)
    devices = int(engine.get("tensor_parallel_size", 1)) * int(engine.get("pipeline_parallel_size", 1))
    offloaded = min(float(engine.get("cpu_offload_gb", 0)) * 2**30 * devices * replicas, movable)
    weights_mib = (weights - offloaded + replicas * drafts.weight_bytes) / _MIB
    cache_mib = replicas * _one_request_bytes(shape, engine, drafts.layers) / _MIB
    return MemoryNeed(weights_mib, 0.0, 0.0, cache_mib, left_out=drafts.left_out)


def _method(engine: Mapping[str, Value]) -> str | None:
    method = engine.get("quantization")
    return None if method is None else str(method)


def _drafting(shape: ModelShape, engine: Mapping[str, Value]) -> Drafting:
    """Return what is loaded to guess tokens: a model, quantised as this one is, or this one's own layers."""
    algorithm, source = engine.get("speculative_algorithm", NO_METHOD), engine.get(_DRAFT)
    if algorithm in _WITHOUT_A_MODEL:
        return Drafting()
    if source is None:
        return own_drafting(shape)
    plain = _type_of_weights(engine)
    return drafting_by(AskedDraft(_DRAFT, str(source), plain=plain, method=_method(engine)))


def _type_of_weights(engine: Mapping[str, Value]) -> TensorType:
    return named_type(str(engine.get("dtype", "auto"))) or TensorType.BFLOAT16


def _one_request_bytes(
    shape: ModelShape, engine: Mapping[str, Value], drafting_layers: Sequence[CachedLayers]
) -> float:
    length = int(engine.get("context_length", shape.max_context))
    return sum(
        layer.count * (min(length, layer.window or length) * layer.token_bytes(*_sizes(shape, engine)))
        + layer.count * layer.state_bytes
        for layer in (*shape.cache, *drafting_layers)
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
