"""What a configuration will ask of memory, as its engine's model says it."""

from dataclasses import dataclass
from typing import Literal

from llmopt_runner.memory.layers import request_bytes
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.tensor_types import TensorType

_MIB = 1024 * 1024


@dataclass(frozen=True)
class MemoryNeed:
    """The parts of a need, in MiB. What is not known of a model is left out, rather than guessed high.

    `place`: which memory it is taken from, where that is not the GPUs of a machine that has some and else
    the host. `both`: what does not fit on the GPUs goes to the host.
    `devices`: on how many GPUs it lies, and the engine then reports of one of them; None: on as many as there
    are, and it reports of all. `left_out`: what of the need is not known and in no part, in words.
    """

    weights_mib: float
    kv_cache_mib: float
    activations_mib: float
    overhead_mib: float
    place: Literal["host", "gpu", "both"] | None = None
    devices: int | None = None
    left_out: str = ""

    @property
    def total_mib(self) -> float:
        """All parts together."""
        return self.weights_mib + self.kv_cache_mib + self.activations_mib + self.overhead_mib


def kv_cache_mib(
    shape: ModelShape, tokens: int, key_type: TensorType, value_type: TensorType | None = None
) -> float:
    """Return the least that `tokens` of one sequence take: keys and values, and the states of its layers.

    Values have `key_type` unless their own is given.
    """
    sizes = key_type.bytes_per_element, (value_type or key_type).bytes_per_element
    return request_bytes(shape.cache, tokens, *sizes) / _MIB
