"""kopf's watches: what they report is remembered and queued; nothing is decided here.

kopf's stores of progress and of differences are switched off: they write annotations into every resource,
beside the operator's own three writes for each (bench/results/2026-11-23-operator.md).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import kopf

from llmopt_core.api.kinds import API_VERSION, GROUP, VERSION, Kind
from llmopt_operator.adapters.connections import kopf_login
from llmopt_operator.adapters.kubernetes import ApiError, Cluster
from llmopt_operator.reconciling.observations import Observations
from llmopt_operator.specs.names import RUNNERS_SELECTOR, Key

log = logging.getLogger(__name__)
Event = Mapping[str, Any]
# Our kinds are looked for so often until the API server serves them.
_KINDS_SECONDS = 2.0
# What there is already is listed in parts of so many objects: 1,000 resources and Jobs at once took 70 MiB.
_LISTED_AT_ONCE = 100
_GONE = "DELETED"


def register(
    registry: kopf.OperatorRegistry,
    observations: Observations,
    add: Callable[[Key], None],
    freed: Callable[[str], None],
) -> None:
    """Have `observations` know our resources, their Jobs and pods, and `add` called for whom it concerns.

    `freed` is called with a namespace in which a Job or a pod of ours is gone: its quota allows more.
    """

    async def on_resource(event: Event, **_: Any) -> None:
        if key := observations.resource(event["object"], gone=event["type"] == _GONE):
            add(key)

    async def on_job(event: Event, **_: Any) -> None:
        if key := observations.job(event["object"], gone=event["type"] == _GONE):
            add(key)
        if event["type"] == _GONE:
            freed(event["object"]["metadata"]["namespace"])

    async def on_pod(event: Event, **_: Any) -> None:
        if key := observations.pod(event["object"], gone=event["type"] == _GONE):
            add(key)
        if event["type"] == _GONE:
            freed(event["object"]["metadata"]["namespace"])

    for kind in Kind:
        kopf.on.event(GROUP, VERSION, kind.plural, registry=registry)(on_resource)
    kopf.on.event("batch", "v1", "jobs", registry=registry)(on_job)
    kopf.on.event("", "v1", "pods", registry=registry)(on_pod)


class NoDifferences(kopf.DiffBaseStorage):
    """Nothing is compared with what was handled before: kopf would copy each object whole for it."""

    def build(self, **_: Any) -> Any:
        """Return nothing of an object."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Return nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""


class NoProgress(kopf.ProgressStorage):
    """No handler is retried by kopf, so there is no progress to keep."""

    def fetch(self, **_: Any) -> None:
        """Return nothing."""

    def store(self, **_: Any) -> None:
        """Store nothing."""

    def purge(self, **_: Any) -> None:
        """Remove nothing."""

    def touch(self, **_: Any) -> None:
        """Write nothing."""

    def clear(self, *, essence: Any) -> Any:
        """Return what is there."""
        return essence


def configure(settings: kopf.OperatorSettings, namespaces: Sequence[str]) -> None:
    """Have the API server leave out all Jobs and pods that are not ours, and kopf write nothing by itself."""
    # Exact names need no list of namespaces. The chart grants none there, and kopf repeats a request that is
    # refused nine times, with pauses of a minute in all, before it watches anything.
    settings.scanning.disabled = bool(namespaces)
    settings.persistence.diffbase_storage = NoDifferences()
    settings.persistence.progress_storage = NoProgress()
    settings.watching.chunk_size = _LISTED_AT_ONCE
    settings.watching.label_selectors["batch", "jobs"] = RUNNERS_SELECTOR
    settings.watching.label_selectors["", "pods"] = RUNNERS_SELECTOR
    settings.posting.enabled = False
    # Our own queue gathers a resource's events; a task of kopf's for each need not outlive its event.
    settings.queueing.idle_timeout = 0.02
    settings.networking.request_timeout = 30.0
    settings.peering.standalone = True


async def kinds_served(cluster: Cluster) -> None:
    """Return once the API server serves our kinds."""
    reported = ""
    while missing := await _not_served(cluster):
        if missing != reported:
            log.warning("waiting for our CustomResourceDefinitions: %s", missing)
            reported = missing
        await asyncio.sleep(_KINDS_SECONDS)


async def _not_served(cluster: Cluster) -> str:
    """Return which of our kinds are not served, "" where all are."""
    try:
        found = await cluster.get(f"/apis/{API_VERSION}")
    except ApiError as error:
        if error.retryable or error.status == HTTPStatus.NOT_FOUND:
            return str(error)
        raise
    served = {each["name"] for each in found["resources"]}
    return ", ".join(f"{kind.plural}.{GROUP}" for kind in Kind if kind.plural not in served)


async def watch(
    cluster: Cluster,
    observations: Observations,
    add: Callable[[Key], None],
    freed: Callable[[str], None],
    namespaces: Sequence[str],
    ready: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Run kopf on `namespaces` (none: all) until `stop` is set; `ready` is set once it watches."""
    if namespaces:  # kopf then looks for them once, and does not notice what is installed later
        await kinds_served(cluster)
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(kopf_login)
    register(registry, observations, add, freed)
    settings = kopf.OperatorSettings()
    configure(settings, namespaces)
    # kopf handles the signals: when it ends without an error, it was asked to stop.
    await kopf.operator(
        registry=registry,
        settings=settings,
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        ready_flag=ready,
        stop_flag=stop,
    )
    stop.set()
