"""What guesses tokens for a model: its weights, and what its layers keep of a sequence.

A draft model and an EAGLE head cache the tokens of the model that they guess for, in layers of their own; so
do the model's own layers for multi-token prediction.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from llmopt_runner.memory.layer_words import LayoutUnknown
from llmopt_runner.memory.layers import CachedLayers, LayerKind
from llmopt_runner.memory.shapes import ModelShape, draft_shape
from llmopt_runner.memory.weights import weight_bytes
from llmopt_runner.models.resolution import ModelCorrupt, hub_snapshot
from llmopt_runner.models.tensor_types import TensorType

_GROWING = frozenset({LayerKind.FULL, LayerKind.LATENT})
_BOUNDED = frozenset({LayerKind.WINDOWED, LayerKind.CHUNKED})


@dataclass(frozen=True)
class Drafting:
    """What each replica holds to guess tokens; `left_out` says what of it is not known, "" where all is."""

    weight_bytes: float = 0.0
    layers: tuple[CachedLayers, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class AskedDraft:
    """A model that guesses: the engine's parameter that names it, and how it is loaded.

    `source` is a file, a folder, or a repository of the hub. `plain` is the type that plain floats are
    converted to, None: the one they have; `method` a quantisation as the engine calls it. `keeps`: its layers
    cache tokens.
    """

    parameter: str
    source: str
    plain: TensorType | None = None
    method: str | None = None
    keeps: bool = True


def drafting_by(asked: AskedDraft) -> Drafting:
    """Return what the model `asked` for holds.

    Nothing is fetched: a model that is not on this machine is left out. Raises LayoutUnknown where what it
    keeps of a sequence is not understood.
    """
    name = f"engine.{asked.parameter} {asked.source}"
    place = _place(asked.source)
    draft = None if place is None else _shape_at(place)
    if draft is None:
        return Drafting(left_out=f"{name} is not counted: no such model can be read on this machine")
    if asked.keeps and draft.unknown:
        raise LayoutUnknown(f"{name}: {draft.unknown}")
    unsized = "" if draft.weight_bytes else f"the weights of {name} are not counted: they are no safetensors"
    size = weight_bytes(draft.weights, asked.plain, asked.method)
    return Drafting(size, draft.cache if asked.keeps else (), unsized)


def own_drafting(shape: ModelShape) -> Drafting:
    """Return what the model's own layers hold that only draft.

    They attend as its others do; where these differ, what they cache is not known and not counted.
    """
    return Drafting(float(shape.weights.drafting_bytes), _own_layers(shape))


def _own_layers(shape: ModelShape) -> tuple[CachedLayers, ...]:
    growing = [each for each in shape.cache if each.kind in _GROWING]
    if len(growing) != 1 or any(each.kind in _BOUNDED for each in shape.cache):
        return ()
    return (replace(growing[0], count=shape.drafting_layers),) if shape.drafting_layers else ()


def _place(source: str) -> Path | None:
    """Return where a file or folder, or a repository in the hub's cache, is; None: not here."""
    path = Path(source).expanduser()
    return path if path.exists() else hub_snapshot(source)


@cache
def _shape_at(place: Path) -> ModelShape | None:
    try:
        return draft_shape(place)
    except (ModelCorrupt, OSError):
        return None  # the server says what is wrong with it
