"""What the layers of a model keep of a sequence: keys and values of tokens, latents, or a state.

Only the arithmetic. `config_layers` and `gguf_layers` read which layers a model has.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class LayerKind(StrEnum):
    """How a layer's memory of a sequence grows."""

    FULL = "full attention"  # keys and values of every token
    WINDOWED = "windowed attention"  # of the last `window` tokens
    CHUNKED = "chunked attention"  # of the chunk of `window` tokens that is being read
    LATENT = "latent attention"  # one compressed vector a token for all heads (MLA)
    STATE = "state"  # a state-space, linear-attention or convolution state; it does not grow


@dataclass(frozen=True)
class CachedLayers:
    """`count` layers that keep the same of a sequence.

    `heads` are those of keys and values (of a latent: 1). `key_elements` and `value_elements` are the numbers
    that one layer keeps of a token, over all heads. `window` is how many tokens it keeps at most, 0: all.
    `state_bytes` is the size of one layer's state.
    """

    kind: LayerKind
    count: int
    heads: int = 1
    key_elements: int = 0
    value_elements: int = 0
    window: int = 0
    state_bytes: int = 0

    def kept(self, tokens: int, ahead: int = 0) -> int:
        """Return how many of `tokens` are kept while `ahead` more than the window are being computed."""
        return min(tokens, self.window + ahead) if self.window else tokens

    def token_bytes(self, key_bytes: float, value_bytes: float) -> float:
        """Return what one layer keeps of a token, its elements of these sizes."""
        return self.key_elements * key_bytes + self.value_elements * value_bytes

    def on_one_of(self, devices: int) -> "CachedLayers":
        """Return what one of `devices` that share each layer holds: whole heads, and at least one."""
        if devices <= 1:
            return self
        heads = math.ceil(self.heads / devices)
        return replace(
            self,
            heads=heads,
            key_elements=-(-self.key_elements * heads // self.heads),
            value_elements=-(-self.value_elements * heads // self.heads),
            state_bytes=math.ceil(self.state_bytes / devices),
        )


def merged(layers: Iterable[CachedLayers]) -> tuple[CachedLayers, ...]:
    """Return `layers` with equal ones counted together, in the order in which they first appear."""
    counts: dict[CachedLayers, int] = {}
    for each in layers:
        alike = replace(each, count=1)
        counts[alike] = counts.get(alike, 0) + each.count
    return tuple(replace(each, count=count) for each, count in counts.items())


def request_bytes(
    layers: Sequence[CachedLayers], tokens: int, key_bytes: float, value_bytes: float, *, ahead: int = 0
) -> float:
    """Return the least that a sequence of `tokens` takes: its tokens' keys and values, and its states."""
    return sum(
        each.count * (each.kept(tokens, ahead) * each.token_bytes(key_bytes, value_bytes) + each.state_bytes)
        for each in layers
    )
