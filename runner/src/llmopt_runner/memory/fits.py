"""What of a model fits on given GPUs: by type of the weights and of the KV cache. Pure."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llmopt_runner.memory.layers import CachedLayers, LayerKind, request_bytes
from llmopt_runner.memory.paging import BLOCK_TOKENS, TOKENS_IN_FLIGHT, paged_request_bytes
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import replicated_bytes, weight_bytes
from llmopt_runner.models.tensor_types import TensorType

_MIB = 1024 * 1024
# Beyond what a configuration says engines refuse; a model that does not say it is searched up to here.
_LONGEST_SEARCHED = 2**24
# Windows of llama.cpp hold a step of so many tokens besides, in whole multiples of the second (n_ubatch 512).
_GGUF_AHEAD, _GGUF_PADDING = 512, 256


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
    terms: tuple[Term, ...] = ()


@dataclass(frozen=True)
class _Choice:
    weights: str
    weights_bytes: float
    repeated_bytes: float
    kv_type: str
    key_bytes: float
    source: str


def fits(
    shape: ModelShape, hardware: Hardware | None, context: int, gpus: int, draft: ModelShape | None = None
) -> tuple[Fit, ...]:
    """Return what fits, a `Fit` for each choice of types of weights and cache.

    `draft` is a smaller model that is loaded beside the first, in the types of its files, and caches the same
    tokens.
    """
    return tuple(_fit(shape, choice, hardware, context, gpus, draft) for choice in _choices(shape))


def _choices(shape: ModelShape) -> Iterator[_Choice]:
    # A GGUF file's layers are spread, not split: nothing is held twice.
    sixteen = TensorType.FLOAT16 if shape.dtype is TensorType.FLOAT16 else TensorType.BFLOAT16
    repeated = 0.0 if shape.is_gguf else replicated_bytes(shape.weights, sixteen)
    for name, size, source in _weight_choices(shape):
        for kv_name, key_bytes in _cache_choices(shape):
            yield _Choice(name, size, repeated, kv_name, key_bytes, source)


def _weight_choices(shape: ModelShape) -> Iterator[tuple[str, float, str]]:
    weights = shape.weights
    if not weights.stored_bytes:
        yield "unknown", 0.0, "there are no headers of weights"
        return
    if shape.is_gguf:
        label = shape.dtype.label if shape.dtype else "as stored"
        yield label, weights.stored_bytes, "tensors of the file"
        return
    if weights.is_quantised:
        label = shape.quantisation or (shape.dtype.label if shape.dtype else "quantised")
        yield f"{label} (as stored)", weight_bytes(weights, None), "tensors of the files, as stored"
        return
    sixteen = TensorType.FLOAT16 if shape.dtype is TensorType.FLOAT16 else TensorType.BFLOAT16
    yield sixteen.label, weight_bytes(weights, sixteen), "elements of the files x 2 bytes"
    kept = "embeddings, head, norms and routers x 2 bytes"
    yield "fp8 (online)", weight_bytes(weights, sixteen, "fp8"), f"linear layers x 1 byte; {kept}"
    four = weight_bytes(weights, sixteen, "nvfp4_per_token")
    yield "4 bits (nvfp4, online)", four, f"linear layers x 0.5625 bytes with scales; {kept}"


def _cache_choices(shape: ModelShape) -> Iterator[tuple[str, float]]:
    if shape.is_gguf:
        for kind in (TensorType.FLOAT16, TensorType.Q8_0, TensorType.Q4_0):
            yield {"float16": "f16"}.get(kind.label, kind.label), kind.bytes_per_element
        return
    yield "16 bits", 2.0
    yield "fp8", 1.0


def _fit(
    shape: ModelShape,
    choice: _Choice,
    hardware: Hardware | None,
    context: int,
    gpus: int,
    draft: ModelShape | None,
) -> Fit:
    terms = _fixed_terms(choice, gpus, draft)
    weights_mib = terms[0].mib if choice.weights_bytes else None
    left = None
    if hardware is not None:
        terms.append(Term("reserve", hardware.reserve_mib, "assumed: activations, graphs, libraries"))
        if weights_mib is not None:
            left = hardware.memory_mib * hardware.share - sum(each.mib for each in terms)
    problem = shape.unknown or (draft.unknown if draft else "")
    if problem:
        return Fit(choice.weights, choice.kv_type, weights_mib, left_mib=left, terms=tuple(terms))
    sizes = choice.key_bytes
    layers = [*_on_gpu(shape, gpus), *(_on_gpu(draft, gpus) if draft else ())]
    request = _allocated(layers, sizes, is_gguf=shape.is_gguf)
    return Fit(
        choice.weights,
        choice.kv_type,
        weights_mib,
        kv_bytes_per_token=_per_token(layers, sizes),
        kv_bytes_per_further_token=_per_token([each for each in layers if not each.window], sizes),
        state_mib=sum(each.count * each.state_bytes for each in layers) / _MIB,
        kv_cache_mib=request(context) / _MIB,
        least_kv_cache_mib=request_bytes(layers, context, sizes, sizes) / _MIB,
        left_mib=left,
        longest_context=None if left is None else _longest(request, left * _MIB, shape.max_context),
        concurrency=None if left is None else _concurrency(request(context), left * _MIB),
        terms=(*terms, *(_term(each, context, sizes) for each in layers)),
    )


def _fixed_terms(choice: _Choice, gpus: int, draft: ModelShape | None) -> list[Term]:
    shared = f", over {gpus} GPUs" if gpus > 1 else ""
    alone = (choice.weights_bytes - choice.repeated_bytes) / gpus + choice.repeated_bytes
    terms = [Term("weights", alone / _MIB, choice.source + shared)]
    if draft is not None:
        size = draft.weights.stored_bytes / gpus / _MIB
        terms.append(Term("weights of the draft model", size, f"tensors of its files, as stored{shared}"))
    return terms


def _on_gpu(shape: ModelShape, gpus: int) -> list[CachedLayers]:
    """Return what one GPU caches: engines split layers over GPUs, llama.cpp the stack of them."""
    if not shape.is_gguf:
        return [each.on_one_of(gpus) for each in shape.cache]
    return [
        CachedLayers(
            each.kind, math.ceil(each.count / gpus), each.heads, each.key_elements, each.value_elements,
            each.window, each.state_bytes,
        )
        for each in shape.cache
    ]  # fmt: skip


def _allocated(layers: list[CachedLayers], size: float, *, is_gguf: bool) -> Callable[[int], float]:
    if not is_gguf:
        return lambda tokens: paged_request_bytes(layers, tokens, size, size)

    def padded(tokens: int) -> float:
        kept = math.ceil(tokens / _GGUF_PADDING) * _GGUF_PADDING
        return request_bytes(layers, kept, size, size, ahead=_GGUF_AHEAD)

    return padded


def _per_token(layers: list[CachedLayers], size: float) -> float:
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
