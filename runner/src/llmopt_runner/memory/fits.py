"""What of a model fits on given GPUs: by type of the weights and of the KV cache. Pure."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from llmopt_runner.memory.layers import CachedLayers, LayerKind, request_bytes
from llmopt_runner.memory.paging import BLOCK_TOKENS, TOKENS_IN_FLIGHT, paged_request_bytes
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.splits import Split
from llmopt_runner.memory.stages import Stage, stages
from llmopt_runner.memory.weights import ONLINE, StoredWeights, expert_bytes, replicated_bytes, weight_bytes
from llmopt_runner.models.tensor_types import TensorType

_MIB = 1024 * 1024
# Beyond what a configuration says engines refuse; a model that does not say it is searched up to here.
_LONGEST_SEARCHED = 2**24
# Windows of llama.cpp hold a step of so many tokens besides, in whole multiples of the second (n_ubatch 512).
_GGUF_AHEAD, _GGUF_PADDING = 512, 256
# What engines quantise plain weights to while these load: how a row calls it, and how they do.
_ONLINE_CHOICES = (
    ("fp8 (online)", "fp8"),
    ("4 bits (nvfp4, online)", "nvfp4_online"),
    ("4 bits (mxfp4, online)", "mxfp4"),
    ("4 bits (bitsandbytes)", "bitsandbytes"),
)
_NVFP4_BYTES = ONLINE["nvfp4_online"].element_bytes


@dataclass(frozen=True)
class Hardware:
    """GPUs that share a model, and what an engine may use of each.

    `share` is what the engine may take (vLLM: gpu_memory_utilization), `reserve_mib` what of that is neither
    weights nor cache: activations, CUDA graphs, the libraries themselves. It is an assumption.
    """

    gpus: int
    memory_mib: float
    share: float
    reserve_mib: float


@dataclass(frozen=True)
class Term:
    """One part of a need on one GPU, and where it comes from."""

    name: str
    mib: float
    source: str


@dataclass(frozen=True)
class Fit:
    """What one choice of types needs of each GPU, and what then fits. All sizes are of one GPU.

    `stage` is the pipeline stage whose GPUs need most, from 1, to which they apply; None: all need the same.
    `longest_context` is the longest that fits in every stage, `concurrency` of all replicas together.
    `kv_bytes_per_token` is what a token takes while it is within every window, `kv_bytes_per_further_token`
    what one takes beyond them. `kv_cache_mib` is what one request of the asked context takes as its engine
    allocates it, `least_kv_cache_mib` without what the engine rounds up and keeps besides. Without hardware,
    or where the layout is not understood, what depends on it is None.
    """

    weights: str
    kv_type: str
    weights_mib: float | None
    kv_bytes_per_token: float | None = None
    kv_bytes_per_further_token: float | None = None
    state_mib: float | None = None
    kv_cache_mib: float | None = None
    least_kv_cache_mib: float | None = None
    left_mib: float | None = None
    longest_context: int | None = None
    concurrency: int | None = None
    stage: int | None = None
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class _Choice:
    """`plain`: what plain floats become, None: what they are; `method`: how they are quantised then."""

    weights: str
    plain: TensorType | None
    method: str | None
    source: str
    kv_type: str
    key_bytes: float


@dataclass(frozen=True)
class _Asked:
    """What is asked of every choice of types."""

    shape: ModelShape
    hardware: Hardware | None
    context: int
    split: Split
    draft: ModelShape | None

    @property
    def is_too_long(self) -> bool:
        """Whether the model has no context for such requests."""
        return is_too_long(self.context, self.shape)

    @property
    def unknown(self) -> str:
        """Why the cache is not known, "" where it is."""
        return self.shape.unknown or (self.draft.unknown if self.draft else "")


def is_too_long(context: int, shape: ModelShape) -> bool:
    """Say whether a model of `shape` has no context for requests of `context` tokens: none is served."""
    return 0 < shape.max_context < context


def fits(
    shape: ModelShape, hardware: Hardware | None, context: int, split: Split, draft: ModelShape | None = None
) -> tuple[Fit, ...]:
    """Return what fits, a `Fit` for each choice of types of weights and cache.

    `draft` is a smaller model that is loaded beside the last stage, in the types of its files, and caches the
    same tokens.
    """
    asked = _Asked(shape, hardware, context, split, draft)
    parts = stages(shape, split.pipeline)
    return tuple(
        _of_all_stages([_fit(asked, choice, stage, parts[-1]) for stage in parts])
        for choice in _choices(shape)
    )


def _of_all_stages(found: Sequence[Fit]) -> Fit:
    """Return the stage that needs most, with what fits in every stage."""
    fullest = max(found, key=lambda fit: sum(term.mib for term in fit.terms))
    alike = len({replace(each, stage=None) for each in found}) == 1
    return replace(
        fullest,
        stage=None if alike else fullest.stage,
        longest_context=_least([each.longest_context for each in found]),
        concurrency=_least([each.concurrency for each in found]),
    )


def _least(found: Sequence[int | None]) -> int | None:
    known = [each for each in found if each is not None]
    return min(known) if len(known) == len(found) else None


def _choices(shape: ModelShape) -> Iterator[_Choice]:
    for choice in _weight_choices(shape):
        for kv_name, key_bytes in _cache_choices(shape):
            yield _Choice(*choice, kv_name, key_bytes)


def _weight_choices(shape: ModelShape) -> Iterator[tuple[str, TensorType | None, str | None, str]]:
    weights = shape.weights
    if not weights.stored_bytes:
        yield "unknown", None, None, "there are no headers of weights"
        return
    if shape.is_gguf:
        yield shape.dtype.label if shape.dtype else "as stored", None, None, "tensors of the file"
        return
    if weights.is_quantised:
        label = shape.quantisation or (shape.dtype.label if shape.dtype else "quantised")
        yield f"{label} (as stored)", None, None, "tensors of the files, as stored"
        return
    sixteen = TensorType.FLOAT16 if shape.dtype is TensorType.FLOAT16 else TensorType.BFLOAT16
    kept = "embeddings, head, norms and routers x 2 bytes"
    if shape.dtype is TensorType.FLOAT32:
        yield "float32", TensorType.FLOAT32, None, "elements of the files x 4 bytes"
    yield sixteen.label, sixteen, None, "elements of the files x 2 bytes"
    for label, method in _ONLINE_CHOICES:
        size = ONLINE[method].element_bytes
        yield label, sixteen, method, f"linear layers x {size:.5g} bytes with scales; {kept}"


def _cache_choices(shape: ModelShape) -> Iterator[tuple[str, float]]:
    if shape.is_gguf:
        for kind in (TensorType.FLOAT16, TensorType.Q8_0, TensorType.Q4_0):
            yield {"float16": "f16"}.get(kind.label, kind.label), kind.bytes_per_element
        return
    if shape.dtype is TensorType.FLOAT32 and not shape.weights.is_quantised:
        yield "float32", 4.0
    yield "16 bits", 2.0
    yield "fp8", 1.0
    if not any(each.kind is LayerKind.LATENT for each in shape.cache):  # latents have formats of their own
        yield "4 bits (nvfp4)", _NVFP4_BYTES


def _fit(asked: _Asked, choice: _Choice, stage: Stage, last: Stage) -> Fit:
    shape, hardware, split = asked.shape, asked.hardware, asked.split
    draft = asked.draft if stage is last or shape.is_gguf else None
    terms = list(_weight_terms(asked, choice, stage.weights))
    weights_mib = sum(each.mib for each in terms) if shape.weights.stored_bytes else None
    if draft is not None:
        terms.append(_draft_term(draft, split, is_gguf=shape.is_gguf))
    left = None
    if hardware is not None:
        terms.append(Term("reserve", hardware.reserve_mib, "assumed: activations, graphs, libraries"))
        if weights_mib is not None:
            left = hardware.memory_mib * hardware.share - sum(each.mib for each in terms)
    fit = Fit(
        choice.weights,
        choice.kv_type,
        weights_mib,
        left_mib=left,
        stage=stage.number,
        terms=tuple(terms),
    )
    if asked.unknown:
        return fit
    layers = [*_on_gpu(stage.cache, split), *(_drafting_layers(draft, shape, split) if draft else ())]
    return _with_cache(fit, asked, layers, choice.key_bytes)


def _with_cache(fit: Fit, asked: _Asked, layers: Sequence[CachedLayers], size: float) -> Fit:
    """Return `fit` with what `layers` keep of a sequence on one GPU, in `size` bytes, and what fits."""
    request = _allocated(layers, size, is_gguf=asked.shape.is_gguf)
    left, context = fit.left_mib, asked.context
    longest = None if left is None else _longest(request, left * _MIB, asked.shape.max_context)
    side_by_side = 0 if asked.is_too_long or left is None else _concurrency(request(context), left * _MIB)
    return replace(
        fit,
        kv_bytes_per_token=_per_token(layers, size),
        kv_bytes_per_further_token=_per_token([each for each in layers if not each.window], size),
        state_mib=sum(each.count * each.state_bytes for each in layers) / _MIB,
        kv_cache_mib=request(context) / _MIB,
        least_kv_cache_mib=request_bytes(layers, context, size, size) / _MIB,
        longest_context=longest,
        concurrency=None if left is None else asked.split.data * side_by_side,
        terms=(*fit.terms, *(_term(each, context, size) for each in layers)),
    )


def _weight_terms(asked: _Asked, choice: _Choice, weights: StoredWeights) -> Iterator[Term]:
    """Yield what one GPU holds of the `weights` of its stage."""
    split, experts_of_layer = asked.split, asked.shape.experts
    total = weight_bytes(weights, choice.plain, choice.method)
    if asked.shape.is_gguf:
        yield Term("weights", total / _MIB, choice.source + _over(split.pipeline, "GPUs"))
        return
    sixteen = TensorType.FLOAT16 if asked.shape.dtype is TensorType.FLOAT16 else TensorType.BFLOAT16
    repeated = replicated_bytes(weights, sixteen)
    experts = expert_bytes(weights, choice.plain, choice.method) if split.gpus > 1 else 0.0
    alone = max(0.0, total - repeated - experts) / split.tensor + repeated
    source = choice.source + _over(split.tensor, "GPUs") + _over(split.pipeline, "stages")
    yield Term("weights", alone / _MIB, source)
    if experts:
        share = split.share_of_experts(experts_of_layer)
        yield Term("weights of experts", experts * share / _MIB, _experts_source(split, experts_of_layer))


def _over(count: int, what: str) -> str:
    return f", over {count} {what}" if count > 1 else ""


def _experts_source(split: Split, experts: int) -> str:
    sharing = split.tensor * split.data
    if split.whole_experts and experts:
        return f"{math.ceil(experts / sharing)} of the {experts} experts of each layer"
    return f"experts of the stage{_over(sharing, 'GPUs')}"


def _draft_term(draft: ModelShape, split: Split, *, is_gguf: bool) -> Term:
    gpus = split.pipeline if is_gguf else split.tensor
    size = draft.weights.stored_bytes / gpus / _MIB
    return Term("weights of the draft model", size, f"tensors of its files, as stored{_over(gpus, 'GPUs')}")


def _on_gpu(layers: Sequence[CachedLayers], split: Split) -> list[CachedLayers]:
    return [each.on_one_of(split.tensor) for each in layers]


def _drafting_layers(draft: ModelShape, shape: ModelShape, split: Split) -> list[CachedLayers]:
    """Return what one GPU caches of a draft model: llama.cpp spreads its layers too."""
    return _on_gpu(stages(draft, split.pipeline)[0].cache if shape.is_gguf else draft.cache, split)


def _allocated(layers: Sequence[CachedLayers], size: float, *, is_gguf: bool) -> Callable[[int], float]:
    if not is_gguf:
        return lambda tokens: paged_request_bytes(layers, tokens, size, size)

    def padded(tokens: int) -> float:
        kept = math.ceil(tokens / _GGUF_PADDING) * _GGUF_PADDING
        return request_bytes(layers, kept, size, size, ahead=_GGUF_AHEAD)

    return padded


def _per_token(layers: Sequence[CachedLayers], size: float) -> float:
    return sum(each.count * each.token_bytes(size, size) for each in layers)


def _longest(request: Callable[[int], float], left_bytes: float, allowed: int) -> int:
    """Return the longest request that fits, by bisection; never longer than the model allows."""
    low, high = 0, allowed or _LONGEST_SEARCHED
    if request(high) <= left_bytes:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if request(middle) <= left_bytes else (low, middle - 1)
    return low


def _concurrency(request: float, left_bytes: float) -> int:
    """Return how many requests fit side by side; a model that keeps nothing of them fits one."""
    return max(0, int(left_bytes // request)) if request else int(left_bytes > 0)


def _term(layer: CachedLayers, context: int, size: float) -> Term:
    mib = request_bytes((layer,), context, size, size) / _MIB
    if layer.kind is LayerKind.STATE:
        return Term(
            f"{layer.count} layers with a state", mib, f"{layer.state_bytes} bytes a layer and request"
        )
    token = f"{layer.token_bytes(size, size):.0f} bytes a layer and token"
    kept = f", at most {layer.window} tokens" if layer.window else f", {context} tokens"
    return Term(f"{layer.count} layers of {layer.kind.value}", mib, token + kept)


def rounding_note(*, is_gguf: bool) -> str:
    """Return in words what an engine keeps beyond the sum of the terms."""
    if is_gguf:
        return (
            f"as llama.cpp allocates it: a window and a step of {_GGUF_AHEAD} tokens, in multiples of"
            f" {_GGUF_PADDING}"
        )
    return (
        f"as vLLM allocates it: whole blocks of {BLOCK_TOKENS} tokens or more, windows with"
        f" {TOKENS_IN_FLIGHT} tokens that are being computed, two states a request"
    )
