"""The flags of `vllm serve`, and the environment variables, that stand for parameters."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from llmopt_core.engines.arguments import spellings_of
from llmopt_core.engines.vllm.known_arguments import ARGUMENTS
from llmopt_core.engines.vllm.parameters import NO_METHOD
from llmopt_core.search.configurations import Value

_MIB = 2**20
_KV_CACHE = "kv_cache_memory_mib"
# vLLM's own argument for it is in bytes, for every device.
_WORDS = {_KV_CACHE: "kv_cache_memory_bytes"}
_VARIABLES = {"cpu_threads_bind": "VLLM_CPU_OMP_THREADS_BIND"}
# Parameters that are entries of an argument that is JSON, and what they are called there.
_JSON: Mapping[str, Mapping[str, str]] = {
    "speculative_config": {
        "speculative_method": "method",
        "speculative_model": "model",
        "num_speculative_tokens": "num_speculative_tokens",
        "draft_tensor_parallel_size": "draft_tensor_parallel_size",
        "prompt_lookup_max": "prompt_lookup_max",
        "prompt_lookup_min": "prompt_lookup_min",
    },
    "compilation_config": {
        "compilation_mode": "mode",
        "cudagraph_mode": "cudagraph_mode",
        "cudagraph_capture_sizes": "cudagraph_capture_sizes",
    },
}
_IN_JSON = {name: argument for argument, entries in _JSON.items() for name in entries}


def flags(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the command line arguments that make the engine's `parameters` take effect."""
    plain = {name: value for name, value in parameters.items() if name not in {*_VARIABLES, *_IN_JSON}}
    arguments = [argument for name, value in plain.items() for argument in _arguments(name, value)]
    for argument, entries in _JSON.items():
        found = {key: _entry(name, parameters[name]) for name, key in entries.items() if name in parameters}
        if found and found.get("method") != NO_METHOD:
            arguments += [f"--{argument.replace('_', '-')}", json.dumps(found)]
    return tuple(arguments)


def variables(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Return the environment variables for those of `parameters` that vLLM has no flag for."""
    return {_VARIABLES[name]: str(parameters[name]) for name in parameters if name in _VARIABLES}


def spellings(parameters: Mapping[str, Value]) -> dict[str, bool]:
    """Return every way to write the flags of `parameters`, and whether a value follows it."""
    flagged = {_argument_of(name): value for name, value in parameters.items() if name not in _VARIABLES}
    short = {flag: True for name in flagged for flag in ARGUMENTS[name].short}
    return spellings_of(flagged) | short


def _argument_of(name: str) -> str:
    return _IN_JSON.get(name, _WORDS.get(name, name))


def _arguments(name: str, value: Value) -> Iterator[str]:
    dashed = _argument_of(name).replace("_", "-")
    if isinstance(value, bool):
        yield f"--{dashed}" if value else f"--no-{dashed}"
        return
    yield f"--{dashed}"
    yield str(int(value) * _MIB) if name == _KV_CACHE else str(value)


def _entry(name: str, value: Value) -> Any:
    if name == "cudagraph_capture_sizes":
        return [int(size) for size in str(value).split(",")]
    return value
