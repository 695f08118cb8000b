"""The shape of a model, read from the headers of its files: no weight is loaded, no library imported."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeGuard, TypeVar

from llmopt_runner.memory.config_layers import layer_stack
from llmopt_runner.memory.gguf_layers import gguf_cached_layers, pattern_is_known
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind, merged
from llmopt_runner.memory.weights import PlacedWeights, StoredWeights, placed_weights, stored_weights
from llmopt_runner.models.gguf_headers import GgufHeader, read_gguf
from llmopt_runner.models.model_configs import ModelConfig, read_config, whole
from llmopt_runner.models.resolution import ModelCorrupt
from llmopt_runner.models.safetensors_headers import StoredTensor, read_safetensors
from llmopt_runner.models.tensor_types import TensorType, named_type

T = TypeVar("T")
_LARGEST_FACTOR = 1e6
_LONGEST_WORD = 40
_EIGHT_BITS = 8
# With these kinds of position embeddings `max_position_embeddings` is what the stretching gave.
_ALREADY_STRETCHED = frozenset({"default", "llama3", "longrope", "su"})
_CONFIG = "config.json"
_EXPERTS = ("num_experts", "moe_num_experts", "n_routed_experts", "num_local_experts")
_DRAFTING_LAYERS = ("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules")
_MOST_PLACED = 10_000


@dataclass(frozen=True)
class ModelShape:
    """What decides a model's memory.

    `cache` is what its layers keep of a sequence; `unknown` says why it is not known, "" where it is. `dtype`
    is that of most weights, by bytes; None where it is not known. `cache_type` is the type of keys and values
    that the model's files ask for, None: that of its activations. `stack` is `cache` layer by layer,
    and `placed` the weights by where they lie: (), None: that is not known. `heads` are those of queries,
    `experts` those of a layer, 0: there are none, or their number is not known. `stored_as` is how the files
    say that the weights are quantised, with the form after a space where the method has several; "": they are
    not, None: that is not known. `is_sparse`: an index picks the tokens to attend to. `drafting_layers` are
    those for multi-token prediction, which are not in `cache`. `notes` are what is left out, in words.
    """

    weights: StoredWeights
    cache: tuple[CachedLayers, ...]
    max_context: int
    dtype: TensorType | None
    layers: int = 0
    hidden_size: int = 0
    vocab_size: int = 0
    quantisation: str = ""
    stored_as: str | None = None
    model_type: str = ""
    is_sparse: bool = False
    cache_type: TensorType | None = None
    is_gguf: bool = False
    stack: tuple[tuple[CachedLayers, ...], ...] = ()
    placed: PlacedWeights | None = None
    heads: int = 0
    experts: int = 0
    drafting_layers: int = 0
    unknown: str = ""
    notes: tuple[str, ...] = ()

    @property
    def weight_bytes(self) -> int:
        """The weights as they are stored, without layers that only draft."""
        return self.weights.stored_bytes

    def cached_elements(self, tokens: int) -> int:
        """Return how many numbers, keys and values together, a sequence of `tokens` puts into the cache."""
        return sum(
            each.count * each.kept(tokens) * (each.key_elements + each.value_elements) for each in self.cache
        )


def read_shape(path: Path, *, headers_only: bool = False) -> ModelShape | None:
    """Return the shape of a GGUF file, or of a folder with config.json and safetensors.

    None: there is no model. `headers_only`: files of weights may end with their headers. Raises ModelCorrupt
    when a file is damaged.
    """
    if path.is_file():
        header = read_gguf(path)
        return unreadable("its version of GGUF is not known") if header is None else gguf_shape(header)
    if not (path / _CONFIG).is_file():
        return None
    tensors = read_safetensors(path, headers_only=headers_only)
    if not tensors and not headers_only:
        return unreadable("its weights are no safetensors")
    return config_shape(read_config(path / _CONFIG), tensors)


def draft_shape(place: Path) -> ModelShape | None:
    """Return the shape of the draft model in a GGUF file, or in a folder that may hold config.json alone.

    None: there is no config.json, or the version of the GGUF file is not known. Raises ModelCorrupt.
    """
    if place.is_file():
        header = read_gguf(place)
        return None if header is None else gguf_shape(header)
    if not (place / _CONFIG).is_file():
        return None
    return config_shape(read_config(place / _CONFIG), read_safetensors(place))


def unreadable(reason: str) -> ModelShape:
    """Return the shape of a model whose files do not say it."""
    return ModelShape(StoredWeights(), (), 0, None, unknown=reason)


def config_shape(config: ModelConfig, tensors: Sequence[StoredTensor]) -> ModelShape:
    """Return the shape of a model in the hub's format, of its configuration and its weights' headers."""
    stack, unknown = _understood(lambda: layer_stack(config))
    cache = merged(chain.from_iterable(stack))
    layers = config.number("layers") or len(config.listed("layers_block_type") or ())
    tied = config.values.get("tie_word_embeddings") is True
    count = layers or len(stack)
    weights = stored_weights(tensors, layers=layers, tied=tied)
    return ModelShape(
        weights=weights,
        cache=cache,
        max_context=config.number("context"),
        dtype=_commonest(tensors) if tensors else _configured_type(config),
        layers=count,
        hidden_size=config.number("hidden"),
        vocab_size=config.number("vocab"),
        quantisation=_method(config.quantisation),
        stored_as=_stored_as(config.quantisation, weights),
        model_type=config.model_type,
        is_sparse=_is_sparse(config),
        cache_type=_cache_type(config.quantisation),
        stack=stack,
        placed=placed_weights(tensors, layers=count, tied=tied) if 0 < count <= _MOST_PLACED else None,
        heads=config.number("heads"),
        experts=_experts(config),
        drafting_layers=config.first(*_DRAFTING_LAYERS),
        unknown=unknown,
        notes=(*_index_note(config), *_state_note(cache)),
    )


def _experts(config: ModelConfig) -> int:
    listed = next((found for key in _EXPERTS if (found := config.listed(key))), [0])
    return config.first(*_EXPERTS) or whole(listed[0])


def gguf_shape(header: GgufHeader) -> ModelShape:
    """Return the shape of the model in a GGUF file."""
    cache, unknown = _understood(lambda: gguf_cached_layers(header))
    prefix = header.architecture
    layers = whole(header.values.get(f"{prefix}.block_count"))
    drafting = whole(header.values.get(f"{prefix}.nextn_predict_layers"))
    vocab = whole(header.values.get(f"{prefix}.vocab_size"))
    note = "which layers have a window is not in the file: all are counted as if they had one"
    return ModelShape(
        weights=stored_weights(header.tensors, layers=layers - drafting),
        cache=cache,
        max_context=whole(header.values.get(f"{prefix}.context_length")),
        dtype=_commonest(header.tensors),
        layers=layers,
        hidden_size=whole(header.values.get(f"{prefix}.embedding_length")),
        vocab_size=vocab or header.lengths.get("tokenizer.ggml.tokens", 0),
        is_gguf=True,
        drafting_layers=drafting,
        unknown=unknown,
        notes=(*(() if pattern_is_known(header) else (note,)), *_state_note(cache)),
    )


def longest_context(folder: Path) -> int:
    """Return the tokens that the config.json of `folder` allows; 0: it names none, or is damaged.

    Positions that are stretched by a factor count in full. That may be more than the model can really do.
    """
    try:
        config = read_config(folder / _CONFIG)
    except (OSError, ModelCorrupt):
        return 0
    tokens = config.number("context")
    rope = config.values.get("rope_parameters") or config.values.get("rope_scaling")
    parts = [rope, *rope.values()] if isinstance(rope, dict) else []
    return max([tokens, *(_stretched(part, tokens) for part in parts if isinstance(part, dict))])


def _understood(read: Callable[[], tuple[T, ...]]) -> tuple[tuple[T, ...], str]:
    try:
        return read(), ""
    except LayoutUnknown as error:
        return (), str(error)


def _stretched(rope: Mapping[str, Any], tokens: int) -> int:
    factor, kind = rope.get("factor"), rope.get("rope_type", rope.get("type"))
    if str(kind)[:_LONGEST_WORD] in _ALREADY_STRETCHED or not _is_factor(factor):
        return tokens
    return int((whole(rope.get("original_max_position_embeddings")) or tokens) * factor)


def _is_factor(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LARGEST_FACTOR


def _method(quantisation: Mapping[str, Any]) -> str:
    named = quantisation.get("quant_method") or quantisation.get("quant_algo") or ""
    return str(named)[:_LONGEST_WORD]


def _stored_as(quantisation: Mapping[str, Any], weights: StoredWeights) -> str | None:
    """Return the method, and its form: the algorithm of ModelOpt, the format of compressed-tensors."""
    if not quantisation:
        return "" if weights.stored_bytes and not weights.is_quantised else None
    nested = quantisation.get("quantization")
    algorithm = _word(quantisation, "quant_algo") or _word(
        nested if isinstance(nested, dict) else {}, "quant_algo"
    )
    named = _word(quantisation, "quant_method") or ("modelopt" if algorithm else "")
    method = named.lower().replace("compressed_tensors", "compressed-tensors")
    forms = {"modelopt": algorithm.upper(), "compressed-tensors": _word(quantisation, "format")}
    return f"{method} {forms.get(method, '')}".strip() or None


def _word(values: Mapping[str, Any], key: str) -> str:
    found = values.get(key)
    return found[:_LONGEST_WORD] if isinstance(found, str) else ""


def _is_sparse(config: ModelConfig) -> bool:
    named = config.listed("layer_types") or ()
    listed = any(
        "sparse" in str(each)[:_LONGEST_WORD] or "indexed" in str(each)[:_LONGEST_WORD] for each in named
    )
    return listed or bool(config.first("index_topk", "index_head_dim"))


def _cache_type(quantisation: Mapping[str, Any]) -> TensorType | None:
    """Return the type of keys and values that the files ask for (compressed-tensors, ModelOpt)."""
    scheme = quantisation.get("kv_cache_scheme")
    if isinstance(scheme, dict) and scheme.get("num_bits") == _EIGHT_BITS and scheme.get("type") == "float":
        return TensorType.FP8_E4M3
    named = quantisation.get("kv_cache_quant_algo") or quantisation.get("kv_cache_quant_method")
    return TensorType.FP8_E4M3 if str(named)[:_LONGEST_WORD].upper() == "FP8" else None


def _configured_type(config: ModelConfig) -> TensorType | None:
    return named_type(
        str(config.values.get("dtype") or config.values.get("torch_dtype") or "")[:_LONGEST_WORD]
    )


def _index_note(config: ModelConfig) -> tuple[str, ...]:
    if not config.first("index_head_dim"):
        return ()
    return ("the index of its sparse attention, which engines keep in types of their own, is not counted",)


def _state_note(cache: Sequence[CachedLayers]) -> tuple[str, ...]:
    unsized = sum(each.count for each in cache if each.kind is LayerKind.STATE and not each.state_bytes)
    return (f"the states of {unsized} layers are not counted: their size is not known",) if unsized else ()


def _commonest(tensors: Sequence[StoredTensor]) -> TensorType | None:
    totals: Counter[TensorType | None] = Counter()
    for tensor in tensors:
        totals[tensor.dtype] += tensor.size_bytes
    return max(totals, key=totals.__getitem__, default=None)
