"""`transformers serve`, from whatever environment it lives in: plain, continuously batched or quantised."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmopt_core.engines.transformers.bnb_4bit import unflagged
from llmopt_core.engines.transformers.declaration import TRANSFORMERS
from llmopt_core.engines.transformers.requests import request_fields
from llmopt_core.engines.transformers.serving import command, flags, needs, shell_lines, variables
from llmopt_core.search.configurations import Configuration, Value
from llmopt_runner.engines.base import Engine, LaunchSettings, Reachable, ServerCommand, hub_variables
from llmopt_runner.engines.failures import UnsupportedParameter
from llmopt_runner.engines.programs import find_program, package_version, python_of, require_program
from llmopt_runner.engines.transformers.memory_needs import memory_need
from llmopt_runner.engines.transformers.prompts import count_tokens
from llmopt_runner.guard.levels import GpuReserve
from llmopt_runner.memory.needs import MemoryNeed
from llmopt_runner.memory.shapes import ModelShape, longest_context
from llmopt_runner.models.resolution import ModelNotFound, hub_cache

_PROGRAM = "transformers"
_QUIET = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
_BATCHES = re.compile(r"\[Request received\].* CB: (True|False)")
_SWITCHED_ATTENTION = re.compile(r"Switching from \S+ to (\w+)")
# Run by the Python of the engine's environment, never imported here.
_BNB_4BIT_SERVER = Path(__file__).with_name("bnb_4bit_server.py")
_LOADED = re.compile(
    r"^\[llmopt\] bnb_4bit_quant_type=(\w+) bnb_4bit_use_double_quant=(True|False)"
    r" bnb_4bit_compute_dtype=(\w+) weights_mib=([\d.]+)$",
    re.MULTILINE,
)


class Transformers(Engine):
    """Serves a folder of safetensors, or a model of the hub by its name."""

    declaration = TRANSFORMERS
    metrics_path = None
    # It stays up when its batching thread has ended, and answers each request with an error; weights that
    # are not there it makes up by chance.
    hopeless = re.compile(
        r"^.*(?:ERROR - Error in generation loop|ERROR: +Exception in ASGI|newly initialized because missing)"
        r".*$",
        re.MULTILINE,
    )

    def installed(self) -> str | None:
        """Return the version of the package, without importing it."""
        program = find_program(TRANSFORMERS.name, _PROGRAM)
        if program is None:
            return None
        return f"{_PROGRAM} {package_version(program, _PROGRAM) or 'unknown'}"

    def command(self, settings: LaunchSettings) -> ServerCommand:
        """Return the command that serves the model; raises EngineNotInstalled and ModelNotFound."""
        program = require_program(TRANSFORMERS.name, _PROGRAM, TRANSFORMERS.packaging.installation)
        address = ("--host", settings.host, "--port", str(settings.port))
        start = _start(program, settings.parameters)
        argv = (*start, *_serve(settings), *address, *self._flags(settings.parameters))
        environment = {
            **_QUIET,
            **hub_variables(settings),
            **_cache_variables(settings.workdir),
            **variables(settings.parameters),
        }
        return ServerCommand(argv, environment)

    def serve_arguments(self, configuration: Configuration, settings: LaunchSettings) -> str:
        """Return the command that serves as `configuration` says, with only what differs from the defaults.

        It has no flags for sampling: comments say what goes with each request, or with the very first one.
        """
        changed = self._changed(configuration)
        program = find_program(TRANSFORMERS.name, _PROGRAM)
        elsewhere = command((_PROGRAM, *_serve(settings)), changed)
        if program is None:
            return elsewhere
        here = shell_lines((*_start(program, changed.engine), *_serve(settings)), changed)
        if not (need := needs(changed)):
            return here
        return f"{here}\n# elsewhere: {elsewhere.splitlines()[0]}\n# there it needs {need}"

    def make_fresh(self, server: Reachable, configuration: Configuration) -> bool:
        """Say whether nothing is kept: only batching keeps a prefix cache, which cannot be emptied."""
        del server
        return configuration.engine.get("continuous_batching") is not True

    def stays_warm(self, configuration: Configuration) -> bool:
        """Say whether neither a cache is kept nor anything is compiled for the lengths that are asked."""
        engine = configuration.engine
        if "static" in str(configuration.sampling.get("cache_implementation", "")):  # GPUs compile for it
            return False
        return engine.get("continuous_batching") is not True and engine.get("compile") is not True

    def request_fields(self, sampling: Mapping[str, Value]) -> dict[str, Any]:
        """Return the field `generation_config`, and `seed`; raises UnsupportedParameter."""
        return request_fields(super().request_fields(sampling))

    def fixed_length_fields(self, sampling: Mapping[str, Value], output_tokens: int) -> dict[str, Any]:
        """Return the fields of `sampling` with the length in `generation_config`."""
        return request_fields({**super().request_fields(sampling), **self._fixed_length(output_tokens)})

    def read_facts(self, log_text: str, metrics_text: str) -> dict[str, Any]:
        """Return whether requests are batched, the attention that was taken instead, and what 4 bits are."""
        del metrics_text
        facts: dict[str, Any] = {}
        if batches := _BATCHES.search(log_text):
            facts["continuous_batching"] = batches[1] == "True"
        if switched := _SWITCHED_ATTENTION.search(log_text):
            facts["attn_implementation"] = switched[1]
        if loaded := _LOADED.search(log_text):
            facts["bnb_4bit_quant_type"] = loaded[1]
            facts["bnb_4bit_use_double_quant"] = loaded[2] == "True"
            facts["bnb_4bit_compute_dtype"] = loaded[3]
            facts["weights_mib"] = float(loaded[4])
        return facts

    def memory_need(self, shape: ModelShape, configuration: Configuration) -> MemoryNeed:
        """Return the weights and the paged cache."""
        return memory_need(shape, configuration)

    def gpu_reserve(self, configuration: Configuration) -> GpuReserve:
        """Return all of a GPU: batching takes 0.9 of what is free, and PyTorch keeps what was freed.

        It gives that back before an allocation fails, so a full GPU is no danger.
        """
        del configuration
        return GpuReserve(leaves_mib=0.0)

    def cache_takes_rest(self, configuration: Configuration) -> bool:
        """Say whether there is a paged cache without a number of blocks."""
        engine = configuration.engine
        return engine.get("continuous_batching") is True and engine.get("cb_num_blocks") is None

    def uses_gpus(self, configuration: Configuration) -> bool:
        """Say whether it may use a GPU."""
        return configuration.engine.get("device") != "cpu"

    def context_tokens(self, model: Path) -> int | None:
        """Return what the model's configuration says: the server goes on beyond it, and answers nonsense."""
        return longest_context(model) or None

    def count_tokens(self, model: Path, prompts: Sequence[str]) -> tuple[int, ...] | None:
        """Return what the model's own tokenizer counts, in the engine's environment."""
        program = find_program(TRANSFORMERS.name, _PROGRAM)
        return None if program is None else count_tokens(program, model, prompts)

    def model_name(self, settings: LaunchSettings) -> str:
        """Return what the server was given as its model: it answers to nothing else."""
        return _model(settings)

    def served_name(self, models: Mapping[str, Any], settings: LaunchSettings) -> str | None:
        """Return our model's name: `/v1/models` lists the hub's cache, whatever is served."""
        return self.model_name(settings) if "data" in models else None

    def _flags(self, parameters: Mapping[str, Value]) -> tuple[str, ...]:
        self._require_all_declared(Configuration(engine=parameters))
        return flags(parameters)


def _start(program: Path, parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """The plain `program`, but where it has no flags for `parameters`; raises UnsupportedParameter."""
    names = unflagged(parameters)
    if not names:
        return (str(program),)
    python = python_of(program)
    if not python.exists():
        raise UnsupportedParameter(
            f"engine.{names[0]}: {program} has no such flag, and no Python is beside it that could give it to"
            " the server: let LLMOPT_ENGINE_TRANSFORMERS name the bin folder of its environment"
        )
    return (str(python), str(_BNB_4BIT_SERVER))


def _serve(settings: LaunchSettings) -> tuple[str, ...]:
    trusted = ("--trust-remote-code",) if settings.trust_remote_code else ()
    return ("serve", _model(settings), *trusted)


def _model(settings: LaunchSettings) -> str:
    path, revision = settings.model_path, settings.model_revision
    if path is None:
        return f"{settings.model_id}@{revision}" if revision else settings.model_id
    if path.is_file():
        raise ModelNotFound(
            f"spec.model.source: transformers serves a folder with config.json and safetensors, not the file"
            f" {path}; take such a folder, hf://org/name, or the engine llamacpp for GGUF"
        )
    if "@" in str(path):
        raise ModelNotFound(
            f"spec.model.source: transformers takes what follows the @ in {path} for a revision; rename the"
            " folder"
        )
    return str(path)


def _cache_variables(workdir: Path) -> dict[str, str]:
    """Make sure that the hub's cache exists, without which `/v1/models` is an error."""
    try:
        hub_cache().mkdir(parents=True, exist_ok=True)
    except OSError:  # a home that cannot be written to
        own = workdir.resolve() / "hub"
        own.mkdir(exist_ok=True)
        return {"HF_HUB_CACHE": str(own)}
    return {}
