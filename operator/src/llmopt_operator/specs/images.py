"""Which image runners are started from."""

from collections.abc import Mapping

from llmopt_core.resources import Resource
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.secrets import Referenced, parts_of

DEFAULT_IMAGE = "default"
# It starts no server, so every runner image can do it.
_IN_EVERY_IMAGE = "openai"


def engine_names(resource: Resource, referenced: Referenced) -> tuple[str, ...]:
    """Return the engines that a resource names, the shared one first."""
    named = (part.engine.name for part in parts_of(resource, referenced) if part.engine)
    return tuple(dict.fromkeys(named))


def images_of(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> Mapping[str, str]:
    """Return the image that each engine of `resource` needs, by the engine's name.

    That is the resource's own, else the administrator's. More than one different image cannot be run in one Job.
    """
    engines = engine_names(resource, referenced) or (DEFAULT_IMAGE,)
    needing = tuple(engine for engine in engines if engine != _IN_EVERY_IMAGE) or engines
    return {engine: resource.spec.runners.image or _configured(engine, settings) for engine in needing}


def image_of(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> str:
    """Return the runners' image."""
    return next(iter(images_of(resource, referenced, settings).values()))


def _configured(engine: str, settings: OperatorSettings) -> str:
    return settings.images.get(engine) or settings.images.get(DEFAULT_IMAGE) or f"llmopt-runner:{engine}"
