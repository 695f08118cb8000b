"""The result of a resource, read from the cluster and shown as that of a local run."""

from typing import TYPE_CHECKING, Any

from llmopt.benchmark_tables import print_benchmark
from llmopt.cluster.comparisons import benchmark_from
from llmopt.cluster.conditions import Status, status_of
from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt.cluster.outcomes import BEST_KEY, best_config_map, result_from
from llmopt.results import Result
from llmopt.tables import error_lines, print_result
from llmopt.terminal import Console
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus
from llmopt_core.results.benchmarks import BenchmarkResult

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def read_result(cluster: "Cluster", document: dict[str, Any]) -> Result:
    """Return what the resource `document` found so far.

    Of an optimization it is whole where its ConfigMap may be read, else what the status says.
    """
    status = status_of(document)
    if isinstance(status, BenchmarkStatus):
        return benchmark_from(document, status)
    return result_from(document, status, _written(cluster, document, status))


def print_outcome(console: Console, cluster: "Cluster", document: dict[str, Any]) -> None:
    """Print what the resource `document` found so far."""
    result = read_result(cluster, document)
    if not isinstance(result, BenchmarkResult):
        print_result(console, result)
        return
    print_benchmark(console, result)
    for line in error_lines(result.errors):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _written(cluster: "Cluster", document: dict[str, Any], status: Status) -> str | None:
    if not isinstance(status, OptimizationStatus) or status.best is None:
        return None
    try:
        data = cluster.config_map(best_config_map(document), document["metadata"]["namespace"])
    except (Forbidden, ResourceNotFound):
        return None
    return data.get(BEST_KEY)
