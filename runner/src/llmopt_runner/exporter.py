"""What a runner exports to Prometheus: its trials, the values it finds, its memory, its errors.

Imported only where metrics are asked for: the client library costs a tenth of a second. Counts are this
runner's own, so a sum over runners counts no trial twice; what stands for the whole study says so in its
help. No label holds a trial, and every label takes few values.
"""

import logging
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.metrics import disable_created_metrics
from prometheus_client.registry import Collector

from llmopt_core.analysis.comparison import BenchmarkFinding, compare_candidates
from llmopt_core.analysis.summary import StudySummary, summarise
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.errors import StorageUnavailable
from llmopt_core.storage.records import ObjectiveDefinition, Outcome, OutcomeKind, StudyDefinition
from llmopt_core.storage.studies import Study
from llmopt_runner.trial.trial_runner import Progress

log = logging.getLogger(__name__)

# A copied answer takes a tenth of a second, a large model's start half an hour.
_BUCKETS_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_BYTES_PER_MIB = 2**20
_GUARD_ACTIONS = ("refuse", "stop", "kill")


@dataclass(frozen=True)
class DeviceMemory:
    """One device's memory now. `level` is 0 (safe) to 3 (emergency), None where nothing judges it."""

    device: str
    used_mib: float
    total_mib: float
    level: int | None = None


class MemoryView(Protocol):
    """What is known of the memory, asked at each scrape: it must answer at once."""

    def devices(self) -> Sequence[DeviceMemory]:
        """Return the devices that are watched now."""

    def guard_actions(self) -> Mapping[str, int]:
        """Return how often the guard did what since the runner began; the counts never fall."""


class ProgressMemory:
    """What the runner measures now, as a MemoryView."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def devices(self) -> Sequence[DeviceMemory]:
        """Return what the guard saw last; nothing while no engine is loaded."""
        guard = self._progress.memory.guard
        return tuple(
            DeviceMemory(name, seen.used_mib, seen.total_mib, int(level))
            for name, (seen, level) in (guard.now() if guard else {}).items()
        )

    def guard_actions(self) -> Mapping[str, int]:
        """Return how often a start was refused, a trial ended, an engine killed."""
        return self._progress.memory.actions()


class Exporter:
    """The runner's metrics in a registry of their own."""

    def __init__(self, engine: str, objectives: Sequence[ObjectiveDefinition], memory: MemoryView) -> None:
        """Make every series with a known label, so that a rate has a zero to begin from."""
        # Without it each counter has a second series that nothing reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library does not annotate it
        self.registry = CollectorRegistry()
        self._objectives = tuple(objective.metric for objective in objectives)
        self._build(engine)
        self._trials = self._counter("trials", "Trials that this runner ended, by how.", "kind")
        self._errors = self._counter("errors", "Failures that this runner met, by class.", "error_class")
        self._current = self._gauge(
            "objective_current", "The objective in this runner's latest measured trial, in its own unit."
        )
        self._best = self._gauge(
            "objective_best",
            "The objective in the study's best trial so far (a benchmark: its best candidate's mean), in its"
            " own unit.",
        )
        self._study = self._gauge(
            "study_trials",
            "The study's trials as of this runner's latest end of one: a search's without repeats.",
            "state",
        )
        self._trial_seconds = self._histogram("trial_duration", "Trials that asked an engine.")
        self._start_seconds = self._histogram("engine_start", "Engine starts until the first completion.")
        for kind in OutcomeKind:
            self._trials.labels(kind.value)
        for error_class in ErrorClass:
            self._errors.labels(error_class.value)
        self.registry.register(_MemoryCollector(memory))

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

    def _gauge(self, name: str, text: str, label: str = "metric") -> Gauge:
        return Gauge(f"llmopt_runner_{name}", text, (label,), registry=self.registry)

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
        self._trial_seconds.observe(outcome.seconds.get("total", 0.0))
        if (start := outcome.engine_start_seconds) is not None:
            self._start_seconds.observe(start)
        if kind is OutcomeKind.MEASURED:
            self._show(self._current, outcome.metrics)

    def is_planned(self, trials: int) -> None:
        """Show how many trials the study may have."""
        self._study.labels("planned").set(trials)

    def search_seen(self, summary: StudySummary) -> None:
        """Show how far an optimization is, and its best values."""
        self._states(summary.waiting, summary.running, summary.counts)
        if summary.best is not None and summary.best.outcome is not None:
            self._show(self._best, summary.best.outcome.metrics)

    def comparison_seen(self, summary: StudySummary, finding: BenchmarkFinding) -> None:
        """Show how far a benchmark is, and the best mean of its objective."""
        self._states(summary.confirm_waiting, summary.confirm_running, summary.confirm_counts)
        objective = finding.objective
        means = [each.metrics[objective.metric].mean for each in finding.candidates if each.repeats]
        if means:
            best = max(means) if objective.direction == "maximize" else min(means)
            self._show(self._best, {objective.metric: best})

    def _states(self, waiting: int, running: int, counts: Mapping[OutcomeKind, int]) -> None:
        finished = sum(counts.values()) - counts.get(OutcomeKind.RETURNED, 0)
        for state, count in {"waiting": waiting, "running": running, "finished": finished}.items():
            self._study.labels(state).set(count)

    def _show(self, gauge: Gauge, metrics: Mapping[str, float]) -> None:
        for name in self._objectives:
            if name in metrics:
                gauge.labels(name).set(metrics[name])


class _MemoryCollector(Collector):
    """Asks the memory view at each scrape, so that nothing has to push it."""

    def __init__(self, memory: MemoryView) -> None:
        self._memory = memory

    def collect(self) -> Iterator[Metric]:
        """Yield used and total bytes and the guard's level by device, and what the guard did."""
        devices = self._memory.devices()
        yield _by_device("memory_used_bytes", "Memory in use.", _bytes(devices, lambda one: one.used_mib))
        yield _by_device("memory_total_bytes", "Memory there is.", _bytes(devices, lambda one: one.total_mib))
        levels = {one.device: float(one.level) for one in devices if one.level is not None}
        yield _by_device("memory_level", "0 safe, 1 warning, 2 critical, 3 emergency.", levels)
        actions = CounterMetricFamily(
            "llmopt_runner_guard_actions", "What the memory guard did, by action.", labels=("action",)
        )
        done = self._memory.guard_actions()
        for action in (*_GUARD_ACTIONS, *sorted(done.keys() - set(_GUARD_ACTIONS))):
            actions.add_metric((action,), done.get(action, 0))
        yield actions


def _bytes(devices: Sequence[DeviceMemory], mib_of: Callable[[DeviceMemory], float]) -> dict[str, float]:
    return {one.device: mib_of(one) * _BYTES_PER_MIB for one in devices}


def _by_device(name: str, text: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"llmopt_runner_{name}", text, labels=("device",))
    for device, value in values.items():
        family.add_metric((device,), value)
    return family


@contextmanager
def exporting(
    study: Study, memory: MemoryView, *, planned: int, host: str, port: int
) -> Iterator[Callable[[OutcomeKind, Outcome], None]]:
    """Serve the metrics of a runner of `study`, and yield the function that takes each ended trial.

    `planned` is how many trials the study may have. The study is read here and at each trial's end, never for
    a scrape.
    """
    exporter = Exporter(_engines(study.definition), study.definition.objectives, memory)
    exporter.is_planned(planned)

    def trial_ended(kind: OutcomeKind, outcome: Outcome) -> None:
        exporter.trial_ended(kind, outcome)
        _read(study, exporter)

    _read(study, exporter)
    with served(exporter, host, port):
        yield trial_ended


def _engines(definition: StudyDefinition) -> str:
    """Return what is measured: an optimization's engine, or those of all candidates."""
    servings = [definition.serving, *(candidate.serving for candidate in definition.candidates)]
    return ",".join(dict.fromkeys(each.engine_name for each in servings if each is not None))


def _read(study: Study, exporter: Exporter) -> None:
    try:
        if study.definition.comparison is None:
            exporter.search_seen(summarise(study))
        else:
            exporter.comparison_seen(summarise(study), compare_candidates(study))
    except StorageUnavailable as error:
        log.warning("metrics of the study stay as they were: %s", error)


@contextmanager
def served(exporter: Exporter, host: str, port: int) -> Iterator[int | None]:
    """Serve the metrics while the context lasts, and yield the port; `port` 0 takes any that is free.

    A port that cannot be had is a warning, and None: metrics are about the study, and no reason to end it.
    """
    try:
        server, thread = start_http_server(port, host, exporter.registry)
    except OSError as error:
        log.warning(
            "metrics are not served: port %d of %s cannot be had (%s); the study goes on, give --metrics-port"
            " another one to see them", port, host, error.strerror,
        )  # fmt: skip
        yield None
        return
    log.info("metrics are served at http://%s:%d/metrics", host, server.server_port)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
