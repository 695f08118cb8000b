"""What `transformers serve` will ask of memory: weights, and the paged cache where its size is set."""

from collections.abc import Mapping
from typing import Literal

from llmopt_core.engines.transformers.bnb_4bit import DOUBLE_QUANT, QUANTIZATION
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.memory.needs import MemoryNeed, kv_cache_mib
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import BNB_4BIT_ONCE, weight_bytes
from llmopt_runner.models.tensor_types import TensorType, named_type

_MIB = 2**20


def memory_need(shape: ModelShape, configuration: Configuration) -> MemoryNeed:
    """Return the need of `configuration`, without what its requests and the machine decide.

    Without continuous batching the cache is as long as the one request that is answered; with it, and without
    a number of blocks, it takes a share of what is free.
    """
    engine = configuration.engine
    asked = str(engine.get("dtype", "auto"))
    dtype = named_type(asked)  # None, for auto: as stored
    return MemoryNeed(
        weights_mib=weight_bytes(shape.weights, dtype, _method(engine)) / _MIB,
        kv_cache_mib=_paged_cache_mib(shape, engine, dtype or shape.dtype),
        activations_mib=0.0,
        overhead_mib=0.0,
        place=_place(engine),
    )


def _place(engine: Mapping[str, Value]) -> Literal["host", "both"] | None:
    """Return where it lies; with `auto` layers that do not fit on the GPUs are put into main memory.

    bitsandbytes refuses that, and a device that is named is the only one.
    """
    device = engine.get("device", "auto")
    if device == "cpu":
        return "host"
    quantised = str(engine.get("quantization", "none")) != "none"
    return "both" if device == "auto" and not quantised else None


def _method(engine: Mapping[str, Value]) -> str:
    method = str(engine.get("quantization"))
    return BNB_4BIT_ONCE if method == QUANTIZATION and engine.get(DOUBLE_QUANT) is False else method


def _paged_cache_mib(shape: ModelShape, engine: Mapping[str, Value], dtype: TensorType | None) -> float:
    blocks, block_tokens = engine.get("cb_num_blocks"), engine.get("cb_block_size")
    if engine.get("continuous_batching") is not True or blocks is None or block_tokens is None:
        return 0.0
    if dtype is None or not dtype.is_plain_float:
        return 0.0
    return kv_cache_mib(shape, int(blocks) * int(block_tokens), dtype)
