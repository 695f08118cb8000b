"""An engine: its parameters, and how its server is started."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmopt_core.engines.declarations import (
    EngineDeclaration,
    ParameterDeclaration,
    When,
    by_full_name,
    completed,
)
from llmopt_core.engines.engine_logs import EngineLogs
from llmopt_core.engines.first_settings import Argument, FirstSettings, Machine
from llmopt_core.engines.memory_parameters import MemoryParameters
from llmopt_core.engines.packaging import Packaging
from llmopt_core.engines.presets import PresetTable, one_of
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.patterns.base import pattern
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import Engine, LaunchSettings, Reachable, ServerCommand

_SERVER = Path(__file__).with_name("server.py")
_PARAMETERS = by_full_name(
    (
        ParameterDeclaration(
            "words", "engine", "int", When.LOAD, 3, "how many words it repeats", low=1, high=100
        ),
        ParameterDeclaration("temperature", "sampling", "float", When.REQUEST, 1.0, "ignored", low=0, high=2),
    )
)


def _canonical(configuration: Configuration) -> Configuration:
    return Configuration.from_flat(completed(configuration, _PARAMETERS))


def _conflicts(configuration: Configuration) -> tuple[str, ...]:
    del configuration
    return ()


def _suited(machine: Machine) -> FirstSettings | None:
    """Return what suits a machine to begin with: only one that has nothing better."""
    if machine.gpus_mib or machine.installed - {"parrot"}:
        return None
    words = Argument("words", "3", "enough for a name")
    return FirstSettings("parrot", "hf://example/parrot", (words,), concurrency=1)


# What its log looks like when it fails, and by what a log is known to be its own.
_LOGS = EngineLogs(
    patterns=(
        pattern(
            "too-many-words",
            ErrorClass.INVALID_CONFIGURATION,
            r"parrot: at most (?P<most>\d+) words",
            "Lower words ({words}) to {most}.",
            LimitRule("words", most="most"),
        ),
    ),
    mark=re.compile(r"\bparrot: "),
    arguments=re.compile(r"parrot: started with (\{.*\})$", re.MULTILINE),
)


class Parrot(Engine):
    """A server that repeats the last words of its prompt."""

    declaration = EngineDeclaration(
        name="parrot",
        summary="repeats its input",
        needs_model_file=False,
        parameters=_PARAMETERS,
        canonical=_canonical,
        conflicts=_conflicts,
        logs=_LOGS,
        preset=PresetTable(server=(one_of("words", 1, 3, 10),)),
        memory=MemoryParameters(decisive=("words",), lowered=("words",)),
        packaging=Packaging(
            install="pip install llmopt-example",
            image="llmopt-example",
            distributions=("llmopt-example",),
            variables=("PARROT_",),
        ),
        suited=_suited,
    )
    metrics_path = None

    def installed(self) -> str:
        """Return the version."""
        return "1.0.0"

    def command(self, settings: LaunchSettings) -> ServerCommand:
        """Return how the server is started."""
        return ServerCommand((sys.executable, *_arguments(settings.port, settings.parameters)))

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the same command for a shell."""
        return " ".join(("python", *_arguments(settings.port, configuration.engine)))

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Return True: it keeps nothing."""
        del server, configuration
        return True

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return how many requests are in its log."""
        del metrics_text
        return {"posts": log_text.count("POST")}

    def model_name(self, settings: LaunchSettings) -> str:
        """Return what the server calls itself."""
        del settings
        return "parrot"


def _arguments(port: int, parameters: Mapping[str, Value]) -> tuple[str, ...]:
    return (str(_SERVER), str(port), str(parameters.get("words", 3)))
