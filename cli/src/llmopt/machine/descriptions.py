"""What runners find on this machine: engines, memory, GPUs. Asked of the runner's own program."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.installation import install_command
from llmopt_core.occupancy import Occupancy

COMMAND = (sys.executable, "-m", "llmopt_runner.machine_report")
TIMEOUT_SECONDS = 30.0


class RunnerUnusable(LlmoptError):
    """The runner program does not start here; the message says what it said, and what to do."""


@dataclass(frozen=True)
class EngineFound:
    """`version` is None where the engine is not installed; `problem` is what kept it from being asked."""

    version: str | None
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class DeviceFound(Occupancy):
    """One device's memory now; `level` is what a memory guard with its usual levels would say."""

    name: str
    kind: Literal["host", "gpu"]
    level: Literal["SAFE", "WARNING", "CRITICAL", "EMERGENCY"] = "SAFE"


@dataclass(frozen=True)
class GpusFound:
    """NVIDIA's GPUs, their driver and the CUDA version that it brings; `reason` says why one is not seen.

    `unseen` are accelerators of which runners only know that they are here.
    """

    products: tuple[str, ...] = ()
    driver: str | None = None
    cuda: str | None = None
    reason: str | None = None
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """What a runner would find."""

    engines: Mapping[str, EngineFound]
    devices: tuple[DeviceFound, ...]
    gpus: GpusFound

    @property
    def host(self) -> DeviceFound | None:
        """Main memory."""
        return next((device for device in self.devices if device.kind == "host"), None)

    @property
    def gpu_devices(self) -> tuple[DeviceFound, ...]:
        """The GPUs that an engine would see."""
        return tuple(device for device in self.devices if device.kind == "gpu")

    def has(self, engine: str) -> bool:
        """Say whether `engine` is installed."""
        return engine in self.engines and self.engines[engine].version is not None


_DESCRIPTIONS = TypeAdapter(Description)


class Question:
    """The runner's program, asked already; `answer` waits for it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answer(self) -> Description:
        """Return what it found; raises RunnerUnusable."""
        try:
            output, errors = self._process.communicate(timeout=TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise RunnerUnusable(f"the runner did not answer within {TIMEOUT_SECONDS:.0f} s") from error
        if self._process.returncode:
            raise RunnerUnusable(why_unusable(errors))
        try:
            return _DESCRIPTIONS.validate_json(output)
        except ValidationError as error:
            raise RunnerUnusable(f"the runner is of another version: reinstall llmopt ({error})") from error


@contextmanager
def asked(command: tuple[str, ...] = COMMAND) -> Iterator[Question]:
    """Ask the runner's program, so that it works while others do; it ends with the context."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield Question(process)
        finally:
            process.kill()


def described(command: tuple[str, ...] = COMMAND) -> Description:
    """Return what runners find here; raises RunnerUnusable."""
    with asked(command) as question:
        return question.answer()


def why_unusable(errors: str) -> str:
    """Return why a program of the runner ended badly, by what it wrote to standard error."""
    last = (errors.strip().splitlines() or ["it said nothing"])[-1]
    missing = "ModuleNotFoundError" in last
    hint = f": {install_command('runner')}" if missing else ""
    return f"the runner does not start ({last}){hint}"
