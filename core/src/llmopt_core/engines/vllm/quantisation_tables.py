"""What of vLLM's rules for types of weights and of KV cache its page in the reference shows."""

from collections.abc import Iterator, Sequence

from llmopt_core.engines.gpus import capability_text
from llmopt_core.engines.reference_tables import ReferenceTable
from llmopt_core.engines.vllm.quantisation import (
    CAPABILITIES,
    EXPERTS_ONLINE,
    FORMS,
    KV_CACHES,
    METHODS,
    ONLINE,
    QUANTISING,
    STORED,
    VERSION,
    Method,
)

_ANY = "*"
_NO_GPU, _EVERY_GPU = "none", "all"


def _capabilities(found: Sequence[int]) -> str:
    """Return compute capabilities in words: from one on, or each."""
    if not found:
        return _NO_GPU
    if list(found) == list(CAPABILITIES[-len(found) :]):
        return _EVERY_GPU if len(found) == len(CAPABILITIES) else f"{capability_text(found[0])} or more"
    return ", ".join(capability_text(each) for each in found)


def _weight_rows() -> Iterator[tuple[str, ...]]:
    yield "not quantised", "unset", _EVERY_GPU, "float16, bfloat16, float32"
    for name in QUANTISING:
        experts = EXPERTS_ONLINE.get(name)
        gpus = _least(ONLINE[name]) + (f"; experts: {_capabilities(experts)}" if experts else "")
        yield "not quantised", f"`{name}`", gpus, ", ".join(ONLINE[name].dtypes)
    for stored, taken in STORED.items():
        asked = ["unset", *(f"`{each}`" for each in taken if each not in {"", _ANY})]
        others = ["any other"] if _ANY in taken else []
        method = METHODS[taken[""]]
        words = ", ".join([*asked, *others])
        yield f"`{stored}`", words, _least(method), ", ".join(method.dtypes)
        for form, least in FORMS.items():
            if form.startswith(f"{stored} "):
                yield f"`{form}`", words, f"{capability_text(least)} or more", ", ".join(method.dtypes)


def _least(method: Method) -> str:
    return f"{capability_text(method.capability)} or more"


def _cache_rows() -> Iterator[tuple[str, ...]]:
    for cache in KV_CACHES["full"]:
        yield f"`{cache}`", *(_capabilities(found[cache]) for found in KV_CACHES.values())


TABLES = (
    ReferenceTable(
        "Types of weights",
        f"As vLLM {VERSION} says itself, by how the model's files are quantised (its config.json; a"
        " second word is the form, or the model's family). What a row excludes is infeasible without"
        " a start: another `engine.quantization`, a GPU of a lower compute capability, another"
        " `engine.dtype`. Files that are quantised in another way are not loaded, unless a plug-in"
        " of vLLM is installed. Below 8.9, types of 8 bits and less are weight-only: vLLM computes"
        " in 16 bits (Marlin).",
        ("Files", "`engine.quantization`", "Compute capability", "`engine.dtype`"),
        tuple(_weight_rows()),
    ),
    ReferenceTable(
        "Types of KV cache",
        "Compute capabilities of the GPUs that have a kernel for `engine.kv_cache_dtype`, by the model's"
        " attention: with keys and values for each head, with latents (MLA), and with latents of which an"
        " index picks some (DeepSeek sparse attention). Below 8.9, `fp8` needs FlashInfer. Any other"
        " combination is infeasible without a start. Of different GPUs all must exclude it. A GPU that NVML"
        " does not know, or that is not among these, excludes nothing; nor does another version of vLLM.",
        ("`engine.kv_cache_dtype`", *(f"{name} attention" for name in KV_CACHES)),
        tuple(_cache_rows()),
    ),
)
