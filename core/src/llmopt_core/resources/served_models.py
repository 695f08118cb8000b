"""The models that a resource names, each with the engine that serves it, and where both stand."""

from collections.abc import Iterator
from dataclasses import dataclass

from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.loading import Resource
from llmopt_core.resources.serving import Engine, Model


@dataclass(frozen=True)
class ServedModel:
    """A model and its engine; `model_path` and `engine_path` are the fields that say so."""

    model: Model
    engine: Engine
    model_path: str
    engine_path: str


def served_models(resource: Resource) -> Iterator[ServedModel]:
    """Yield what `resource` itself says is served; a candidate that is another study's result is left out."""
    spec = resource.spec
    if not isinstance(resource, LLMBenchmark):
        yield ServedModel(resource.spec.model, resource.spec.engine, "spec.model", "spec.engine")
        return
    for place, candidate in enumerate(resource.spec.candidates):
        model, engine = candidate.model or spec.model, candidate.engine or spec.engine
        if model is None or engine is None or candidate.optimization_ref is not None:
            continue
        own = f"spec.candidates[{place}]"
        yield ServedModel(
            model,
            engine,
            "spec.model" if candidate.model is None else f"{own}.model",
            "spec.engine" if candidate.engine is None else f"{own}.engine",
        )
