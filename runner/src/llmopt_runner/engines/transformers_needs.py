"""What `transformers serve` will ask of memory: weights, and the paged cache where it is told its size."""

from collections.abc import Mapping

from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed, kv_cache_mib
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.tensor_types import TensorType, named_type

_MIB = 2**20
# bitsandbytes: 4 bits and an 8-bit scale for each block of 64; 8 bits, and a scale for a whole row.
_BYTES_PER_QUANTISED = {"bnb-4bit": 0.5 + 1 / 64, "bnb-8bit": 1.0}


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the need of `configuration`, without what its requests and the machine decide.

    Without continuous batching the cache is as long as the one request that is answered; with it, and without
    a number of blocks, it takes a share of what is free.
    """
    engine = configuration.engine
    dtype = _dtype(shape, engine)
    return MemoryNeed(
        weights_mib=_weight_bytes(shape, engine, dtype) / _MIB,
        kv_cache_mib=_paged_cache_mib(shape, engine, dtype),
        activations_mib=0.0,
        overhead_mib=0.0,
        place="host" if engine.get("device") == "cpu" else None,
    )


def _dtype(shape: ModelShape, engine: Mapping[str, Value]) -> TensorType | None:
    asked = str(engine.get("dtype", "auto"))
    return shape.dtype if asked == "auto" else named_type(asked)


def _weight_bytes(shape: ModelShape, engine: Mapping[str, Value], dtype: TensorType | None) -> float:
    if dtype is None or shape.dtype is None or not shape.dtype.is_plain_float:
        return shape.weight_bytes  # quantised in its files, and kept so
    quantised = _BYTES_PER_QUANTISED.get(str(engine.get("quantization")))
    plain = dtype.bytes_per_element
    if quantised is None:
        return shape.weight_bytes if dtype is shape.dtype else shape.parameters * plain
    # bitsandbytes leaves embeddings and the output head as they are.
    linear = shape.parameters - shape.embedding_parameters
    return linear * quantised + shape.embedding_parameters * plain


def _paged_cache_mib(shape: ModelShape, engine: Mapping[str, Value], dtype: TensorType | None) -> float:
    blocks, block_tokens = engine.get("cb_num_blocks"), engine.get("cb_block_size")
    if engine.get("continuous_batching") is not True or blocks is None or block_tokens is None:
        return 0.0
    if dtype is None or not dtype.is_plain_float:
        return 0.0
    return kv_cache_mib(shape, int(blocks) * int(block_tokens), dtype)
