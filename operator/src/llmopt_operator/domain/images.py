"""Which image runners are started from."""

from collections.abc import Mapping

from llmopt_core.api.objects import RUNNER
from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_operator.domain.contents import Referenced, parts_of
from llmopt_operator.settings import OperatorSettings

DEFAULT_IMAGE = "default"
# It starts no server, so every runner image can do it.
_IN_EVERY_IMAGE = "openai"


def engine_names(resource: Resource, referenced: Referenced) -> tuple[str, ...]:
    """Return the engines that a resource runs, the shared one first."""
    parts = parts_of(resource, referenced)
    named = (part.engine.name for part in parts if part.engine and (part.candidate or _is_shared(resource)))
    return tuple(dict.fromkeys(named))


def images_of(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> Mapping[str, str]:
    """Return the image that each engine of `resource` needs, by the engine's name.

    That is the resource's own, else the administrator's. One Job runs one image.
    """
    engines = engine_names(resource, referenced) or (DEFAULT_IMAGE,)
    needing = tuple(engine for engine in engines if engine != _IN_EVERY_IMAGE) or engines
    return {engine: resource.spec.runners.image or _configured(engine, settings) for engine in needing}


def image_of(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> str:
    """Return the runners' image."""
    return next(iter(images_of(resource, referenced, settings).values()))


def _is_shared(resource: Resource) -> bool:
    """Whether anything runs on the shared engine."""
    if not isinstance(resource, LLMBenchmark):
        return True
    return any(not (each.engine or each.optimization_ref) for each in resource.spec.candidates)


def _configured(engine: str, settings: OperatorSettings) -> str:
    return settings.images.get(engine) or settings.images.get(DEFAULT_IMAGE) or f"{RUNNER}:{engine}"
