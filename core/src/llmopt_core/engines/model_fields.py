"""Fields that mean the same for every engine, such as `dtype`, and what each engine makes of them. Pure.

A person names a model once, with its device, type, quantisation, batch and GPUs. Each engine brings what of
that is a parameter of its own, and why the rest cannot be given to it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

Arguments = Mapping[str, int | str]
# In the order in which they are written: two whole numbers of GPUs, one of requests, texts, and bits.
FIELDS = (
    "device",
    "dtype",
    "quantization",
    "max_batch_size",
    "tensor_parallel_size",
    "pipeline_parallel_size",
)
GPU_WORDS = frozenset({"auto", "cuda", "gpu"})


@dataclass(frozen=True)
class Unusable:
    """Why an engine cannot be given a field: what it expects in place of the value, and what to do."""

    expected: str
    hint: str


# Takes a field's value: text, a whole number, or the bits (4, 8, or 0 for none) that weights are quantised to
# while they are loaded. Gives the engine's parameters by plain name.
Meaning = Callable[[int | str], Arguments | Unusable]
Meanings = Mapping[str, Meaning]
NOTHING: Arguments = MappingProxyType({})


def named(parameter: str) -> Meaning:
    """Return the meaning of a field that is the engine's own `parameter`."""
    return lambda value: {parameter: value}


def only(values: frozenset[int | str], expected: str, hint: str) -> Meaning:
    """Return the meaning of a field of which the engine knows only `values`: they need no parameter."""
    return lambda value: NOTHING if value in values else Unusable(expected, hint)


# For an engine that uses the GPUs that it sees.
SEEN_GPUS = only(GPU_WORDS, "auto, cuda or gpu", "choose one GPU by the variable CUDA_VISIBLE_DEVICES")
# For an engine that divides a model among GPUs by itself, or not at all.
UNDIVIDED = only(
    frozenset({1}), "1", "this engine divides a model among GPUs by itself: remove it, or take engine vllm"
)


def not_quantised(hint: str) -> Meaning:
    """Return the meaning of `quantization` where an engine takes weights only as they are stored."""
    return only(frozenset({0}), "weights as they are", hint)
