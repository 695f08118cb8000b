"""The shape of a model, read from the headers of its files: no weight is loaded, no library imported."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from llmopt_runner.memory.gguf_headers import GgufHeader, read_gguf
from llmopt_runner.memory.safetensors_headers import LARGEST_COUNT, StoredTensor, read_safetensors
from llmopt_runner.memory.tensor_types import TensorType
from llmopt_runner.models import ModelCorrupt

_LARGEST_CONFIG_BYTES = 4 * 1024 * 1024
_LARGEST_FACTOR = 1e6
_LONGEST_WORD = 40
_GGUF_EMBEDDINGS = frozenset({"token_embd.weight", "output.weight"})
_EMBEDDING_ENDINGS = (
    "embed_tokens.weight", "lm_head.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight",
    "embed_out.weight", "output.weight",
)  # fmt: skip
# Older configurations have other names for the same.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head", "n_heads"),
    "kv_heads": ("num_key_value_heads", "num_kv_heads", "n_head_kv"),
    "vocab": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"),
}

# With these kinds of position embeddings `max_position_embeddings` is what the stretching gave.
_ALREADY_STRETCHED = frozenset({"default", "llama3", "longrope", "su"})


@dataclass(frozen=True)
class ModelShape:
    """What decides a model's memory.

    `embedding_parameters` are those of the token embeddings and the output head, which quantisers leave as
    they are. `dtype` is that of most weights, by bytes; None where it is not known. Of `layers`,
    `windowed_layers` cache at most `window` tokens and `cacheless_layers` none.
    """

    weight_bytes: int
    parameters: int
    embedding_parameters: int
    layers: int
    kv_heads: int
    head_dim: int
    hidden_size: int
    vocab_size: int
    max_context: int
    dtype: TensorType | None
    window: int = 0
    windowed_layers: int = 0
    cacheless_layers: int = 0

    def cached_elements(self, tokens: int) -> int:
        """Return how many numbers, keys and values together, a sequence of `tokens` puts into the cache."""
        whole = self.layers - self.windowed_layers - self.cacheless_layers
        cached = whole * tokens + self.windowed_layers * min(tokens, self.window)
        return 2 * self.kv_heads * self.head_dim * cached


def read_shape(path: Path) -> ModelShape | None:
    """Return the shape of a GGUF file, or of a folder with config.json and safetensors; None: unknown.

    Raises ModelCorrupt when a file is damaged.
    """
    if path.is_file():
        header = read_gguf(path)
        return None if header is None else _gguf_shape(header)
    config_path = path / "config.json"
    if not config_path.is_file():
        return None
    config = _config(config_path)
    tensors = read_safetensors(path)
    return _config_shape(config, tensors) if tensors else None


def longest_context(folder: Path) -> int:
    """Return the tokens that the config.json of `folder` allows; 0: it tells none, or is damaged.

    Positions that are stretched by a factor count in full. That may be more than the model can really do.
    """
    try:
        config = _config(folder / "config.json")
    except (OSError, ModelCorrupt):
        return 0
    tokens = _number(config, "context")
    rope = config.get("rope_parameters") or config.get("rope_scaling")
    parts = [rope, *rope.values()] if isinstance(rope, dict) else []
    return max([tokens, *(_stretched(part, tokens) for part in parts if isinstance(part, dict))])


def _stretched(rope: Mapping[str, Any], tokens: int) -> int:
    factor, kind = rope.get("factor"), rope.get("rope_type", rope.get("type"))
    if str(kind)[:_LONGEST_WORD] in _ALREADY_STRETCHED or not _is_factor(factor):
        return tokens
    return int((_whole(rope.get("original_max_position_embeddings")) or tokens) * factor)


def _is_factor(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST_FACTOR


def _config(path: Path) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST_CONFIG_BYTES))
    except (ValueError, RecursionError) as error:
        raise ModelCorrupt(path, f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ModelCorrupt(path, "it is not a JSON object")
    nested = document.get("text_config")  # a model of several kinds of input has its language part here
    return {**document, **nested} if isinstance(nested, dict) else document


def _config_shape(config: Mapping[str, Any], tensors: tuple[StoredTensor, ...]) -> ModelShape | None:
    layers, hidden, heads, vocab = (_number(config, name) for name in ("layers", "hidden", "heads", "vocab"))
    if not layers or not hidden or not heads or not vocab:
        return None
    kv_heads, head_dim = _cached_heads(config, hidden, heads)
    windowed, cacheless = _special_layers(config, layers)
    return ModelShape(
        weight_bytes=sum(tensor.size_bytes for tensor in tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        embedding_parameters=sum(t.elements for t in tensors if t.name.endswith(_EMBEDDING_ENDINGS)),
        layers=layers,
        kv_heads=kv_heads,
        head_dim=head_dim,
        hidden_size=hidden,
        vocab_size=vocab,
        max_context=_number(config, "context"),
        dtype=_commonest(tensors),
        window=_whole(config.get("sliding_window")) if windowed else 0,
        windowed_layers=windowed,
        cacheless_layers=cacheless,
    )


def _cached_heads(config: Mapping[str, Any], hidden: int, heads: int) -> tuple[int, int]:
    """Heads and their size as the cache has them."""
    if latent := _whole(config.get("kv_lora_rank")):
        # Multi-head latent attention caches one vector a token, not a key and a value.
        return 1, (latent + _whole(config.get("qk_rope_head_dim"))) // 2
    head_dim = _whole(config.get("head_dim")) or hidden // heads
    if config.get("multi_query") is True:
        return 1, head_dim
    return _number(config, "kv_heads") or heads, head_dim


def _special_layers(config: Mapping[str, Any], layers: int) -> tuple[int, int]:
    """Count the layers that cache a window only, and those that cache nothing."""
    kinds = config.get("layer_types")
    window = _whole(config.get("sliding_window"))
    if isinstance(kinds, list):
        kinds = [kind for kind in kinds if isinstance(kind, str)]
        whole = sum(kind in {"full_attention", "attention"} for kind in kinds)
        windowed = sum(kind in {"sliding_attention", "chunked_attention"} for kind in kinds) if window else 0
        whole += 0 if window else sum(kind == "sliding_attention" for kind in kinds)
        return min(windowed, layers), max(layers - whole - windowed, 0)
    if not window or config.get("use_sliding_window") is False:
        return 0, 0
    every = _whole(config.get("sliding_window_pattern"))  # each so many-th layer sees everything
    return (layers - layers // every if every else layers), 0


def _gguf_shape(header: GgufHeader) -> ModelShape | None:
    def number(key: str) -> int:
        return _whole(header.values.get(f"{header.architecture}.{key}"))

    layers, hidden = number("block_count"), number("embedding_length")
    heads = header.values.get(f"{header.architecture}.attention.head_count")
    vocab = number("vocab_size") or header.lengths.get("tokenizer.ggml.tokens", 0)
    if not layers or not hidden or not vocab:
        return None
    query_heads = max(_listed(heads), default=0)
    kv = _listed(header.values.get(f"{header.architecture}.attention.head_count_kv")) or _listed(heads)
    # A list has one number a layer, zero for a layer without a cache.
    cacheless = sum(each == 0 for each in kv) if len(kv) > 1 else 0
    caching = [each for each in kv if each]
    latent = number("attention.kv_lora_rank")
    window = number("attention.sliding_window")
    return ModelShape(
        weight_bytes=sum(tensor.size_bytes for tensor in header.tensors),
        parameters=sum(tensor.elements for tensor in header.tensors),
        embedding_parameters=sum(t.elements for t in header.tensors if t.name in _GGUF_EMBEDDINGS),
        layers=layers,
        kv_heads=1 if latent else (sum(caching) // len(caching) if caching else 0),
        head_dim=(latent + number("rope.dimension_count")) // 2
        if latent
        else number("attention.key_length") or hidden // max(query_heads, 1),
        hidden_size=hidden,
        vocab_size=vocab,
        max_context=number("context_length"),
        dtype=_commonest(header.tensors),
        window=window,
        # Which layers have the window is in llama.cpp's code, not in the file: all is the lower bound.
        windowed_layers=layers - cacheless if window else 0,
        cacheless_layers=cacheless,
    )


def _number(config: Mapping[str, Any], name: str) -> int:
    return next((found for key in _NAMES[name] if (found := _whole(config.get(key)))), 0)


def _whole(value: object) -> int:
    """Return a whole number that can be a count; 0: it is none, or beyond anything there is."""
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 < value <= LARGEST_COUNT else 0


def _listed(value: object) -> list[int]:
    numbers = value if isinstance(value, list) else [value]
    return [_whole(each) for each in numbers if each == 0 or _whole(each)]


def _commonest(tensors: Sequence[StoredTensor]) -> TensorType | None:
    totals: Counter[TensorType | None] = Counter()
    for tensor in tensors:
        totals[tensor.dtype] += tensor.size_bytes
    return max(totals, key=totals.__getitem__, default=None)
