"""Which types of weights and of KV cache vLLM takes, by the model's files and by the GPU: before a start.

The data are what the package says itself, for GPUs of each compute capability: `scripts/declare-vllm` writes
them. What they do not know, a GPU or a way to store weights, is left to the server.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmopt_core.engines.gpus import Gpu, capability_text
from llmopt_core.search.configurations import Value

_DATA: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("quantisation.json").read_text(encoding="utf-8")
)
VERSION: str = _DATA["version"]
# The compute capabilities that were asked for, as whole numbers: 89 is 8.9.
CAPABILITIES: Sequence[int] = tuple(_DATA["capabilities"])
# For each way to store weights the methods that load them, by engine.quantization; "": unset, "*": any other.
STORED: Mapping[str, Mapping[str, str]] = _DATA["stored"]
# For each kind of attention and type of cache the capabilities that have it.
KV_CACHES: Mapping[str, Mapping[str, Sequence[int]]] = _DATA["kv_cache"]
# Of methods that quantise experts while they load: the capabilities, where not all have it.
EXPERTS_ONLINE: Mapping[str, Sequence[int]] = _DATA["experts_online"]
# For types that not all GPUs compute in, the capabilities that do.
DTYPES: Mapping[str, Sequence[int]] = _DATA["dtypes"]
# The least capability of ways to store weights that need more than their method does.
FORMS: Mapping[str, int] = _DATA["forms"]
_UNSET, _ANY, _AUTO = "", "*", "auto"


@dataclass(frozen=True)
class Method:
    """A way to load weights: the least compute capability, and the types that it computes in."""

    capability: int
    dtypes: tuple[str, ...]


METHODS: Mapping[str, Method] = {
    name: Method(known["capability"], tuple(known["dtypes"])) for name, known in _DATA["methods"].items()
}
# Those that load plain weights.
ONLINE: Mapping[str, Method] = {
    name: Method(known["capability"], tuple(known["dtypes"])) for name, known in _DATA["online"].items()
}
# Those of them that quantise any model while it loads.
QUANTISING = tuple(name for name, known in _DATA["online"].items() if known["quantises"])


@dataclass(frozen=True)
class ModelFormat:
    """What of a model decides.

    `stored` is how its weights are quantised in its files, with the form after a space where a method has
    several; "": they are not, None: that is not known. `model_type` is its family. `attention` is one of
    `KV_CACHES`, None: none of these, or not known. `cache_type` is the type of KV cache that its files ask
    for, "": none. With `plug_ins` others than vLLM itself may load its weights.
    """

    stored: str | None = None
    attention: str | None = None
    model_type: str = ""
    has_experts: bool = False
    cache_type: str = ""
    plug_ins: bool = False


def unsupported(engine: Mapping[str, Value], model: ModelFormat, gpus: Sequence[Gpu]) -> tuple[str, ...]:
    """Return one sentence for each type in the `engine` parameters that vLLM refuses for `model` on `gpus`.

    Of different GPUs all must refuse. Without any, only what no GPU would take counts.
    """
    asked = str(engine.get("quantization", _UNSET))
    refused = _refused(asked, model)
    if refused:
        return (refused,)
    by_gpu = [tuple(_on_gpu(engine, asked, model, gpu)) for gpu in gpus]
    return (*_computed(engine, asked, model), *(by_gpu[0] if by_gpu and all(by_gpu) else ()))


def loaded_by(model: ModelFormat) -> Mapping[str, str]:
    """Return which methods load the weights of a model, by engine.quantization; {}: none of vLLM's own."""
    stored = model.stored or ""
    for name in (f"{stored} {model.model_type}", stored):
        if name in STORED:
            return STORED[name]
    method = stored.partition(" ")[0]
    forms = [taken for name, taken in STORED.items() if name.partition(" ")[0] == method]
    return {asked: name for taken in reversed(forms) for asked, name in taken.items()}


def _refused(asked: str, model: ModelFormat) -> str | None:
    """Return why no GPU loads the weights so; None: one may."""
    if model.stored is None:
        return None
    if not model.stored:
        return _refused_plain(asked)
    taken = loaded_by(model)
    if asked in taken or _ANY in taken or (not taken and model.plug_ins):
        return None
    if not taken:
        return (
            f"spec.model.source: its weights are stored as {model.stored}, which vLLM {VERSION} does not"
            " load: take a model whose weights are stored otherwise"
        )
    others = " or ".join(each for each in taken if each)
    way_out = f"leave it out, or set it to {others}"
    if asked in QUANTISING:
        return (
            f"engine.quantization {asked} quantises plain weights while they load, and the model's are"
            f" quantised already, as {model.stored}: {way_out}"
        )
    return (
        f"engine.quantization {asked} does not load the model's weights, which are stored as {model.stored}:"
        f" {way_out}"
    )


def _refused_plain(asked: str) -> str | None:
    if asked in {_UNSET, *ONLINE}:
        return None
    return (
        f"engine.quantization {asked} loads weights that are stored so, and the model's are not quantised:"
        f" leave it out, or take one that quantises while it loads ({', '.join(QUANTISING)})"
    )


def _method(asked: str, model: ModelFormat) -> Method | None:
    """Return how the weights are loaded; None: they are plain, or it is not known."""
    if model.stored:
        taken = loaded_by(model)
        found = METHODS.get(taken.get(asked, taken.get(_ANY, "")))
        least = FORMS.get(model.stored, 0)
        return None if found is None else replace(found, capability=max(found.capability, least))
    if model.stored is None and asked in METHODS and asked in ONLINE:  # one of both
        return min(METHODS[asked], ONLINE[asked], key=lambda each: each.capability)
    return ONLINE.get(asked) or METHODS.get(asked)


def _named(asked: str, model: ModelFormat) -> str:
    if asked:
        return f"engine.quantization {asked}"
    return f"spec.model.source, whose weights are stored as {model.stored},"


def _computed(engine: Mapping[str, Value], asked: str, model: ModelFormat) -> Iterator[str]:
    dtype, method = str(engine.get("dtype", _AUTO)), _method(asked, model)
    if method is not None and dtype != _AUTO and dtype not in method.dtypes:
        yield (
            f"engine.dtype {dtype} does not go with {_named(asked, model)} which computes in"
            f" {' or '.join(method.dtypes)}"
        )


def _on_gpu(engine: Mapping[str, Value], asked: str, model: ModelFormat, gpu: Gpu) -> Iterator[str]:
    method, own = _method(asked, model), f"{gpu.name} has {gpu.capability_text}"
    if method is not None and gpu.capability < method.capability:
        least = capability_text(method.capability)
        yield f"{_named(asked, model)} needs a GPU of compute capability {least} or more, {own}"
    if gpu.capability not in CAPABILITIES:
        return
    if (
        model.has_experts
        and not model.stored
        and gpu.capability not in EXPERTS_ONLINE.get(asked, CAPABILITIES)
    ):
        yield (
            f"engine.quantization {asked} of experts needs a GPU of compute capability"
            f" {' or '.join(capability_text(each) for each in EXPERTS_ONLINE[asked])}, {own}"
        )
    dtype = str(engine.get("dtype", _AUTO))
    if gpu.capability not in DTYPES.get(dtype, CAPABILITIES):
        yield f"engine.dtype {dtype} needs a GPU of compute capability {_least(DTYPES[dtype])} or more, {own}"
    yield from _cached(str(engine.get("kv_cache_dtype", _AUTO)), model, gpu)


def _least(capabilities: Sequence[int]) -> str:
    return capability_text(min(capabilities))


def _cached(named: str, model: ModelFormat, gpu: Gpu) -> Iterator[str]:
    cache = model.cache_type if named == _AUTO else named
    kinds = [kind for kind in KV_CACHES if kind == model.attention] or list(KV_CACHES)
    if any(gpu.capability in KV_CACHES[kind].get(cache, CAPABILITIES) for kind in kinds):
        return
    asked = f" ({cache}, as the model's files ask)" if named == _AUTO else ""
    others = ", ".join(name for name, has in KV_CACHES[kinds[0]].items() if gpu.capability in has)
    attention = f" for {kinds[0]} attention" if len(kinds) == 1 else ""
    yield (
        f"engine.kv_cache_dtype {named}{asked} is not supported{attention} by {gpu.name}, of compute"
        f" capability {gpu.capability_text}{others and f': take one of {others}'}"
    )
