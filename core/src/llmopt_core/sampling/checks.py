"""Whether a study's sampler can handle its space and objectives, without loading what the sampler needs."""

from llmopt_core.sampling.designs import DESIGNS
from llmopt_core.storage.errors import SamplerUnavailable
from llmopt_core.storage.records import StudyDefinition

OPTUNA_SAMPLERS = ("cmaes", "gp", "nsga2", "nsga3", "random", "tpe")


def check_sampler(definition: StudyDefinition) -> None:
    """Raise SamplerUnavailable where the sampler is unknown, or cannot handle the space or the objectives.

    What is installed here says nothing: a study may be created where it is not run.
    """
    if definition.sampler in DESIGNS:
        DESIGNS[definition.sampler](definition.space, definition.seed)
    elif definition.sampler not in OPTUNA_SAMPLERS:
        known = ", ".join(sorted([*OPTUNA_SAMPLERS, *DESIGNS]))
        raise SamplerUnavailable(f"sampler {definition.sampler!r} is unknown; there are {known}")
    if definition.sampler == "cmaes" and len(definition.objectives) > 1:
        raise SamplerUnavailable("sampler cmaes has one objective only: use tpe or nsga2 for several")
