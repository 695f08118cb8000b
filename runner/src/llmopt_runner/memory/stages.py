"""What each pipeline stage of a model holds: weights and what its layers keep of a sequence.

Source: vLLM 0.32 (`distributed/utils.py` for which layers a stage has).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain

from llmopt_runner.memory.layers import CachedLayers, merged
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.memory.weights import PlacedWeights, StoredWeights, summed, without_embeddings

_FIRST_TO_GET_MORE = 2


@dataclass(frozen=True)
class Stage:
    """The part of a model in one stage; `number` counts from 1."""

    number: int
    weights: StoredWeights
    cache: tuple[CachedLayers, ...]


def stages(shape: ModelShape, count: int) -> tuple[Stage, ...]:
    """Return the `count` stages of a model of `shape`; the last has what comes after the layers.

    Where it is not known what lies in which layer, they are alike: equal parts of the weights, and as many
    layers of each kind, rounded up.
    """
    if count <= 1:
        return (Stage(1, shape.weights, shape.cache),)
    placed = _known_places(shape)
    weights = [_part(shape.weights, count)] * count if placed is None else _placed(placed, count)
    found = zip(weights, _layers(shape, count), strict=True)
    return tuple(Stage(number, *each) for number, each in enumerate(found, start=1))


def layers_of_stages(shape: ModelShape, count: int) -> tuple[tuple[StoredWeights, ...], ...]:
    """Return the weights of each layer of each of `count` stages; alike where their places are not known."""
    placed = _known_places(shape)
    if placed is None:
        alike = _part(without_embeddings(shape.weights), max(1, shape.layers))
        return tuple((alike,) * (end - begin) for begin, end in _bounds(shape.layers, count))
    return tuple(placed.layers[begin:end] for begin, end in _bounds(len(placed.layers), count))


def _known_places(shape: ModelShape) -> PlacedWeights | None:
    placed = shape.placed
    return placed if placed is not None and any(each.stored_bytes for each in placed.layers) else None


def _placed(placed: PlacedWeights, count: int) -> list[StoredWeights]:
    found = []
    for index, (begin, end) in enumerate(_bounds(len(placed.layers), count)):
        ends = ((placed.first,) if index == 0 else ()) + ((placed.last,) if index == count - 1 else ())
        found.append(summed((*ends, *placed.layers[begin:end])))
    return found


def _layers(shape: ModelShape, count: int) -> list[tuple[CachedLayers, ...]]:
    if not shape.stack:
        return [tuple(replace(each, count=math.ceil(each.count / count)) for each in shape.cache)] * count
    # A layer may attend twice: the stack then has several entries for each.
    entries = len(shape.stack) // shape.layers if len(shape.stack) % shape.layers == 0 else 1
    return [
        merged(chain.from_iterable(shape.stack[begin * entries : end * entries]))
        for begin, end in _bounds(shape.layers, count)
    ]


def _bounds(layers: int, count: int) -> Sequence[tuple[int, int]]:
    """Return the first layer of each stage and the one after its last.

    What is left over goes to the stages before the last, from the back.
    """
    sizes = [layers // count] * count
    for index in range(layers % count):
        sizes[-(index + _FIRST_TO_GET_MORE)] += 1
    ends = [sum(sizes[: index + 1]) for index in range(count)]
    return list(zip((0, *ends), ends, strict=False))


def _part(weights: StoredWeights, count: int) -> StoredWeights:
    return StoredWeights(
        **{each.name: math.ceil(getattr(weights, each.name) / count) for each in fields(StoredWeights)}
    )
