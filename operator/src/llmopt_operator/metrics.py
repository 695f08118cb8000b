"""The operator's own Prometheus metrics: what it does, how long that takes, and whether it is well."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from llmopt_core.api.kinds import Kind
from llmopt_core.api.reasons import Reason
from llmopt_core.errors.classes import ErrorClass

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# A pod may start in a second, or wait for a free GPU for hours.
_WAIT_SECONDS = (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
# Why a study cannot be read.
_STORAGE_REASONS = (
    Reason.STORAGE_SECRET_INVALID,
    ErrorClass.STORAGE_UNAVAILABLE,
    Reason.STORAGE_UNUSABLE,
    Reason.STUDY_UNREADABLE,
)


class OperatorMetrics:
    """All metrics in a registry of their own; labels are bounded: no resource, no namespace, no trial."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "llmopt_operator_api_requests",
            "Requests to the API server, by verb and status code (0: no answer).",
            ["verb", "code"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "llmopt_operator_api_request_seconds",
            "How long requests to the API server took.",
            ["verb"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._reconciles = Counter(
            "llmopt_operator_reconciles",
            "Reconciled resources, by kind and result (done, error).",
            ["kind", "result"],
            registry=self.registry,
        )
        self._reconcile_seconds = Histogram(
            "llmopt_operator_reconcile_seconds",
            "How long reconciling a resource took.",
            ["kind"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._resources = Gauge(
            "llmopt_operator_resources",
            "Resources by kind and phase.",
            ["kind", "phase"],
            registry=self.registry,
        )
        self.queue_length = Gauge(
            "llmopt_operator_queue_length", "Resources that wait to be reconciled.", registry=self.registry
        )
        self.queue_seconds = Histogram(
            "llmopt_operator_queue_seconds",
            "How long resources waited to be reconciled.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._runners_seconds = Histogram(
            "llmopt_operator_runners_wait_seconds",
            "Time from the creation of a Job until one of its runners ran: queues, free GPUs, image pulls.",
            ["kind"],
            buckets=_WAIT_SECONDS,
            registry=self.registry,
        )
        self.active_studies = Gauge(
            "llmopt_operator_active_studies", "Studies that are rolled up.", registry=self.registry
        )
        self.leading = Gauge(
            "llmopt_operator_leading", "1 while this operator is the one that acts.", registry=self.registry
        )
        self.rollup_seconds = Histogram(
            "llmopt_operator_rollup_seconds",
            "How long one look at all active studies took.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._storage_failures = Counter(
            "llmopt_operator_storage_failures",
            "Reads of studies that failed, by reason.",
            ["reason"],
            registry=self.registry,
        )

        self._begin()

    def _begin(self) -> None:
        """Make the series with known labels, so that their first event is an increase too."""
        for kind in Kind:
            self._runners_seconds.labels(kind)
            self._reconcile_seconds.labels(kind)
            for result in ("done", "error"):
                self._reconciles.labels(kind, result)
        for reason in _STORAGE_REASONS:
            self._storage_failures.labels(reason)

    def asked(self, verb: str, status: int, seconds: float) -> None:
        """Note one request to the API server."""
        self._requests.labels(verb, str(status)).inc()
        self._request_seconds.labels(verb).observe(seconds)

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Note one reconciled resource."""
        self._reconciles.labels(kind, result).inc()
        self._reconcile_seconds.labels(kind).observe(seconds)

    def runners_ran(self, kind: str, seconds: float) -> None:
        """Note that the first runner of a Job runs, and how long the Job waited for it."""
        self._runners_seconds.labels(kind).observe(seconds)

    def watch_health(self, health: Callable[[], Mapping[str, bool]]) -> None:
        """Show, at each scrape, whether each part of the operator does its work."""
        self.registry.register(_HealthCollector(health))

    def storage_failed(self, reason: str) -> None:
        """Note that a study could not be read."""
        self._storage_failures.labels(reason).inc()

    def count_resources(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Say how many resources of each kind are in each phase."""
        self._resources.clear()
        for (kind, phase), count in counts.items():
            self._resources.labels(kind, phase).set(count)


class _HealthCollector(Collector):
    """Asks at each scrape which parts are healthy: a part that is stuck reports nothing itself."""

    def __init__(self, health: Callable[[], Mapping[str, bool]]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Yield 1 for each part that does its work, 0 for each that is stuck or found something wrong."""
        family = GaugeMetricFamily(
            "llmopt_operator_healthy",
            "1 while a part of the operator does its work: watch (it misses no change), roll-up (studies).",
            labels=("part",),
        )
        for part, healthy in self._health().items():
            family.add_metric((part,), healthy)
        yield family
