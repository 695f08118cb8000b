"""What guesses tokens for vLLM: its weights, and what its layers keep of a sequence.

A draft model and an EAGLE head cache the tokens of the model that they guess for, in layers of their own; so
do the model's own layers for multi-token prediction. Medusa and MLP speculators keep nothing. Source: vLLM
0.32 (`config/speculative.py`, `model_executor/models/*eagle*.py`, `*_mtp.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from llmopt_core.search.configurations import Value
from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import ModelShape, draft_shape
from llmopt_runner.memory.weights import weight_bytes
from llmopt_runner.models.resolution import ModelCorrupt, hub_snapshot
from llmopt_runner.models.tensor_types import TensorType

_WITH_A_CACHE = frozenset({"draft_model", "eagle", "eagle3"})
_OWN_LAYERS = "mtp"
_GROWING = frozenset({LayerKind.FULL, LayerKind.LATENT})
_BOUNDED = frozenset({LayerKind.WINDOWED, LayerKind.CHUNKED})


@dataclass(frozen=True)
class Drafting:
    """What each replica holds to guess tokens; `left_out` says what of it is not known, "" where all is."""

    weight_bytes: float = 0.0
    layers: tuple[CachedLayers, ...] = ()
    left_out: str = ""


def drafting(shape: ModelShape, engine: Mapping[str, Value], plain: TensorType) -> Drafting:
    """Return what the `engine` parameters load to guess tokens of a model of `shape`.

    `plain` is the type of weights in plain floats. Nothing is fetched: a model that is not on this machine is
    left out. Raises LayoutUnknown where what a draft model keeps of a sequence is not understood.
    """
    method = engine.get("speculative_method")
    if method == _OWN_LAYERS:
        return Drafting(float(shape.weights.drafting_bytes), _own_layers(shape))
    source = engine.get("speculative_model")
    if source is None:
        return Drafting()
    name = f"engine.speculative_model {source}"
    folder = _folder(str(source))
    draft = None if folder is None else _shape_at(folder)
    if draft is None:
        return Drafting(left_out=f"{name} is not counted: no such model can be read on this machine")
    with_cache = method in _WITH_A_CACHE
    if with_cache and draft.unknown:
        raise LayoutUnknown(f"{name}: {draft.unknown}")
    unsized = "" if draft.weight_bytes else f"the weights of {name} are not counted: they are no safetensors"
    return Drafting(weight_bytes(draft.weights, plain), draft.cache if with_cache else (), unsized)


def _own_layers(shape: ModelShape) -> tuple[CachedLayers, ...]:
    """Return the cache of the model's own drafting layers, which attend as its others do; (): not known."""
    growing = [each for each in shape.cache if each.kind in _GROWING]
    if len(growing) != 1 or any(each.kind in _BOUNDED for each in shape.cache):
        return ()
    return (replace(growing[0], count=shape.drafting_layers),) if shape.drafting_layers else ()


def _folder(source: str) -> Path | None:
    """Return where the files of a folder, or of a repository in the hub's cache, are; None: not here."""
    path = Path(source).expanduser()
    return path if path.is_dir() else hub_snapshot(source)


@cache
def _shape_at(folder: Path) -> ModelShape | None:
    try:
        return draft_shape(folder)
    except (ModelCorrupt, OSError):
        return None  # the server says what is wrong with it
