"""What a configuration will ask of memory, as its engine's model says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from llmopt_runner.memory.shapes import ModelShape

_MIB = 1024 * 1024
# Bytes an element; llama.cpp's quantised types hold blocks of 32 with their scales.
BYTES_PER_ELEMENT: Mapping[str, float] = MappingProxyType(
    {
        **dict.fromkeys(("f32", "float32"), 4.0),
        **dict.fromkeys(("f16", "float16", "bf16", "bfloat16"), 2.0),
        **dict.fromkeys(("fp8", "fp8_e4m3", "fp8_e5m2", "int8"), 1.0),
        "q8_0": 34 / 32,
        "q5_1": 24 / 32,
        "q5_0": 22 / 32,
        "q4_1": 20 / 32,
        "q4_0": 18 / 32,
        "iq4_nl": 18 / 32,
    }
)


@dataclass(frozen=True)
class MemoryNeed:
    """The parts of a need, in MiB. What an engine's model cannot tell it leaves out, rather than guess high.

    `place`: which memory it is taken from, where that is not the GPUs of a machine that has some and else
    the host. `both`: what does not fit on the GPUs goes to the host.
    """

    weights_mib: float
    kv_cache_mib: float
    activations_mib: float
    overhead_mib: float
    place: Literal["host", "gpu", "both"] | None = None

    @property
    def total_mib(self) -> float:
        """All parts together."""
        return self.weights_mib + self.kv_cache_mib + self.activations_mib + self.overhead_mib


def kv_cache_mib(shape: ModelShape, tokens: int, key_type: str, value_type: str | None = None) -> float:
    """Return the size of a KV cache for `tokens` of one sequence, its values of `key_type` unless given.

    Raises KeyError for a type that is not in BYTES_PER_ELEMENT.
    """
    bytes_per_pair = BYTES_PER_ELEMENT[key_type] + BYTES_PER_ELEMENT[value_type or key_type]
    return shape.cached_elements(tokens) / 2 * bytes_per_pair / _MIB
