"""An LLMBenchmark from a few options: what `llmopt benchmark` and `llmopt compare --models` build."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmopt.manifests.documents import default_name, document
from llmopt.manifests.option_values import kubernetes_duration, objective
from llmopt.manifests.served_models import Served
from llmopt.manifests.spellings import BENCHMARK, COMPARE, Spelling
from llmopt.manifests.workloads import workload_part
from llmopt.options import BenchmarkOptions, CompareOptions, MeasuredOptions

DEFAULT_OBJECTIVE = "accuracy"
# What a person wants to know of a server: how much, how soon, and at what cost in memory.
DEFAULT_METRICS = (
    "good_answers_per_second",
    "requests_per_second",
    "output_tokens_per_second",
    "ttft_ms_p95",
    "peak_memory_mib",
)
ONLY_CANDIDATE = "default"
_LONGEST_CANDIDATE = 40


def benchmark(options: BenchmarkOptions, served: Served) -> dict[str, Any]:
    """Return the document of an LLMBenchmark of one model as its engine serves it; raises OptionInvalid."""
    name = options.name or default_name(options.model, options.dataset, "benchmark")
    shared = {"model": served.model_part, "engine": served.engine_part}
    return document(
        "LLMBenchmark", name, {**shared, **_measured(options, [{"name": ONLY_CANDIDATE}], BENCHMARK)}
    )


def comparison(options: CompareOptions, served: Sequence[tuple[str, Served]]) -> dict[str, Any]:
    """Return the document of an LLMBenchmark of several models, by candidate; raises OptionInvalid."""
    candidates = [{"name": name, "model": one.model_part, "engine": one.engine_part} for name, one in served]
    name = options.name or default_name(*(name for name, _ in served), options.dataset)
    return document("LLMBenchmark", name, _measured(options, candidates, COMPARE))


def candidate_names(models: Sequence[str]) -> Iterator[str]:
    """Yield a name for each of `models`, distinguished by a number where two would be called the same."""
    taken: set[str] = set()
    for model in models:
        plain = default_name(model)[:_LONGEST_CANDIDATE].strip("-")
        number = next(n for n in range(1, len(models) + 1) if _numbered(plain, n) not in taken)
        taken.add(_numbered(plain, number))
        yield _numbered(plain, number)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _measured(
    options: MeasuredOptions, candidates: Sequence[Mapping[str, Any]], spelled: Spelling
) -> dict[str, Any]:
    wanted = objective(options.objective or DEFAULT_OBJECTIVE, spelled)
    metrics = options.metrics or [each for each in DEFAULT_METRICS if each != wanted["metric"]]
    budget = {} if options.timeout is None else {"duration": kubernetes_duration(options.timeout, spelled)}
    spec = {
        "workload": workload_part(options),
        "candidates": list(candidates),
        "repeats": options.repeats,
        "metrics": list(metrics),
        "objective": wanted,
        "budget": budget,
    }
    return {key: part for key, part in spec.items() if part}
