"""What holds for all samplers, without loading what one needs: whether it can handle a study, and seeds."""

import importlib.util
import zlib

from llmopt_core.installation import install_command
from llmopt_core.sampling.designs import DESIGNS
from llmopt_core.storage.errors import SamplerUnavailable
from llmopt_core.storage.records import StudyDefinition

AUTO = "auto"
OPTUNA_SAMPLERS = ("cmaes", "gp", "nsga2", "nsga3", "random", "tpe")
# The module that a sampler needs, and the extra that brings it.
_NEEDS = {
    AUTO: ("sklearn", "runner"),
    "gp": ("torch", "gp"),
    "cmaes": ("cmaes", "runner"),
}


def check_sampler(definition: StudyDefinition) -> None:
    """Raise SamplerUnavailable where the sampler is unknown, or cannot handle the space or the objectives.

    What is installed here says nothing: a study may be created where it is not run.
    """
    if definition.sampler in DESIGNS:
        DESIGNS[definition.sampler](definition.space, definition.seed)
    elif definition.sampler not in (AUTO, *OPTUNA_SAMPLERS):
        known = ", ".join(sorted([AUTO, *OPTUNA_SAMPLERS, *DESIGNS]))
        raise SamplerUnavailable(f"sampler {definition.sampler!r} is unknown; there are {known}")
    if definition.sampler == "cmaes" and len(definition.objectives) > 1:
        raise SamplerUnavailable("sampler cmaes has one objective only: use tpe or nsga2 for several")


def check_installed(sampler: str) -> None:
    """Raise SamplerUnavailable where `sampler` needs what is not installed here."""
    if sampler not in _NEEDS:
        return
    module, extra = _NEEDS[sampler]
    if importlib.util.find_spec(module) is None:
        raise SamplerUnavailable(f"sampler {sampler} needs {module}: {install_command(extra)}")


def runner_seed(definition: StudyDefinition, runner: str, trials: int) -> int:
    """Return the seed of `runner`, which differs from every other runner's.

    `trials` is how many the study has, so that a runner that starts again does not repeat itself.
    """
    return zlib.crc32(f"{definition.seed}/{runner}/{trials}".encode())
