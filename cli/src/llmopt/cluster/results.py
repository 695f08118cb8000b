"""The result of a resource, read from the cluster and shown as that of a local run."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llmopt.cluster.conditions import status_of
from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt.cluster.outcomes import BEST_KEY, best_config_map, result_from
from llmopt.tables import print_result
from llmopt_core.resources.status import BenchmarkStatus, MetricResult, OptimizationStatus
from llmopt_core.study.results import OptimizationResult
from llmopt_core.study.wording import number

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster


def read_result(
    cluster: "Cluster", document: dict[str, Any], status: OptimizationStatus
) -> OptimizationResult:
    """Return what an optimization found: whole where its ConfigMap may be read, else by its status."""
    written = None
    if status.best is not None:
        try:
            data = cluster.config_map(best_config_map(document), document["metadata"]["namespace"])
            written = data.get(BEST_KEY)
        except (Forbidden, ResourceNotFound):
            written = None
    return result_from(document, status, written)


def print_outcome(console: Console, cluster: "Cluster", document: dict[str, Any]) -> None:
    """Print what the resource `document` found so far."""
    status = status_of(document)
    if isinstance(status, OptimizationStatus):
        print_result(console, read_result(cluster, document, status))
    else:
        print_comparison(console, status)


def print_comparison(console: Console, status: BenchmarkStatus) -> None:
    """Print the verdict of a benchmark, and each candidate's means beside the baseline's."""
    console.print()
    console.print(Text(status.verdict or "nothing was measured yet", style="bold"), soft_wrap=True)
    metrics = list(dict.fromkeys(metric for each in status.results for metric in each.metrics))
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("candidate", "repeats", *metrics):
        table.add_column(title, justify="left" if title == "candidate" else "right")
    for each in status.results:
        cells = (_mean(each.metrics.get(metric)) for metric in metrics)
        table.add_row(Text(each.candidate), str(each.repeats), *cells)
    if status.results:
        console.print(table)


def _mean(measured: MetricResult | None) -> str:
    if measured is None:
        return ""
    if measured.interval is None:
        return number(float(measured.mean))
    low, high = (number(float(end)) for end in (measured.interval.low, measured.interval.high))
    return f"{number(float(measured.mean))} [{low} to {high}]"
