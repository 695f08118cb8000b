"""The metrics of one runner: the trials that it ended, and gauges of its study."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import disable_created_metrics

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import ObjectiveDefinition, Outcome, OutcomeKind
from llmopt_runner.exporter.devices import DeviceCollector, RunnerView
from llmopt_runner.exporter.limits import Limits
from llmopt_runner.exporter.study_gauges import StudyGauges

# A copied answer takes a tenth of a second, a large model's start half an hour.
_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_STAGES = ("load", "warmup", "measure", "framework")


class Exporter:
    """The runner's metrics in a registry of their own."""

    def __init__(
        self, engine: str, objectives: Sequence[ObjectiveDefinition], view: RunnerView, limits: Limits
    ) -> None:
        """Make every series with a known label, so that a rate has a zero to begin from."""
        # Without it each counter has a second series that nothing reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not annotate it
        self.registry = CollectorRegistry()
        self._build(engine)
        self._trials = self._counter("trials", "Trials that this runner ended, by kind of end.", "kind")
        self._errors = self._counter("errors", "Failures of this runner's trials, by class.", "error_class")
        self._stages = self._counter(
            "stage_seconds", "Time of this runner's ended trials, by stage.", "stage"
        )
        self._current = Gauge(
            "llmopt_runner_objective_current",
            "The objective in this runner's latest measured trial, in its own unit.",
            ("metric",),
            registry=self.registry,
        )
        self._trial_seconds = self._histogram("trial_duration", "Trials that asked an engine.")
        self._start_seconds = self._histogram("engine_start", "Engine starts until the first completion.")
        self.study = StudyGauges(self.registry, objectives, limits)
        for kind in OutcomeKind:
            self._trials.labels(kind.value)
        for error_class in ErrorClass:
            self._errors.labels(error_class.value)
        for stage in _STAGES:
            self._stages.labels(stage)
        self.registry.register(DeviceCollector(view))

    def _build(self, engine: str) -> None:
        info = Gauge(
            "llmopt_runner_build_info",
            "What runs: always 1.",
            ("version", "python_version", "engine"),
            registry=self.registry,
        )
        info.labels(version("llmopt"), platform.python_version(), engine).set(1)

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter(f"llmopt_runner_{name}", text, (label,), registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(
            f"llmopt_runner_{name}_seconds", text, buckets=_BUCKETS_SECONDS, registry=self.registry
        )

    def trial_ended(self, kind: OutcomeKind, outcome: Outcome) -> None:
        """Count one trial of this runner; `kind` is `returned` where it will be run again."""
        self._trials.labels(kind.value).inc()
        if outcome.failure is not None:
            self._errors.labels(outcome.failure.error_class.value).inc()
        if "load" not in outcome.seconds:  # copied, or refused before any engine was asked
            return
        for stage in _STAGES:
            self._stages.labels(stage).inc(outcome.seconds.get(stage, 0.0))
        self._trial_seconds.observe(outcome.seconds.get("total", 0.0))
        if (start := outcome.engine_start_seconds) is not None:
            self._start_seconds.observe(start)
        if kind is OutcomeKind.MEASURED:
            self.study.show(self._current, outcome.metrics)
