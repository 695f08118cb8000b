"""How much of vLLM's KV cache one request takes: whole blocks, of one size for all layers.

Layers are put into groups of equal size, and a block holds the same number of bytes in each: a window takes a
block more than it fills, and a state takes a block whatever its size. Tokens that are being computed are kept
beside a window. Source: vLLM 0.32 (`v1/kv_cache_interface.py`, `v1/core/kv_cache_utils.py`,
`platforms/interface.py` for how large blocks become beside states).
"""

import math
from collections.abc import Sequence

from llmopt_runner.memory.layers import CachedLayers, LayerKind

BLOCK_TOKENS = 16
# Two steps of 2048 tokens are under way at a time (asynchronous scheduling, the default on most GPUs).
TOKENS_IN_FLIGHT = 4096
# With prefix caching, the default, the state at the last block's end is kept beside the one that changes.
STATE_COPIES = 2
# With fewer layers more than this in the largest kind than in the smallest, groups are of the largest's size.
_ALIKE = 1.5
_GROWING = frozenset({LayerKind.FULL, LayerKind.LATENT})


def paged_request_bytes(
    layers: Sequence[CachedLayers],
    tokens: int,
    key_bytes: float,
    value_bytes: float,
    *,
    in_flight: int = TOKENS_IN_FLIGHT,
    state_copies: int = STATE_COPIES,
) -> float:
    """Return what a request of `tokens` takes of the cache, elements of keys and values of these sizes.

    `in_flight` is how many tokens are being computed at a time, `state_copies` how many states a layer keeps.
    """
    sized = [each for each in layers if each.count and (each.state_bytes or each.token_bytes(1, 1))]
    if all(each.kind in _GROWING for each in sized):
        blocks = math.ceil(tokens / BLOCK_TOKENS) * BLOCK_TOKENS
        return sum(each.count * blocks * each.token_bytes(key_bytes, value_bytes) for each in sized)
    sizes = [each.token_bytes(key_bytes, value_bytes) for each in sized]
    block = _block_tokens(sized, sizes)
    page = max(
        each.state_bytes if each.kind is LayerKind.STATE else block * size
        for each, size in zip(sized, sizes, strict=True)
    )
    group = _group_size([each.count for each in sized])
    pages = sum(
        math.ceil(each.count / group)
        * (
            state_copies
            if each.kind is LayerKind.STATE
            else _pages(each, tokens, _tokens_of_page(page, block, size), in_flight)
        )
        for each, size in zip(sized, sizes, strict=True)
    )
    return group * page * pages


def _block_tokens(layers: Sequence[CachedLayers], sizes: Sequence[float]) -> int:
    """Return the tokens of a block: so many that it is as large as the largest state."""
    largest, token = max(each.state_bytes for each in layers), max(sizes)
    if not largest or not token:
        return BLOCK_TOKENS
    return BLOCK_TOKENS * max(1, math.ceil(largest / (BLOCK_TOKENS * token)))


def _tokens_of_page(page: float, block: int, token_bytes: float) -> int:
    """Return how many tokens of a layer go into a page: several blocks where it divides evenly."""
    return block * int(page // (block * token_bytes)) if page % (block * token_bytes) == 0 else block


def _group_size(counts: Sequence[int]) -> int:
    smallest, largest = min(counts), max(counts)
    return largest if largest < smallest * _ALIKE else smallest


def _pages(layer: CachedLayers, tokens: int, of_page: int, in_flight: int) -> int:
    if layer.kind is LayerKind.WINDOWED:
        return math.ceil(min(layer.window - 1 + in_flight, tokens) / of_page) + 1
    return math.ceil(layer.kept(tokens, in_flight) / of_page)
