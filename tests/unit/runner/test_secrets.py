"""Secrets are taken from the environment once, and other processes cannot read them there."""

import subprocess
import sys

import pytest

from llmopt_core.api.environment import Variable, of_candidate
from llmopt_runner.secrets import is_secret, take_secrets

_TRIES = """
import ctypes, os, pathlib, sys
from llmopt_runner.secrets import hide_from_other_processes

read, write = os.pipe()
runner = os.getpid()
os.setgid(65534); os.setuid(65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # what changing the user took: a pod's runner never was another
hide_from_other_processes()
if os.fork() == 0:
    try:
        pathlib.Path(f"/proc/{runner}/environ").read_bytes()
    except PermissionError:
        os._exit(3)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_secrets_are_taken_and_nothing_else():
    """A candidate's own are secrets too; what surrounds them in a file is dropped."""
    secrets = {
        Variable.STORAGE_URL.value: "postgresql://u:p@h/d\n",
        Variable.EVALUATOR_API_KEY.value: " key ",
        of_candidate(Variable.MODEL_TOKEN, "big-model"): "token",
        of_candidate(Variable.ENDPOINT_API_KEY, "a"): "other",
    }
    environment = {"PATH": "/bin", "LLMOPT_ENGINE_VLLM": "/opt", **secrets}
    assert take_secrets(environment) == {name: value.strip() for name, value in secrets.items()}
    assert environment == {"PATH": "/bin", "LLMOPT_ENGINE_VLLM": "/opt"}


@pytest.mark.parametrize("variable", [Variable.MODELS_ROOT, Variable.SESSION, Variable.ENGINE_MARK])
def test_other_variables_of_this_project_are_no_secrets(variable):
    """They say where things are, and whose a process is."""
    assert not is_secret(variable)


@pytest.mark.parametrize(("variables", "code"), [({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, 3), ({}, 0)])
def test_in_a_pod_processes_of_the_same_user_cannot_read_the_environment(variables, code):
    """What was removed stays in the first environment: the kernel gives it to nobody in a pod."""
    if subprocess.run(("id", "-u"), capture_output=True, check=True).stdout != b"0\n":
        pytest.skip("only root may become another user")
    done = subprocess.run((sys.executable, "-c", _TRIES), env=variables, check=False)
    assert done.returncode == code
