"""What runners would find wrong with a manifest's files and engines: asked of the runner's own program."""

import subprocess
import sys

from pydantic import TypeAdapter, ValidationError

from llmopt.machine.descriptions import RunnerUnusable, why_unusable
from llmopt_core.resources.faults import Fault

COMMAND = (sys.executable, "-m", "llmopt_runner.preflight")

_FAULTS = TypeAdapter(tuple[Fault, ...])


def found_faults(manifest_text: str, command: tuple[str, ...] = COMMAND) -> tuple[Fault, ...]:
    """Return what keeps the valid manifest from its first trial on this machine; raises RunnerUnusable."""
    ended = subprocess.run(command, input=manifest_text, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise RunnerUnusable(why_unusable(ended.stderr))
    try:
        return _FAULTS.validate_json(ended.stdout)
    except ValidationError as error:
        raise RunnerUnusable(f"the runner is of another version: reinstall llmopt ({error})") from error
