"""What a resource names: its engines, models and candidates. Pure."""

from collections.abc import Sequence

from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_core.resources.benchmark import Candidate
from llmopt_core.resources.serving import Engine, Model

# Stands for the engine where a resource names none, and for the image of all engines without one.
DEFAULT_ENGINE = "default"


def engine_names(resource: Resource) -> tuple[str, ...]:
    """Return the engines that a resource names, the shared one first."""
    return tuple(dict.fromkeys(engine.name for engine in engines_of(resource))) or (DEFAULT_ENGINE,)


def engines_of(resource: Resource) -> tuple[Engine, ...]:
    """Return the engines that a resource describes, the shared one first."""
    shared = (resource.spec.engine,) if resource.spec.engine else ()
    return (*shared, *(candidate.engine for candidate in candidates_of(resource) if candidate.engine))


def models_of(resource: Resource) -> tuple[Model, ...]:
    """Return the models that a resource names, the shared one first."""
    shared = (resource.spec.model,) if resource.spec.model else ()
    return (*shared, *(candidate.model for candidate in candidates_of(resource) if candidate.model))


def candidates_of(resource: Resource) -> Sequence[Candidate]:
    """Return the candidates of a benchmark, none of an optimization."""
    return resource.spec.candidates if isinstance(resource, LLMBenchmark) else ()
