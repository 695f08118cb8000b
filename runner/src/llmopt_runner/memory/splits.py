"""How a model is split over GPUs: sizes that are given or assumed, and which of them its layers allow.

Source: vLLM 0.32 (`config/parallel.py`, `config/model.py`, `model_executor/layers/linear.py`).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from llmopt_core.errors.classes import ErrorClass, LlmoptError
from llmopt_runner.memory.shapes import ModelShape


class SplitImpossible(LlmoptError):
    """The model cannot be split like that; the message names the option, its value, and what to change."""

    error_class = ErrorClass.INVALID_CONFIGURATION


@dataclass(frozen=True)
class Split:
    """How many GPUs share each layer, how many stages the layers are split into, how many replicas there are.

    `whole_experts`: each GPU holds whole experts, instead of a part of each (expert parallelism).
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    whole_experts: bool = False

    @property
    def gpus(self) -> int:
        """How many GPUs that takes."""
        return self.tensor * self.pipeline * self.data

    def share_of_experts(self, experts: int) -> float:
        """Return the largest share of `experts` of a layer that one GPU holds; 0: their number is not known.

        The replicas hold one set of experts together.
        """
        sharing = self.tensor * self.data
        if self.whole_experts and experts:
            return math.ceil(experts / sharing) / experts
        return 1 / sharing


@dataclass(frozen=True)
class AskedSplit:
    """The sizes that are given, each as its option; None: not given."""

    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    whole_experts: bool = False

    @property
    def given(self) -> dict[str, int]:
        """The given sizes by the names of their options."""
        sizes = {
            "--tensor-parallel": self.tensor,
            "--pipeline-parallel": self.pipeline,
            "--data-parallel": self.data,
        }
        return {name: size for name, size in sizes.items() if size is not None}

    @property
    def assumed(self) -> tuple[str, ...]:
        """The names of the sizes that are not given, as a `Split` has them."""
        return tuple(name for name in ("tensor", "pipeline", "data") if getattr(self, name) is None)


def split_of(asked: AskedSplit, shape: ModelShape, gpus: int | None) -> Split:
    """Return the split of a model of `shape` over `gpus`, None: as many as the given sizes need.

    What is not given: one replica, and each layer over all GPUs that remain. Where the model's heads do not
    allow that, over as many of them as they do, in stages. Raises SplitImpossible.
    """
    wanted = math.prod(asked.given.values())
    if gpus is not None and wanted > gpus:
        raise SplitImpossible(
            f"{_said(asked)} needs {wanted} GPUs, there are {gpus}: lower a size, or set --gpus {wanted}"
        )
    if shape.is_gguf:
        return _of_gguf(asked, gpus)
    found = _completed(asked, shape, gpus or wanted)
    for problem in _problems(found, shape):
        raise SplitImpossible(problem)
    return found


def _completed(asked: AskedSplit, shape: ModelShape, gpus: int) -> Split:
    data = asked.data or 1
    if asked.tensor is not None:
        return Split(asked.tensor, asked.pipeline or 1, data, asked.whole_experts)
    remaining, rest = divmod(gpus, data * (asked.pipeline or 1))
    if rest:
        raise SplitImpossible(
            f"{_said(asked)} does not divide {gpus} GPUs evenly: add --tensor-parallel, the number of GPUs"
            " that share each layer, or change --gpus"
        )
    if asked.pipeline is not None:
        return Split(remaining, asked.pipeline, data, asked.whole_experts)
    tensor = max(each for each in _divisors(remaining) if not list(_split_heads(each, shape)))
    return Split(tensor, remaining // tensor, data, asked.whole_experts)


def _of_gguf(asked: AskedSplit, gpus: int | None) -> Split:
    """Return the split of a GGUF file, whose layers llama.cpp spreads over GPUs."""
    refused = {name: size for name, size in asked.given.items() if name != "--pipeline-parallel" and size > 1}
    if asked.whole_experts:
        refused["--expert-parallel"] = 1
    if refused:
        raise SplitImpossible(
            f"{' and '.join(refused)}: llama.cpp spreads whole layers of a GGUF file over GPUs, as"
            " --pipeline-parallel does; leave it out"
        )
    return Split(pipeline=asked.pipeline or gpus or 1)


def _problems(split: Split, shape: ModelShape) -> Iterator[str]:
    yield from _split_heads(split.tensor, shape)
    if shape.layers and split.pipeline > shape.layers:
        yield (
            f"--pipeline-parallel {split.pipeline} is more than the model's {shape.layers} layers: a stage"
            " has at least one"
        )
    if split.whole_experts:
        yield from _split_experts(split, shape)


def _split_heads(tensor: int, shape: ModelShape) -> Iterator[str]:
    """Yield why no layer can be shared by `tensor` GPUs: each has whole heads, as many as the others."""
    if shape.heads % tensor:
        yield f"--tensor-parallel {tensor} does not divide the model's {shape.heads} attention heads"
    for heads in sorted({each.heads for each in shape.cache if each.token_bytes(1, 1)}):
        if heads % tensor and tensor % heads:
            yield (
                f"--tensor-parallel {tensor} does not divide the model's {heads} heads of keys and values,"
                " nor is it a multiple of them"
            )


def _split_experts(split: Split, shape: ModelShape) -> Iterator[str]:
    if not shape.experts and not shape.weights.expert_bytes:
        yield "--expert-parallel: the model's configuration and weights have no experts; leave it out"
    sharing = split.tensor * split.data
    if shape.experts and sharing > shape.experts:
        yield (
            f"--expert-parallel spreads {shape.experts} experts over {sharing} GPUs (tensor x data parallel):"
            " some would hold none; use fewer"
        )


def _said(asked: AskedSplit) -> str:
    return " x ".join(f"{name} {size}" for name, size in asked.given.items())


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]
