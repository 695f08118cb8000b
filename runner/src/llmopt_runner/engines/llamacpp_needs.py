"""What llama.cpp's server asks of memory, as of build b11549 (`llama-kv-cache.cpp`, `llama-context.cpp`)."""

from llmopt_core.engines.llamacpp import LLAMACPP
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed, kv_cache_mib
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.tensor_types import TensorType, named_type

_MIB = 1024 * 1024
# Interpreter, library and threads of a server that holds a model of no size.
_PROCESS_MIB = 60.0


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return weights, cache and process.

    The compute buffer is reserved for the largest step and hardly touched: on a CPU it stays unoccupied, and
    on a GPU it is learned from the first starts. What prompt caches of idle slots take comes later.
    """
    values = LLAMACPP.canonical(configuration).engine
    tokens = _whole(values["n_ctx"]) or shape.max_context
    # Each slot has a cache of its own, unless all share one.
    caches = 1 if values["kv_unified"] else _whole(values["n_parallel"])
    types = _cache_type(values["cache_type_k"]), _cache_type(values["cache_type_v"])
    return MemoryNeed(
        weights_mib=shape.weight_bytes / _MIB,
        kv_cache_mib=caches * kv_cache_mib(shape, tokens // caches, *types),
        activations_mib=0.0,
        overhead_mib=_PROCESS_MIB,
        place="host" if values["n_gpu_layers"] == 0 else "both",
    )


def _cache_type(name: Value) -> TensorType:
    if (found := named_type(str(name))) is None:
        raise ValueError(f"{name!r} is not the name of a tensor type")
    return found


def _whole(value: Value) -> int:
    if isinstance(value, str):
        raise ValueError(f"{value!r} is not a number")
    return int(value)
