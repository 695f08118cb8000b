"""kopf's watches: what they report is remembered and queued; nothing is decided here.

kopf's stores of progress and of differences are switched off: they write annotations into every resource,
beside the operator's own three writes for each (bench/results/2026-11-23-operator.md).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import kopf

from llmopt_core.api.kinds import GROUP, VERSION, Kind
from llmopt_operator.adapters.connections import kopf_login
from llmopt_operator.sightings import Sightings
from llmopt_operator.specs.naming import RUNNERS_SELECTOR, Key

Event = Mapping[str, Any]
_GONE = "DELETED"


def register(
    registry: kopf.OperatorRegistry,
    sightings: Sightings,
    add: Callable[[Key], None],
    freed: Callable[[str], None],
) -> None:
    """Have `sightings` know our resources, their Jobs and pods, and `add` called for whom it concerns.

    `freed` is called with a namespace in which a Job or a pod of ours is gone: its quota allows more.
    """

    async def on_resource(event: Event, **_: Any) -> None:
        if key := sightings.resource(event["object"], gone=event["type"] == _GONE):
            add(key)

    async def on_job(event: Event, **_: Any) -> None:
        if key := sightings.job(event["object"], gone=event["type"] == _GONE):
            add(key)
        if event["type"] == _GONE:
            freed(event["object"]["metadata"]["namespace"])

    async def on_pod(event: Event, **_: Any) -> None:
        if key := sightings.pod(event["object"], gone=event["type"] == _GONE):
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


def configure(settings: kopf.OperatorSettings) -> None:
    """Have the API server leave out all Jobs and pods that are not ours, and kopf write nothing by itself."""
    settings.persistence.diffbase_storage = NoDifferences()
    settings.persistence.progress_storage = NoProgress()
    settings.watching.label_selectors["batch", "jobs"] = RUNNERS_SELECTOR
    settings.watching.label_selectors["", "pods"] = RUNNERS_SELECTOR
    settings.posting.enabled = False
    # Our own queue gathers what is told of a resource; a task of kopf's for each need not outlive its event.
    settings.queueing.idle_timeout = 0.02
    settings.networking.request_timeout = 30.0
    settings.peering.standalone = True


async def watch(
    sightings: Sightings,
    add: Callable[[Key], None],
    freed: Callable[[str], None],
    namespaces: Sequence[str],
    ready: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Run kopf on `namespaces` (none: all) until `stop` is set; `ready` is set once it watches."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(kopf_login)
    register(registry, sightings, add, freed)
    settings = kopf.OperatorSettings()
    configure(settings)
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
