"""What llama.cpp's server asks of memory, as of build b11549 (`llama-kv-cache.cpp`, `llama-context.cpp`)."""

import math
from collections.abc import Mapping

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.drafts import AskedDraft, Drafting, drafting_by, own_drafting
from llmopt_runner.memory.layers import CachedLayers
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.tensor_types import TensorType, named_type

_MIB = 1024 * 1024
# Interpreter, library and threads of a server that holds a model of no size.
_PROCESS_MIB = 60.0
_WINDOW_PADDING = 256
_OWN_LAYERS = "draft-mtp"
# The cache of what guesses has a type of its own, which is not a parameter here.
_DRAFT_CACHE: Mapping[str, Value] = {"cache_type_k": "f16", "cache_type_v": "f16"}


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return weights, cache and process, with what guesses tokens.

    The compute buffer is reserved for the largest step and hardly touched: on a CPU it stays unoccupied, and
    on a GPU it is learned from the first starts. What prompt caches of idle slots take comes later. Raises
    LayoutUnknown where what a draft model keeps of a sequence is not understood.
    """
    values = LLAMACPP.canonical(configuration).engine
    drafts = _drafting(shape, values)
    cached = sum(_layers_bytes(layers, values, shape.max_context) for layers in shape.cache)
    guessed = sum(
        _layers_bytes(layers, {**values, **_DRAFT_CACHE}, shape.max_context) for layers in drafts.layers
    )
    return MemoryNeed(
        weights_mib=(shape.weight_bytes + drafts.weight_bytes) / _MIB,
        kv_cache_mib=(cached + guessed) / _MIB,
        activations_mib=0.0,
        overhead_mib=_PROCESS_MIB,
        place="host" if values["n_gpu_layers"] == 0 and not drafts.weight_bytes else "both",
        left_out=drafts.left_out,
    )


def _drafting(shape: ModelShape, values: Mapping[str, Value]) -> Drafting:
    """Return what is loaded to guess tokens: a model as its file has it, or the model's own layers."""
    if values["spec_type"] == _OWN_LAYERS:
        return own_drafting(shape)
    source = values.get("spec_draft_model")
    return Drafting() if source is None else drafting_by(AskedDraft("spec_draft_model", str(source)))


def _layers_bytes(layers: CachedLayers, values: Mapping[str, Value], max_context: int) -> float:
    """Return what layers of one kind keep of all slots.

    Each slot has a cache of its own, unless all share one. A window also holds the step that is being
    computed, and the windows of all that share a cache.
    """
    slots = _whole(values["n_parallel"])
    caches, sharing = (1, slots) if values["kv_unified"] else (slots, 1)
    kept = (_whole(values["n_ctx"]) or max_context) // caches
    if layers.window:
        needed = layers.window * sharing + _whole(values["n_ubatch"])
        kept = min(kept, math.ceil(needed / _WINDOW_PADDING) * _WINDOW_PADDING)
    types = _cache_type(values["cache_type_k"]), _cache_type(values["cache_type_v"])
    token_bytes = layers.token_bytes(*(each.bytes_per_element for each in types))
    return layers.count * (caches * kept * token_bytes + slots * layers.state_bytes)


def _cache_type(name: Value) -> TensorType:
    if (found := named_type(str(name))) is None:
        raise ValueError(f"{name!r} is not the name of a tensor type")
    return found


def _whole(value: Value) -> int:
    if isinstance(value, str):
        raise ValueError(f"{value!r} is not a number")
    return int(value)
