"""The real engines and the real model of the tests, each in its cached place; made the first time."""

import functools
import os
import subprocess
from pathlib import Path

_SCRIPTS = Path(__file__).parents[2] / "scripts"
REPOSITORY = "HuggingFaceTB/SmolLM2-135M-Instruct"


@functools.cache
def use_engine(name: str) -> Path:
    """Let this process find engine `name` in its own environment; return that environment's folder.

    A machine that has the engine already says where by the same variable as ever.
    """
    variable = f"LLMOPT_ENGINE_{name.upper()}"
    if named := os.environ.get(variable):
        return Path(named).parent
    folder = _printed("engine-environment", name)
    os.environ[variable] = str(folder / "bin")
    return folder


@functools.cache
def safetensors_home() -> Path:
    """Return a Hugging Face home whose hub cache holds REPOSITORY as safetensors."""
    return _printed("safetensors-model")


def safetensors_folder() -> Path:
    """Return the folder of the one snapshot of REPOSITORY."""
    repository = safetensors_home() / "hub" / f"models--{REPOSITORY.replace('/', '--')}"
    (snapshot,) = (repository / "snapshots").iterdir()
    return snapshot


def _printed(script: str, *arguments: str) -> Path:
    answer = subprocess.run((_SCRIPTS / script, *arguments), stdout=subprocess.PIPE, text=True, check=True)
    return Path(answer.stdout.strip())
