"""By which environment variables a runner is given what manifests keep in Secrets.

In a cluster the operator fills them from the manifest's references; elsewhere a person sets them.
"""

MODEL_TOKEN = "LLMOPT_MODEL_TOKEN"  # noqa: S105 - a variable's name
ENDPOINT_API_KEY = "LLMOPT_ENDPOINT_API_KEY"
EVALUATOR_API_KEY = "LLMOPT_EVALUATOR_API_KEY"


def of_candidate(variable: str, candidate: str) -> str:
    """Return the variable for a benchmark's candidate that has a secret of its own.

    A candidate `big-model` has LLMOPT_MODEL_TOKEN_BIG_MODEL: names hold no underscores, so none collide.
    """
    return f"{variable}_{candidate.upper().replace('-', '_')}"
