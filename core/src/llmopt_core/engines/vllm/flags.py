"""The flags of `vllm serve`, and the environment variables, that stand for parameters."""

from collections.abc import Iterable, Mapping

from llmopt_core.engines.arguments import spellings_of
from llmopt_core.search.configurations import Value

_MIB = 2**20
_KV_CACHE = "kv_cache_memory_mib"
# Its own word for it is in bytes, for every device.
_WORDS = {_KV_CACHE: "kv_cache_memory_bytes"}
_SHORT = {"tensor_parallel_size": "-tp", "quantization": "-q"}
_VARIABLES = {"cpu_threads_bind": "VLLM_CPU_OMP_THREADS_BIND"}


def flags(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the command line arguments that make the engine's `parameters` take effect."""
    told = {name: value for name, value in parameters.items() if name not in _VARIABLES}
    return tuple(argument for name, value in told.items() for argument in _arguments(name, value))


def variables(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Return the environment variables for those of `parameters` that vLLM has no flag for."""
    return {_VARIABLES[name]: str(parameters[name]) for name in parameters if name in _VARIABLES}


def spellings(parameters: Mapping[str, Value]) -> dict[str, bool]:
    """Return every way to write the flags of `parameters`, and whether a value follows it."""
    told = {_WORDS.get(name, name): value for name, value in parameters.items() if name not in _VARIABLES}
    return spellings_of(told) | {_SHORT[name]: True for name in parameters if name in _SHORT}


def _arguments(name: str, value: Value) -> Iterable[str]:
    dashed = _WORDS.get(name, name).replace("_", "-")
    if name == _KV_CACHE:
        return (f"--{dashed}", str(int(value) * _MIB))
    if isinstance(value, bool):
        return (f"--{dashed}" if value else f"--no-{dashed}",)
    return (f"--{dashed}", str(value))
