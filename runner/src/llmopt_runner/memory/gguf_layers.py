"""What each layer of a GGUF model keeps of a sequence, from the file's metadata.

Sources: llama.cpp b11549 (`llama-hparams.cpp`, `llama-model.cpp`, `llama-memory-recurrent.cpp`). Which layers
have a window is in its code for some architectures, and in the file for others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind, merged
from llmopt_runner.models.gguf_headers import GgufHeader
from llmopt_runner.models.model_configs import whole

# llama.cpp keeps states in 32 bits, whatever the types of keys and values.
_STATE_BYTES = 4
# One layer of so many sees everything; by architecture where the file does not say it. 1: all do.
_PATTERNS: Mapping[str, int] = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gemma-embedding": 6, "cohere2": 4, "gpt-oss": 2, "exaone4": 4,
    "exaone-moe": 4, "olmo2": 4, "smallthinker": 4, "afmoe": 4, "llama4": 4, "laguna": 4, "plamo3": 8,
    # Windows that llama.cpp does not use.
    "phi3": 1, "phimoe": 1,
}  # fmt: skip
# In these it is the first of so many, in all others the last.
_FIRST_SEES_ALL = frozenset({"smallthinker", "laguna"})
# The window where the file has none.
_WINDOWS: Mapping[str, int] = {"gemma2": 4096, "llama4": 8192}
_KEEPING_OF_THEIR_OWN: Mapping[str, int] = {"gemma3n": 20}
# Attention and a state side by side in every layer.
_BOTH = frozenset({"falcon-h1"})
_INTERVALS: Mapping[str, int] = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
_MOST_LAYERS = 10_000
_ENCODERS_AND_DECODERS = frozenset({"t5", "t5encoder"})
_ENCODERS = frozenset({
    "bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "modern-bert", "jina-bert-v2", "jina-bert-v3",
    "eurobert", "gemma-embedding", "llama-embed", "wavtokenizer-dec", "clip", "dream", "llada", "llada-moe",
})  # fmt: skip
# Their caches are compressed.
_NOT_UNDERSTOOD = frozenset({"deepseek4"})
_RWKV_SHIFTS = 2


@dataclass(frozen=True)
class _Metadata:
    header: GgufHeader

    def number(self, key: str) -> int:
        return whole(self.value(key))

    def value(self, key: str) -> object:
        return self.header.values.get(f"{self.header.architecture}.{key}")

    def by_layer(self, key: str, count: int) -> list[int]:
        """Return the number of each layer at `key`, which has one for all or a list; 0: it has none."""
        found = self.value(key)
        if not isinstance(found, list):
            return [whole(found)] * count
        if len(found) < count:
            raise LayoutUnknown(f"its {key[:40]} has {len(found)} entries for {count} layers")
        return [whole(each) for each in found[:count]]


def gguf_cached_layers(header: GgufHeader) -> tuple[CachedLayers, ...]:
    """Return what the layers of the model in `header` keep of a sequence; raises LayoutUnknown."""
    metadata = _Metadata(header)
    count = metadata.number("block_count") - metadata.number("nextn_predict_layers")
    if not 0 < count <= _MOST_LAYERS:
        raise LayoutUnknown("its metadata does not say how many layers it has")
    _require_decoder(metadata)
    windows = _windowed(metadata, count)
    kv_heads, recurrent = _kv_heads(metadata, count), _recurrent(metadata, count)
    own = _own(metadata, count)
    found: list[CachedLayers] = []
    for index in range(max(own, 0)):
        if recurrent[index] or header.architecture in _BOTH:
            found.append(CachedLayers(LayerKind.STATE, 1, state_bytes=_state_bytes(metadata)))
        if kv_heads[index] and not recurrent[index]:
            found.append(_keeping(metadata, kv_heads[index], windowed=windows[index]))
    return merged(found)


def _require_decoder(metadata: _Metadata) -> None:
    architecture = metadata.header.architecture
    if architecture in _ENCODERS_AND_DECODERS:
        raise LayoutUnknown("it has an encoder and a decoder, whose caches are not understood")
    if architecture in _ENCODERS:
        raise LayoutUnknown("it writes no answers token by token, and keeps nothing of a sequence")
    if architecture in _NOT_UNDERSTOOD or metadata.value("attention.compress_ratios") is not None:
        raise LayoutUnknown(f"what models of the architecture {architecture} keep is compressed")


def _own(metadata: _Metadata, count: int) -> int:
    """Return how many layers from the first on keep something; the others read what these keep."""
    if shared := metadata.number("attention.shared_kv_layers"):
        return count - shared
    return min(count, _KEEPING_OF_THEIR_OWN.get(metadata.header.architecture, count))


def pattern_is_known(header: GgufHeader) -> bool:
    """Say whether it is known which layers have a window, where any has."""
    metadata = _Metadata(header)
    return (
        not metadata.number("attention.sliding_window")
        or metadata.value("attention.sliding_window_pattern") is not None
        or header.architecture in _PATTERNS
    )


def _kv_heads(metadata: _Metadata, count: int) -> Sequence[int]:
    key = "attention.head_count_kv" if metadata.value("attention.head_count_kv") is not None else _HEADS
    return metadata.by_layer(key, count)


_HEADS = "attention.head_count"


def _recurrent(metadata: _Metadata, count: int) -> list[bool]:
    """Say of each layer whether it keeps a state in place of tokens."""
    if metadata.number("wkv.head_size"):
        return [True] * count
    has_state = bool(metadata.number("ssm.conv_kernel") or metadata.number("shortconv.l_cache"))
    if not has_state or metadata.header.architecture in _BOTH:
        return [False] * count
    every = metadata.number("full_attention_interval") or _INTERVALS.get(metadata.header.architecture, 0)
    if every:
        return [(index + 1) % every != 0 for index in range(count)]
    feed_forward = metadata.value("feed_forward_length")
    lengths = (
        metadata.by_layer("feed_forward_length", count) if isinstance(feed_forward, list) else [0] * count
    )
    heads = _kv_heads(metadata, count)
    # In Nemotron-H a layer does one thing: with a feed-forward part of its own it keeps nothing.
    alone = metadata.header.architecture.startswith("nemotron_h")
    return [not heads[index] and not (alone and lengths[index]) for index in range(count)]


def _state_bytes(metadata: _Metadata) -> int:
    if cached := metadata.number("shortconv.l_cache"):
        return (cached - 1) * metadata.number("embedding_length") * _STATE_BYTES
    if size := metadata.number("wkv.head_size"):
        shifts = metadata.number("token_shift_count") or _RWKV_SHIFTS
        return (shifts + size) * metadata.number("embedding_length") * _STATE_BYTES
    if size := metadata.number("kda.head_dim"):
        heads = max(metadata.by_layer(_HEADS, 1))
        convolved = 3 * (metadata.number("ssm.conv_kernel") - 1) * heads * size
        return (convolved + heads * size * size) * _STATE_BYTES
    inner, state = metadata.number("ssm.inner_size"), metadata.number("ssm.state_size")
    convolved = inner + 2 * metadata.number("ssm.group_count") * state
    return (max(metadata.number("ssm.conv_kernel") - 1, 0) * convolved + inner * state) * _STATE_BYTES


def _windowed(metadata: _Metadata, count: int) -> list[bool]:
    """Say of each layer whether it has a window.

    Where that is not known all have: the least that they can need.
    """
    if not _window(metadata):
        return [False] * count
    pattern = metadata.value("attention.sliding_window_pattern")
    if isinstance(pattern, list):
        if len(pattern) < count:
            raise LayoutUnknown(f"its sliding_window_pattern has {len(pattern)} entries for {count} layers")
        return [bool(each) for each in pattern[:count]]
    every = whole(pattern) or _PATTERNS.get(metadata.header.architecture, 0)
    at = 0 if metadata.header.architecture in _FIRST_SEES_ALL else every - 1
    return [not every or index % every != at for index in range(count)]


def _window(metadata: _Metadata) -> int:
    if metadata.value("attention.sliding_window") is None and metadata.value("attention.chunk_size") is None:
        return _WINDOWS.get(metadata.header.architecture, 0)
    return metadata.number("attention.sliding_window") or metadata.number("attention.chunk_size")


def _keeping(metadata: _Metadata, heads: int, *, windowed: bool) -> CachedLayers:
    if rank := metadata.number("attention.kv_lora_rank"):
        return _latent(metadata, rank, heads)
    suffix = "_swa" if windowed and metadata.number("attention.key_length_swa") else ""
    key_size = metadata.number(f"attention.key_length{suffix}") or _usual_size(metadata)
    value_size = metadata.number(f"attention.value_length{suffix}") or _usual_size(metadata) or key_size
    if not key_size:
        raise LayoutUnknown("its metadata does not say how large its attention heads are")
    window = _window(metadata)
    kind = LayerKind.WINDOWED if windowed else LayerKind.FULL
    return CachedLayers(kind, 1, heads, heads * key_size, heads * value_size, window if windowed else 0)


def _usual_size(metadata: _Metadata) -> int:
    """Return the size of heads where the file does not say it: that of queries; 0: it is not known."""
    heads = metadata.by_layer(_HEADS, 1)[0]
    return metadata.number("embedding_length") // heads if heads else 0


def _latent(metadata: _Metadata, rank: int, heads: int) -> CachedLayers:
    """Return a layer with latents; files of older conversions have no keys for them, and keep whole heads."""
    key_size = metadata.number("attention.key_length")
    if metadata.number("attention.key_length_mla") or not key_size:
        return CachedLayers(LayerKind.LATENT, 1, 1, rank + metadata.number("rope.dimension_count"))
    value_size = metadata.number("attention.value_length") or _usual_size(metadata) or key_size
    return CachedLayers(LayerKind.FULL, 1, heads, heads * key_size, heads * value_size)
