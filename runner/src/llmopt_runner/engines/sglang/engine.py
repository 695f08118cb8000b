"""SGLang's HTTP server: `sglang serve`, which lives in an environment of its own."""

import time
from collections.abc import Mapping
from typing import Any

from llmopt_core.engines.sglang.declaration import SGLANG
from llmopt_core.engines.sglang.serving import command, flags, model
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import (
    Engine,
    LaunchSettings,
    Reachable,
    ServerCommand,
    hub_variables,
    require_no_file,
)
from llmopt_runner.engines.probing import NotReady, Probe, Refused
from llmopt_runner.engines.programs import find_program, package_version, require_program
from llmopt_runner.engines.sglang.facts import read_counters, read_facts
from llmopt_runner.engines.sglang.memory_needs import memory_need
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape

_PROGRAM = "sglang"
# Of each GPU for weights and cache where nothing is said: SGLang's own choice is about so much.
_DEFAULT_SHARE = 0.9
_FLUSH_PATH = "/flush_cache"
_FLUSH_LIMIT_SECONDS, _FLUSH_PAUSE_SECONDS = 30.0, 0.2
# Counters, and each answer says how much of its prompt came from the cache.
_MEASURED = ("--enable-metrics", "--enable-cache-report")


class Sglang(Engine):
    """Serves a folder of safetensors, or a model of the hub by its name."""

    declaration = SGLANG
    counts = True

    def installed(self) -> str | None:
        """Return the version of the package: the program itself would take long to say it."""
        program = find_program(SGLANG.name, _PROGRAM)
        if program is None:
            return None
        return f"{_PROGRAM} {package_version(program, _PROGRAM) or 'unknown'}"

    def command(self, settings: LaunchSettings) -> ServerCommand:
        """Return the command that serves the model under the name that requests call it."""
        changed = self._changed(Configuration(engine=settings.parameters))
        program = str(require_program(SGLANG.name, _PROGRAM, SGLANG.packaging.installation))
        address = ("--host", settings.host, "--port", str(settings.port))
        argv = (program, *_serve(settings), *address, *_MEASURED, *flags(changed.engine))
        return ServerCommand(argv, hub_variables(settings))

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the command that serves as `configuration` says, with what differs from the defaults."""
        changed = self._changed(configuration)
        program = str(find_program(SGLANG.name, _PROGRAM) or _PROGRAM)
        return command((program, *_serve(settings)), changed)

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Empty the prefix cache, which is on unless it is switched off."""
        if configuration.engine.get("disable_radix_cache") is True:
            return True
        return _flushed(Probe(server.base_url))

    def stays_warm(self, configuration: Configuration) -> bool:
        """Say whether there is no prefix cache that a warm-up would fill again."""
        return configuration.engine.get("disable_radix_cache") is True

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return sizes and times from the log; its metrics only count requests."""
        del metrics_text
        return read_facts(log_text)

    def read_counters(self, metrics_text: str) -> dict[str, float]:
        """Return tokens of prompts, those of them from the cache, and requests that were put back."""
        return read_counters(metrics_text)

    def memory_need(self, shape: ModelShape, configuration: Configuration) -> MemoryNeed:
        """Return the weights as they are held, and the KV cache that is needed at least."""
        return memory_need(shape, configuration)

    def gpu_reserve(self, configuration: Configuration) -> GpuReserve:
        """Return mem_fraction_static, which it takes at its start."""
        return GpuReserve(float(_value(configuration.engine, "mem_fraction_static", _DEFAULT_SHARE)))

    def cache_takes_rest(self, configuration: Configuration) -> bool:
        """Say whether the KV cache has no size of its own."""
        return "max_total_tokens" not in configuration.engine


def _value(parameters: Mapping[str, Value], name: str, default: float) -> Value:
    return parameters.get(name, default)


def _serve(settings: LaunchSettings) -> tuple[str, ...]:
    require_no_file(SGLANG.name, settings.model_path)
    return model(settings.model_reference) or ()


def _flushed(probe: Probe) -> bool:
    """Empty the cache; SGLang refuses while requests run."""
    give_up_at = time.monotonic() + _FLUSH_LIMIT_SECONDS
    while time.monotonic() < give_up_at:
        try:
            probe.post(_FLUSH_PATH, _FLUSH_LIMIT_SECONDS)
        except (Refused, NotReady):
            time.sleep(_FLUSH_PAUSE_SECONDS)
        else:
            return True
    return False
