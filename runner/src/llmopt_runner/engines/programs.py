"""Finds the programs of engines, which may live in environments of their own."""

import logging
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from llmopt_core.api.environment import engine_program
from llmopt_runner.engines.failures import EngineNotInstalled

log = logging.getLogger(__name__)

_LIMIT_SECONDS = 20.0


def find_program(engine: str, program: str) -> Path | None:
    """Return the path of `program`, None where it is not installed.

    `$LLMOPT_ENGINE_<ENGINE>` goes first: the program itself, or the folder that holds it, such as the `bin`
    of a virtual environment. Then the folder of this interpreter, then the PATH.

    Raises EngineNotInstalled where that variable is set, and names no program.
    """
    variable = engine_program(engine)
    if given := os.environ.get(variable):
        path = Path(given) / program if Path(given).is_dir() else Path(given)
        if not os.access(path, os.X_OK):
            raise EngineNotInstalled(f"{variable}={given}: {path} is no program that can run")
        return path
    beside = Path(sys.executable).parent / program
    if os.access(beside, os.X_OK):
        return beside
    found = shutil.which(program)
    return Path(found) if found else None


def require_program(engine: str, program: str, install: str) -> Path:
    """Return the path of `program`; raises EngineNotInstalled, which says how to `install` it."""
    path = find_program(engine, program)
    if path is None:
        raise EngineNotInstalled(
            f"{engine}: there is no {program!r} beside this Python, on the PATH or named by"
            f" {engine_program(engine)}; {install}"
        )
    return path


def python_of(program: Path) -> Path:
    """Return the Python of the environment that `program` belongs to; it need not exist."""
    python = program.resolve().parent / "python"
    return python if python.exists() else program.parent / "python"


def package_version(program: Path, package: str) -> str | None:
    """Return the version of `package` in the environment that `program` belongs to, None where it has none.

    Asked from the Python beside the program: the program itself may take a minute to import what it needs.
    """
    question = f"from importlib.metadata import version; print(version({package!r}))"
    output = output_of(python_of(program), "-I", "-c", question)
    return (output.stdout.strip() or None) if output else None


class Output(NamedTuple):
    """What a program wrote."""

    stdout: str
    stderr: str


def output_of(program: Path, *arguments: str, limit_seconds: float = _LIMIT_SECONDS) -> Output | None:
    """Run `program` and return its output; None where it can't run, or its output has no end in time.

    It gets a session of its own, so that what it started is stopped with it.
    """
    with suppress(OSError), _started(program, *arguments) as process:
        try:
            return Output(*process.communicate(timeout=limit_seconds))
        except subprocess.TimeoutExpired:
            log.warning("%s has not ended after %.0f s, and was stopped", program, limit_seconds)
            os.killpg(process.pid, signal.SIGKILL)
    return None


def _started(program: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (program, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
