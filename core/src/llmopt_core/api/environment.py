"""Environment variables of this project.

In a cluster the operator fills those with secrets from the manifest's references; elsewhere a person sets
them.
"""

from enum import StrEnum

DENY = "deny"
NO = "no"


class Variable(StrEnum):
    """One variable; the value is its name."""

    STORAGE_URL = "LLMOPT_STORAGE_URL"  # the study's database
    MODEL_TOKEN = "LLMOPT_MODEL_TOKEN"  # noqa: S105 - a variable's name
    ENDPOINT_API_KEY = "LLMOPT_ENDPOINT_API_KEY"
    EVALUATOR_API_KEY = "LLMOPT_EVALUATOR_API_KEY"
    MODELS_ROOT = "LLMOPT_MODELS_ROOT"  # where volume claims with models are mounted
    REMOTE_CODE = "LLMOPT_REMOTE_CODE"  # "deny": a model's own code is not run, whatever a study says
    SESSION = "LLMOPT_SESSION"  # marks the runners of one `llmopt run`
    GPUS_COUNTED = "LLMOPT_GPUS_COUNTED"  # "no": another runner has the same GPUs and counts their hours
    ENGINE_VARIABLES = "LLMOPT_ENGINE_VARIABLES"  # names, by commas, that engines get beside the usual ones
    COMPILE_CACHE = "LLMOPT_COMPILE_CACHE"  # a folder in which engines keep what they compiled
    ENGINE_MARK = "LLMOPT_ENGINE_MARK"  # marks every process of one engine


def of_candidate(variable: Variable, candidate: str) -> str:
    """Return the variable for a benchmark's candidate that has a secret of its own.

    A candidate `big-model` has LLMOPT_MODEL_TOKEN_BIG_MODEL: names hold no underscores, so none collide.
    """
    return f"{variable}_{_spelled(candidate)}"


def engine_program(engine: str) -> str:
    """Return the variable that names the program of `engine`, or the folder that holds it."""
    return f"LLMOPT_ENGINE_{_spelled(engine)}"


def _spelled(name: str) -> str:
    return name.upper().replace("-", "_")
