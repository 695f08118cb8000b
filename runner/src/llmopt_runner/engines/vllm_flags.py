"""The flags of `vllm serve`, and the environment variables, that stand for parameters."""

from collections.abc import Iterable, Mapping

from llmopt_core.search.configurations import Value

_MIB = 2**20
# Its own word for it is in bytes, for every device.
_KV_CACHE = "kv_cache_memory_mib"
_VARIABLES = {"cpu_threads_bind": "VLLM_CPU_OMP_THREADS_BIND"}


def flags(parameters: Mapping[str, Value]) -> tuple[str, ...]:
    """Return the command line arguments that make the engine's `parameters` take effect."""
    told = {name: value for name, value in parameters.items() if name not in _VARIABLES}
    return tuple(argument for name, value in told.items() for argument in _arguments(name, value))


def variables(parameters: Mapping[str, Value]) -> dict[str, str]:
    """Return the environment variables for those of `parameters` that vLLM has no flag for."""
    return {_VARIABLES[name]: str(parameters[name]) for name in parameters if name in _VARIABLES}


def _arguments(name: str, value: Value) -> Iterable[str]:
    if name == _KV_CACHE:
        return ("--kv-cache-memory-bytes", str(int(value) * _MIB))
    dashed = name.replace("_", "-")
    if isinstance(value, bool):
        return (f"--{dashed}" if value else f"--no-{dashed}",)
    return (f"--{dashed}", str(value))
