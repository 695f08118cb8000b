"""The runner's secrets: taken from its environment once, so that nothing it starts inherits them.

What a process was started with stays readable in /proc/PID/environ to processes of the same user, whatever is
removed later. In a cluster the runner therefore forbids that, as it may be asked to serve a model that brings
code of its own; elsewhere the user's processes can read the user's own secrets anyway.
"""

import ctypes
import os
from collections.abc import Mapping, MutableMapping

from llmopt_core.api.environment import Variable
from llmopt_runner.transport.addresses import in_cluster

_SECRETS = (
    Variable.STORAGE_URL,
    Variable.MODEL_TOKEN,
    Variable.ENDPOINT_API_KEY,
    Variable.EVALUATOR_API_KEY,
)
_SET_DUMPABLE = 4  # prctl(2)


def is_secret(name: str) -> bool:
    """Say whether the variable `name` holds a secret of this project, a candidate's own included."""
    return any(name == secret or name.startswith(f"{secret}_") for secret in _SECRETS)


def take_secrets(environment: MutableMapping[str, str]) -> Mapping[str, str]:
    """Return the secrets by variable, and remove them from `environment`.

    White space around them is dropped: files that Secrets are made from often end with a line break.
    """
    return {name: environment.pop(name).strip() for name in list(environment) if is_secret(name)}


def hide_from_other_processes() -> None:
    """Let no process of the same user read this one's memory and first environment, where it runs in a pod.

    What is started later is its own process again, with the environment that it is given.
    """
    if in_cluster() and ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


def own_secrets() -> Mapping[str, str]:
    """Return this process's secrets, which are nowhere else from then on."""
    hide_from_other_processes()
    return take_secrets(os.environ)
