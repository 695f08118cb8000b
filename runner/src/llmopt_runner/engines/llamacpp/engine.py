"""llama.cpp's HTTP server: `llama-server` where the machine has it, else the one in the wheel xllamacpp."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llmopt_core.engines.llamacpp.declaration import LLAMACPP
from llmopt_core.engines.llamacpp.flags import LOAD_FLAGS, Flag
from llmopt_core.engines.llamacpp.serving import command, model
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import Engine, LaunchSettings, Reachable, ServerCommand
from llmopt_runner.engines.failures import EngineNotInstalled
from llmopt_runner.engines.llamacpp.facts import read_facts
from llmopt_runner.engines.llamacpp.memory_needs import memory_need
from llmopt_runner.engines.probing import NotReady, Probe, Refused
from llmopt_runner.engines.programs import find_program, output_of
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape
from llmopt_runner.models.resolution import ModelNotFound

_PROGRAM = "llama-server"
_WHEEL = "xllamacpp"
_LAUNCHER = "llmopt_runner.engines.llamacpp.wheel_server"
# Level 4 logs memory sizes, threads and the samplers that are really in use.
_MEASURED = ("--metrics", "--verbosity", "4")
_ERASE_LIMIT_SECONDS = 5.0
_MOST_SLOTS = 4096
# Of each GPU, unless --fit-target says otherwise.
_LEFT_FREE_MIB = 1024.0


class LlamaCpp(Engine):
    """Serves one GGUF file; no torch, ready in about a second for a small model."""

    declaration = LLAMACPP

    def installed(self) -> str | None:
        """Return the version of `llama-server` on the PATH, else of the wheel, else None."""
        if program := find_program("llamacpp", _PROGRAM):
            return f"{_PROGRAM} {_program_version(program)}"
        return f"{_WHEEL} {version(_WHEEL)}" if _has_wheel() else None

    def command(self, settings: LaunchSettings) -> ServerCommand:
        """Return the command that serves `settings.model_path`."""
        arguments = _model_arguments(settings)
        address = ("--host", settings.host, "--port", str(settings.port))
        # Without it no slot can be emptied; the server itself runs in that folder.
        slots = ("--slot-save-path", str(settings.workdir.resolve()))
        parameters = self._load_arguments(settings.parameters)
        return ServerCommand((*_server(), *arguments, *address, *_MEASURED, *slots, *parameters))

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the command of each server that is here, and `llama-server`'s as a comment if it is not.

        They hold what differs from llama.cpp's defaults. Sampling parameters become the server's defaults,
        for clients that send none; those a server has no flag for stand in a comment.
        """
        changed = self._changed(configuration)
        named = _model_arguments(settings)
        lines = [command((*server, *named), changed, _flags_of(server)) for server in _servers()]
        if find_program("llamacpp", _PROGRAM) is None:
            lines.append(f"# elsewhere: {command((_PROGRAM, *named), changed)}")
        return "\n".join(lines)

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Empty the slots' prefix caches; what was moved from idle slots to main memory cannot be emptied."""
        if configuration.engine.get("cache_prompt") is False:
            return True
        if configuration.engine.get("cache_ram_mib") != 0:
            return False
        return _erase_slots(Probe(server.base_url))

    def stays_warm(self, configuration: Configuration) -> bool:
        """Say whether there is no prefix cache that a warm-up would fill again."""
        return configuration.engine.get("cache_prompt") is False

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return sizes, context and threads from the log; llama.cpp's metrics only count requests."""
        del metrics_text
        return read_facts(log_text)

    def memory_need(self, shape: ModelShape, configuration: Configuration) -> MemoryNeed:
        """Return weights, cache and compute buffer."""
        return memory_need(shape, configuration)

    def gpu_reserve(self, configuration: Configuration) -> GpuReserve:
        """Return all of a GPU but what it leaves free: it takes everything at its start."""
        del configuration
        return GpuReserve(leaves_mib=_LEFT_FREE_MIB)

    def uses_gpus(self, configuration: Configuration) -> bool:
        """Say whether any layer may lie on a GPU."""
        return configuration.engine.get("n_gpu_layers") != 0

    def _load_arguments(self, parameters: Mapping[str, Value]) -> tuple[str, ...]:
        self._require_all_declared(Configuration(engine=parameters))
        return tuple(
            argument for name, value in parameters.items() for argument in LOAD_FLAGS[name].arguments(value)
        )


def _flags_of(server: tuple[str, ...]) -> Callable[[Flag], bool]:
    """The wheel lacks a few of the flags that llama-server has."""
    whole = server[-1] != _LAUNCHER
    return lambda flag: whole or flag.attribute is not None


def _erase_slots(probe: Probe) -> bool:
    try:
        count = probe.document("/props", _ERASE_LIMIT_SECONDS).get("total_slots")
        if not isinstance(count, int) or not 0 < count <= _MOST_SLOTS:
            return False
        for slot in range(count):
            probe.post(f"/slots/{slot}?action=erase", _ERASE_LIMIT_SECONDS)
    except (NotReady, Refused):
        return False
    return True


def _model_arguments(settings: LaunchSettings) -> tuple[str, ...]:
    if settings.model_path is None:
        raise ModelNotFound(
            f"spec.model.source: llamacpp serves a GGUF file, and {settings.model_id!r} was not resolved to"
            " one; name the file, as in hf://org/name/file.gguf"
        )
    return model(settings.model_reference) or ()


def _server() -> tuple[str, ...]:
    for server in _servers():
        return server
    raise EngineNotInstalled(
        f"llamacpp: neither {_PROGRAM} on the PATH nor the package {_WHEEL};"
        f" {LLAMACPP.packaging.installation}"
    )


def _servers() -> Iterator[tuple[str, ...]]:
    if program := find_program("llamacpp", _PROGRAM):
        yield (str(program),)
    if _has_wheel():
        # -P: a file in the working directory must not stand in for a module.
        yield (sys.executable, "-P", "-m", _LAUNCHER)


def _has_wheel() -> bool:
    return importlib.util.find_spec(_WHEEL) is not None


def _program_version(program: Path) -> str:
    output = output_of(program, "--version")
    lines = (output.stderr + output.stdout).splitlines() if output else []
    return next((line.removeprefix("version:").strip() for line in lines if "version" in line), "unknown")
