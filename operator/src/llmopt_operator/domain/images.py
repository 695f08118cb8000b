"""Which image runners are started from."""

from collections.abc import Mapping

from llmopt_core.api.objects import RUNNER
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources import LLMBenchmark, Resource
from llmopt_operator.domain.contents import Referenced, parts_of
from llmopt_operator.settings import IMAGE_PLACE, OperatorSettings

DEFAULT_IMAGE = "default"


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
    needing = tuple(engine for engine in engines if not _in_every_image(engine)) or engines
    return {engine: resource.spec.runners.image or runner_image(engine, settings) for engine in needing}


def image_of(resource: Resource, referenced: Referenced, settings: OperatorSettings) -> str:
    """Return the runners' image."""
    return next(iter(images_of(resource, referenced, settings).values()))


def _is_shared(resource: Resource) -> bool:
    """Whether anything runs on the shared engine."""
    if not isinstance(resource, LLMBenchmark):
        return True
    return any(not (each.engine or each.optimization_ref) for each in resource.spec.candidates)


def runner_image(engine: str, settings: OperatorSettings) -> str:
    """Return the image that the administrator gives for `engine`, else that of this version; "": none is."""
    if given := settings.images.get(engine) or settings.images.get(DEFAULT_IMAGE):
        return given
    declaration = BUILT_IN.get(engine)
    part = engine if declaration is None else declaration.image
    template = settings.runner_image or f"{RUNNER}:{IMAGE_PLACE}"
    return "" if part is None else template.replace(IMAGE_PLACE, part)


def _in_every_image(engine: str) -> bool:
    """Say whether the engine starts no server, so that every runner image has it."""
    return engine in BUILT_IN and BUILT_IN[engine].asks_endpoint
