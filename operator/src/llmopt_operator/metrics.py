"""The operator's own Prometheus metrics: what it does, how long that takes, and whether it is well."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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

    def asked(self, verb: str, status: int, seconds: float) -> None:
        """Note one request to the API server."""
        self._requests.labels(verb, str(status)).inc()
        self._request_seconds.labels(verb).observe(seconds)

    def reconciled(self, kind: str, result: str, seconds: float) -> None:
        """Note one reconciled resource."""
        self._reconciles.labels(kind, result).inc()
        self._reconcile_seconds.labels(kind).observe(seconds)

    def storage_failed(self, reason: str) -> None:
        """Note that a study could not be read."""
        self._storage_failures.labels(reason).inc()

    def count_resources(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Say how many resources of each kind are in each phase."""
        self._resources.clear()
        for (kind, phase), count in counts.items():
            self._resources.labels(kind, phase).set(count)
