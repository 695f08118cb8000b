"""What of the weights vLLM keeps in main memory, so that the GPUs need not hold it.

Only layers are moved: embeddings and the output head stay. Source: vLLM 0.32 (`config/offload.py`,
`model_executor/offloader`). Its build for CPUs moves nothing.
"""

from collections.abc import Callable, Mapping, Sequence

from llmopt_core.search.configurations import Value
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.splits import Split
from llmopt_runner.memory.stages import layers_of_stages
from llmopt_runner.memory.weights import StoredWeights, without_embeddings

_GIB = 2**30
_PREFETCH, _ZERO_COPY = "prefetch", "uva"


def offloaded_bytes(
    shape: ModelShape, engine: Mapping[str, Value], split: Split, size_of: Callable[[StoredWeights], float]
) -> float:
    """Return how many bytes less the weights take of all GPUs together than without `engine`'s offloading.

    `size_of` is what weights take of all GPUs together. Buffers for layers that are fetched ahead count
    against it, so that it may be below zero.
    """
    backend = _backend(engine)
    if backend == _PREFETCH:
        of_stages = layers_of_stages(shape, split.pipeline)
        return sum(_saved_by_prefetching([size_of(layer) for layer in stage], engine) for stage in of_stages)
    if backend == _ZERO_COPY:
        asked = float(engine.get("cpu_offload_gb", 0)) * _GIB * split.gpus
        return min(asked, size_of(without_embeddings(shape.weights)))
    return 0.0


def _backend(engine: Mapping[str, Value]) -> str:
    named = str(engine.get("offload_backend", "auto"))
    if named != "auto":
        return named
    if int(engine.get("offload_group_size", 0)) > 0:
        return _PREFETCH
    return _ZERO_COPY if float(engine.get("cpu_offload_gb", 0)) > 0 else ""


def _saved_by_prefetching(layers: Sequence[float], engine: Mapping[str, Value]) -> float:
    """Return what is saved of the `layers` of a stage, by size: the last of each group are moved.

    Each that is fetched ahead has a buffer of the largest that is moved.
    """
    group, last = int(engine.get("offload_group_size", 0)), int(engine.get("offload_num_in_group", 1))
    if group < 1:
        return 0.0  # vLLM refuses it
    moved = [size for index, size in enumerate(layers) if index % group >= group - last]
    return sum(moved) - int(engine.get("offload_prefetch_step", 1)) * max(moved, default=0.0)
