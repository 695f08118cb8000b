"""What a resource names: its engines, models and candidates. Pure."""

from collections.abc import Sequence

from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_core.resources.benchmark import Candidate
from llmopt_core.resources.serving import Model

# Stands for the engine where a resource names none, and for the image of all engines without one.
DEFAULT_ENGINE = "default"


def engine_names(resource: Resource) -> tuple[str, ...]:
    """Return the engines that a resource names, the shared one first."""
    spec = resource.spec
    own = [spec.engine.name] if spec.engine else []
    engines = (candidate.engine.name for candidate in candidates_of(resource) if candidate.engine)
    return tuple(dict.fromkeys((*own, *engines))) or (DEFAULT_ENGINE,)


def models_of(resource: Resource) -> tuple[Model, ...]:
    """Return the models that a resource names, the shared one first."""
    shared = (resource.spec.model,) if resource.spec.model else ()
    return (*shared, *(candidate.model for candidate in candidates_of(resource) if candidate.model))


def candidates_of(resource: Resource) -> Sequence[Candidate]:
    """Return the candidates of a benchmark, none of an optimization."""
    return resource.spec.candidates if isinstance(resource, LLMBenchmark) else ()
