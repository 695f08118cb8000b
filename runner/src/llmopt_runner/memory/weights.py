"""How large a model's weights are when they are loaded: as stored, converted, or quantised on the way.

Quantising leaves embeddings, the output head, norms, biases, routers and convolutions in 16 bits. Weights
that are quantised in their files stay as they are stored, with what their quantiser left in 16 bits.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from llmopt_runner.models.safetensors_headers import StoredTensor
from llmopt_runner.models.tensor_types import TensorType

_EMBEDDING = re.compile(
    r"(?:^|[.])(?:embed_tokens|embed_tokens_per_layer|wte|word_embeddings|embed_in|embeddings|tok_embeddings"
    r"|token_embd|per_layer_token_embd|shared)\.weight$"
)
_HEAD = re.compile(r"(?:^|[.])(?:lm_head|embed_out|output)\.weight$")
_EXPERT = re.compile(r"\.experts[.]|_exps[.]")
# Scales and zero points belong to what is quantised: they stay as they are.
_SCALE = re.compile(r"scale|zero|\.g_idx$|absmax|quant_map|quant_state")
_NOT_LINEAR = re.compile(
    r"norm|conv|(?:^|[.])(?:gate|router|wg|classifier)\.weight$|patch_embed|position|pos_emb|_inp\.weight$"
)
# Layers that only draft: they are stored with a model, and not loaded unless it drafts by them.
_DRAFTING = re.compile(r"(?:^|[.])mtp(?:_\w+)?[.]|(?:^|[.])nextn[.]")
_LAYER = re.compile(
    r"^(?:model\.|language_model\.|backbone\.|transformer\.)+(?:language_model\.)?(?:layers|h)\.(\d{1,6})\."
)
_GGUF_LAYER = re.compile(r"^blk\.(\d{1,6})\.")
# A layer of whatever architecture, but for those of towers that read images or sound.
_ANY_LAYER = re.compile(r"^(?!.*(?:vis|audio|image|sam_)).*?(?:^|[.])(?:layers|h|blocks|blk)\.(\d{1,6})\.")
_WORDS_OF_LAYERS = re.compile(r"per_layer")
_FEWEST_DIMENSIONS, _MOST_DIMENSIONS = 2, 3


@dataclass(frozen=True)
class StoredWeights:
    """Weights by what happens to them when they are loaded.

    `kept_bytes` stay as stored: quantised numbers and their scales. The others are numbers of elements in
    plain floats: of embeddings and the output head, of layers that can be quantised (`linear`; those of
    experts are counted in `experts` instead), and of what is never quantised. `expert_bytes` is what experts
    take in the files, `drafting_bytes` what layers take that only draft, and is counted nowhere else.
    """

    stored_bytes: int = 0
    kept_bytes: int = 0
    embeddings: int = 0
    linear: int = 0
    experts: int = 0
    other: int = 0
    expert_bytes: int = 0
    drafting_bytes: int = 0

    @property
    def plain_bytes(self) -> float:
        """The size of an element in plain floats, as they are stored, on average."""
        return (self.stored_bytes - self.kept_bytes) / self.parameters if self.parameters else 0.0

    @property
    def parameters(self) -> int:
        """The elements in plain floats."""
        return self.embeddings + self.linear + self.experts + self.other

    @property
    def is_quantised(self) -> bool:
        """Whether the files hold quantised weights: an engine then takes them as they are."""
        return self.kept_bytes > _LARGEST_KEPT_SHARE * self.stored_bytes


# Buffers of whole numbers, such as positions, make no model quantised.
_LARGEST_KEPT_SHARE = 0.02


@dataclass(frozen=True)
class OnlineMethod:
    """A quantisation that an engine does while it loads plain weights.

    `element_bytes` is the size of one quantised number with its share of scales.
    """

    element_bytes: float
    experts_only: bool = False


_BLOCK_SCALES = 4 / (128 * 128)
# A scale of bitsandbytes is of 64 weights: four bytes, or double quantised one, and four for 256 of them.
_BNB_SCALES = 4 / 64
_BNB_DOUBLE_SCALES = 1 / 64 + 4 / (64 * 256)
# How 4-bit weights of bitsandbytes are called here where they are not double quantised.
BNB_4BIT_ONCE = "bnb-4bit-once"
# Source: vLLM 0.32 (`config/quantization.py`, `model_executor/layers/quantization`), bitsandbytes 0.50
# (`functional.quantize_4bit`).
ONLINE: Mapping[str, OnlineMethod] = {
    **dict.fromkeys(
        ("fp8", "fp8_per_tensor", "fp8_per_channel", "bnb-8bit"),
        OnlineMethod(1.0),
    ),
    "fp8_per_block": OnlineMethod(1.0 + _BLOCK_SCALES),
    "mxfp8": OnlineMethod(1.0 + 1 / 32),
    **dict.fromkeys(("experts_int8", "int8_per_channel_weight_only"), OnlineMethod(1.0, experts_only=True)),
    "nvfp4_per_token": OnlineMethod(0.5 + 1 / 16, experts_only=True),
    "nvfp4_online": OnlineMethod(0.5 + 1 / 16),
    "mxfp4": OnlineMethod(0.5 + 1 / 32),
    **dict.fromkeys(("bitsandbytes", "bnb-4bit"), OnlineMethod(0.5 + _BNB_DOUBLE_SCALES)),
    BNB_4BIT_ONCE: OnlineMethod(0.5 + _BNB_SCALES),
    # What these make of the weights is said elsewhere: the least that they can be.
    **dict.fromkeys(("online", "torchao", "inc", "humming", "quark"), OnlineMethod(0.5)),
}


def stored_weights(tensors: Iterable[StoredTensor], *, layers: int = 0, tied: bool = False) -> StoredWeights:
    """Return `tensors` by what happens to them; those of layers from `layers` on only draft.

    `tied`: the output head is the embeddings, and not loaded besides.
    """
    sums: dict[str, int] = {}
    for each in tensors:
        if _drafts(each.name, layers):
            sums["drafting_bytes"] = sums.get("drafting_bytes", 0) + each.size_bytes
            continue
        if tied and _HEAD.search(each.name):
            continue
        kind = _kind(each)
        amount = each.size_bytes if kind == "kept_bytes" else each.elements
        sums[kind] = sums.get(kind, 0) + amount
        sums["stored_bytes"] = sums.get("stored_bytes", 0) + each.size_bytes
        if _EXPERT.search(each.name):
            sums["expert_bytes"] = sums.get("expert_bytes", 0) + each.size_bytes
    return StoredWeights(**sums)


@dataclass(frozen=True)
class PlacedWeights:
    """Weights by where they lie: before the layers (with what is of no known place), in each, after them."""

    first: StoredWeights
    layers: tuple[StoredWeights, ...]
    last: StoredWeights


def placed_weights(tensors: Iterable[StoredTensor], *, layers: int, tied: bool = False) -> PlacedWeights:
    """Return `tensors` by where they lie in a model of `layers`.

    Where the output head is `tied` to the embeddings they lie at both ends.
    """
    places: defaultdict[int, list[StoredTensor]] = defaultdict(list)
    for each in tensors:
        places[_place(each.name, layers)].append(each)
    if tied:
        places[layers] = [each for each in places[-1] if _is_of_words(each.name)]
    parts = {place: stored_weights(found, layers=layers, tied=tied) for place, found in places.items()}
    nothing = StoredWeights()
    return PlacedWeights(
        parts.get(-1, nothing),
        tuple(parts.get(layer, nothing) for layer in range(layers)),
        parts.get(layers, nothing),
    )


def _place(name: str, layers: int) -> int:
    """Return the number of a tensor's layer; -1: it lies before them, `layers`: after them."""
    found = _ANY_LAYER.match(name)
    if found and int(found[1]) < layers:
        return int(found[1])
    return layers if _HEAD.search(name) else -1


def _is_of_words(name: str) -> bool:
    return bool(_EMBEDDING.search(name)) and not _WORDS_OF_LAYERS.search(name)


def summed(parts: Iterable[StoredWeights]) -> StoredWeights:
    """Return `parts` together."""
    found = tuple(parts)
    return StoredWeights(
        **{each.name: sum(getattr(part, each.name) for part in found) for each in fields(StoredWeights)}
    )


def without_embeddings(weights: StoredWeights) -> StoredWeights:
    """Return `weights` without embeddings and output head, which no engine moves to main memory."""
    size = round(weights.embeddings * weights.plain_bytes)
    return replace(weights, embeddings=0, stored_bytes=weights.stored_bytes - size)


def weight_bytes(weights: StoredWeights, plain: TensorType | None, method: str | None = None) -> float:
    """Return the size of `weights` as they are loaded.

    `plain` is the type that plain floats are converted to, None: the one they have. `method` is a
    quantisation as an engine calls it; one that does nothing while weights are loaded changes nothing.
    """
    online = None if method is None or weights.is_quantised else ONLINE.get(method)
    size = weights.plain_bytes if plain is None else plain.bytes_per_element
    quantised = size if online is None else online.element_bytes
    linear = size if online is not None and online.experts_only else quantised
    return (
        weights.kept_bytes
        + (weights.embeddings + weights.other) * size
        + weights.linear * linear
        + weights.experts * quantised
    )


def replicated_bytes(weights: StoredWeights, plain: TensorType | None) -> float:
    """Return what of `weights` every GPU that shares a layer holds: norms, routers, biases, convolutions."""
    return weights.other * (weights.plain_bytes if plain is None else plain.bytes_per_element)


def expert_bytes(weights: StoredWeights, plain: TensorType | None, method: str | None = None) -> float:
    """Return what experts take when they are loaded, quantised in the files or on the way."""
    if not weights.experts:
        return float(weights.expert_bytes)
    size = weights.plain_bytes if plain is None else plain.bytes_per_element
    alone = StoredWeights(stored_bytes=round(weights.experts * size), experts=weights.experts)
    return weight_bytes(alone, plain, None if weights.is_quantised else method)


def _drafts(name: str, layers: int) -> bool:
    if _DRAFTING.search(name):
        return True
    found = _LAYER.match(name) or _GGUF_LAYER.match(name)
    return bool(layers and found and int(found[1]) >= layers)


def _kind(tensor: StoredTensor) -> str:
    name = tensor.name
    if tensor.dtype is None or not tensor.dtype.is_plain_float or _SCALE.search(name):
        return "kept_bytes"
    if _EMBEDDING.search(name) or _HEAD.search(name):
        return "embeddings"
    if _EXPERT.search(name) and tensor.dimensions >= _FEWEST_DIMENSIONS and not name.endswith("bias"):
        return "experts"
    is_matrix = _FEWEST_DIMENSIONS <= tensor.dimensions <= _MOST_DIMENSIONS and name.endswith(".weight")
    return "linear" if is_matrix and not _NOT_LINEAR.search(name) else "other"
