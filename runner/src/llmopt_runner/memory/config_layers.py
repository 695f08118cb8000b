"""What each layer of a model in the hub's format keeps of a sequence, from its config.json.

Sources: vLLM 0.32 (`v1/kv_cache_interface.py`, `model_executor/layers/mamba/mamba_utils.py` for the sizes of
states), transformers 5.19 for what a configuration leaves out.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from llmopt_runner.memory.layer_words import LayoutUnknown, Word, layer_words
from llmopt_runner.memory.layers import CachedLayers, LayerKind, merged
from llmopt_runner.memory.state_sizes import state_bytes
from llmopt_runner.models.model_configs import ModelConfig, whole

# Their latents are expanded to heads before they are cached.
_LATENTS_EXPANDED = ("minicpm3",)
# Each so many-th of their layers does not turn keys by position, where the configuration does not say it.
_NOT_TURNED = {"mistral_large4_text": 4, "mistral_large4": 4}
# Their layers with a window have twice the KV heads, where nothing else is said.
_TWICE_THE_HEADS = ("mimo_v2_flash",)
_LISTED_HEADS = ("num_key_value_heads", "num_kv_heads", "num_key_value_heads_per_layer")
_ATTENDING = frozenset({Word.FULL, Word.FULL_AND_STATE})
_WINDOWED = frozenset({Word.WINDOWED, Word.WINDOWED_AND_STATE})
_WITH_STATE = frozenset({Word.STATE, Word.FULL_AND_STATE, Word.WINDOWED_AND_STATE})


def cached_layers(config: ModelConfig) -> tuple[CachedLayers, ...]:
    """Return what the layers of `config` keep of a sequence, equal ones together; raises LayoutUnknown."""
    return merged(chain.from_iterable(layer_stack(config)))


def layer_stack(config: ModelConfig) -> tuple[tuple[CachedLayers, ...], ...]:
    """Return what each layer of `config` keeps of a sequence, in their order; raises LayoutUnknown.

    Layers at the end that read what an earlier one keeps are left out.
    """
    if blocks := config.listed("block_configs"):
        return tuple(_of_block(config, block) for block in blocks)
    words = layer_words(config)
    heads = _heads_by_layer(config, len(words))
    has_windows = any(word in _WINDOWED for word in words)
    return tuple(
        tuple(_of_word(config.of_layer(index), word, index, own_heads, beside_windows=has_windows))
        for index, (word, own_heads) in enumerate(zip(words, heads, strict=True))
    )


def _of_word(
    config: ModelConfig, word: Word, index: int, heads: int, *, beside_windows: bool
) -> Iterator[CachedLayers]:
    kept = 0
    if word in _ATTENDING or word in _WINDOWED or word is Word.CHUNKED:
        layer = _caching(config, word, index, heads, beside_windows=beside_windows)
        kept = layer.key_elements + layer.value_elements
        yield layer
    if word in _WITH_STATE:
        yield CachedLayers(LayerKind.STATE, 1, state_bytes=state_bytes(config, kept))


def _caching(
    config: ModelConfig, word: Word, index: int, heads: int, *, beside_windows: bool
) -> CachedLayers:
    if word in _ATTENDING:
        return _attending(config, index, heads, beside_windows=beside_windows)
    if word in _WINDOWED:
        return _windowed(config, heads)
    return _keeping(config, LayerKind.CHUNKED, heads, config.first("attention_chunk_size"))


def _heads_by_layer(config: ModelConfig, count: int) -> Sequence[int]:
    """Return the KV heads of each layer, 0 where the configuration has one number for all."""
    listed = next((found for key in _LISTED_HEADS if (found := config.listed(key))), None)
    if listed is None:
        return [0] * count
    if len(listed) < count or not all(whole(each) for each in listed):
        raise LayoutUnknown("its list of KV heads does not go with its layers")
    return listed[:count]


def _attending(config: ModelConfig, index: int, heads: int, *, beside_windows: bool) -> CachedLayers:
    rank = config.first("kv_lora_rank")
    if _is_latent(config):
        return CachedLayers(LayerKind.LATENT, 1, 1, rank + _rotated_size(config, index))
    if rank:
        return _expanded(config)
    if not beside_windows or config.has_layers_of_their_own:
        return _keeping(config, LayerKind.FULL, heads)
    if config.values.get("attention_k_eq_v") is not False:
        heads = config.first("num_global_key_value_heads") or heads
    return _keeping(config, LayerKind.FULL, heads, size=config.first("global_head_dim"))


def _rotated_size(config: ModelConfig, index: int) -> int:
    """Return what the layer `index` keeps beside its latent: the part of keys that positions turn."""
    turned = config.listed("no_rope_layers")
    every = _NOT_TURNED.get(config.model_type, 0)
    if turned is not None:
        is_turned = index >= len(turned) or bool(turned[index])
    else:
        is_turned = not every or (index + 1) % every != 0
    return config.first("qk_rope_head_dim") if is_turned else 0


def _is_latent(config: ModelConfig) -> bool:
    expanded = config.values.get("use_mla") is False or config.model_type in _LATENTS_EXPANDED
    return bool(config.first("kv_lora_rank")) and not expanded


def _expanded(config: ModelConfig) -> CachedLayers:
    heads = config.number("heads")
    size = heads * (config.first("qk_nope_head_dim") + config.first("qk_rope_head_dim"))
    return CachedLayers(LayerKind.FULL, 1, heads, size, size)


def _windowed(config: ModelConfig, heads: int) -> CachedLayers:
    if _is_latent(config):
        raise LayoutUnknown("it has windows beside latents, whose layout is not understood")
    window = config.number("window")
    heads = config.first("swa_num_key_value_heads") or heads
    if not heads and config.model_type in _TWICE_THE_HEADS:
        heads = 2 * _kv_heads(config)
    kind = LayerKind.WINDOWED if window else LayerKind.FULL
    return _keeping(
        config, kind, heads, window, size=config.first("swa_head_dim"), value_key="swa_v_head_dim"
    )


def _keeping(
    config: ModelConfig,
    kind: LayerKind,
    heads: int = 0,
    window: int = 0,
    *,
    size: int = 0,
    value_key: str = "v_head_dim",
) -> CachedLayers:
    """Return one layer that keeps keys and values; `heads` and `size` are the model's unless given."""
    heads = heads or _kv_heads(config)
    size = size or _head_size(config)
    value_size = config.first(value_key, "v_head_dim")
    return CachedLayers(kind, 1, heads, heads * size, heads * (value_size or size), window)


def _kv_heads(config: ModelConfig) -> int:
    # Falcon's second architecture keeps the flag of its first, and ignores it.
    if config.value("multi_query") is True and config.values.get("new_decoder_architecture") is not True:
        return 1
    shared = config.values.get("multi_query_attention") is not False
    heads = (shared and config.number("kv_heads")) or config.number("heads")
    if not heads:
        raise LayoutUnknown("its configuration does not say how many attention heads it has")
    return heads


def _head_size(config: ModelConfig) -> int:
    if config.listed("head_dim"):
        raise LayoutUnknown("its head_dim is a list")
    size = config.number("head_dim")
    if not size and (hidden := config.number("hidden")) and (heads := config.number("heads")):
        size = hidden // heads
    if not size:
        raise LayoutUnknown("its configuration does not say how large its attention heads are")
    return size


def _of_block(config: ModelConfig, block: Any) -> tuple[CachedLayers, ...]:
    """Return what one block of a model keeps whose blocks differ (Nemotron-NAS, DeciLM)."""
    attention: Any = block.get("attention") if isinstance(block, dict) else None
    if not isinstance(attention, Mapping):
        raise LayoutUnknown("its block_configs are not understood")
    if attention.get("no_op") is True or attention.get("replace_with_linear") is True:
        return ()
    group = whole(attention.get("n_heads_in_group"))
    heads = whole(attention.get("num_key_value_heads")) or (config.number("heads") // group if group else 0)
    if not heads:
        raise LayoutUnknown("a block of its block_configs does not say how many KV heads it has")
    return (_keeping(config, LayerKind.FULL, heads),)
