"""What a resource in the cluster found: its status, shown as that of a local study. Pure."""

from collections.abc import Mapping
from typing import Any

from llmopt.cluster.conditions import status_of
from llmopt_core.resources.served import engine_of, served_spec
from llmopt_core.resources.status import BenchmarkStatus, Status
from llmopt_core.results.completion import completed
from llmopt_core.results.results import BenchmarkResult, OptimizationResult, Result

Document = Mapping[str, Any]


def shown_status(document: Document) -> Status:
    """Return the status of the resource `document`, completed by what its spec asks for."""
    return completed(status_of(document), served_spec(document))


def read_result(document: Document) -> Result:
    """Return what the resource `document` found so far."""
    name, status = str(document["metadata"]["name"]), shown_status(document)
    if isinstance(status, BenchmarkStatus):
        return BenchmarkResult(name, status)
    return OptimizationResult(name, status, engine=engine_of(document))
