"""What a resource of the API server asks for, as this version's types read it, for those who only show it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from llmopt_core.api.kinds import Kind
from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.hashed import settled_spec
from llmopt_core.resources.optimization import OptimizationSpec


def served_optimization(document: Mapping[str, Any]) -> OptimizationSpec | None:
    """Return the spec of an optimization, None where it is invalid or of another kind."""
    try:
        return OptimizationSpec.model_validate(settled_spec(Kind.OPTIMIZATION, document["spec"]))
    except ValidationError:
        return None


def served_benchmark(document: Mapping[str, Any]) -> BenchmarkSpec | None:
    """Return the spec of a benchmark, None where it is invalid or of another kind."""
    try:
        return BenchmarkSpec.model_validate(settled_spec(Kind.BENCHMARK, document["spec"]))
    except ValidationError:
        return None


def served_spec(document: Mapping[str, Any]) -> OptimizationSpec | BenchmarkSpec | None:
    """Return the spec of a resource of either kind, None where it is invalid."""
    served = served_benchmark if document["kind"] == Kind.BENCHMARK else served_optimization
    return served(document)


def engine_of(document: Mapping[str, Any]) -> str:
    """Return the name of the resource's engine; empty where each candidate has its own."""
    spec = served_spec(document)
    return spec.engine.name if spec and spec.engine else ""
