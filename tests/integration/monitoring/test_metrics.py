"""Prometheus' own linter on what runner and operator serve, with every series that they can have."""

import subprocess

from fakes.records import outcome
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import generate_latest

from llmopt_core.api.kinds import Kind
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import ObjectiveDefinition, OutcomeKind
from llmopt_operator.metrics import OperatorMetrics
from llmopt_runner.exporter.devices import ProgressView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.metrics import Exporter
from llmopt_runner.trial.progress import Progress


def _faults(promtool: str, registry: CollectorRegistry) -> str:
    command = (promtool, "check", "metrics")
    done = subprocess.run(command, input=generate_latest(registry), capture_output=True, check=False)
    return (done.stdout + done.stderr).decode()


def test_the_runners_metrics_keep_the_conventions(promtool: str) -> None:
    """promtool has nothing to say, after a trial of each kind that failed by each class."""
    objectives = (ObjectiveDefinition("accuracy", "maximize"),)
    exporter = Exporter("llamacpp", objectives, ProgressView(Progress()), Limits(40, 3600.0, 7200.0))
    for kind in OutcomeKind:
        for error in ErrorClass:
            exporter.trial_ended(
                kind, outcome(kind, metrics={"accuracy": 0.5}, error=error, seconds={"load": 1})
            )
    assert _faults(promtool, exporter.registry) == ""


def test_the_operators_metrics_keep_the_conventions(promtool: str) -> None:
    """promtool has nothing to say, with a series of each metric."""
    metrics = OperatorMetrics()
    metrics.watch_health(lambda: {"watch": True})
    for kind in Kind:
        metrics.asked("GET", 200, 0.1)
        metrics.reconciled(kind, "done", 0.1)
        metrics.runners_ran(kind, 60.0)
        metrics.storage_failed("StorageUnavailable")
        metrics.count_resources({(kind, "Running"): 1})
    assert _faults(promtool, metrics.registry) == ""


def test_the_linter_finds_faults(promtool: str) -> None:
    """A unit that is none of the base ones and a missing help text are each reported."""
    registry = CollectorRegistry()
    Gauge("llmopt_runner_load_milliseconds", "", registry=registry)
    faults = _faults(promtool, registry)
    assert "no help text" in faults
    assert "use base unit" in faults
