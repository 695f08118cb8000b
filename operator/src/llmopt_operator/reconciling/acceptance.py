"""What a resource asks for, checked once per change: by the same types and words as `llmopt validate`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmopt_core.api.reasons import Reason
from llmopt_core.resources import Resource, check, duration_seconds, resource_of
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.resources.faults import Fault, ManifestInvalid
from llmopt_core.resources.hashed import served_document
from llmopt_core.resources.known import installed, remembering
from llmopt_core.resources.serving import Engine
from llmopt_operator.domain.contents import engines_of
from llmopt_operator.domain.observed import Problem, Target
from llmopt_operator.domain.policies import denial, rollout_of
from llmopt_operator.settings import OperatorSettings
from llmopt_operator.specs.names import manifest_hash

# Beyond its budget a study gets the time of one start and one trial, and this to end gracefully.
_ENDING_SECONDS = 300.0
_START_TIMEOUT: str = Engine.model_fields["start_timeout"].default
_LONGEST_MESSAGE = 2000
# More than the workers of a dozen namespaces hold at a time; each takes about 15 KiB.
_TYPED = 64


@dataclass(frozen=True)
class Accepted:
    """What a resource asks for, or why it is not accepted; `readable` by its types it may be all the same."""

    target: Target
    rejection: Problem | None = None
    readable: bool = True


class Acceptances:
    """Remembers what each resource asks for, until it changes."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._installed = remembering(installed())
        self._known: dict[str, tuple[str, Accepted]] = {}
        self._typed: dict[tuple[str, str], Resource] = {}

    def of(self, document: Mapping[str, Any]) -> Accepted:
        """Return what the whole `document` asks for."""
        uid, mark = document["metadata"]["uid"], _mark(document)
        known = self._known.get(uid)
        if known is None or known[0] != mark:
            known = self._known[uid] = (mark, self._accepted(document))
        return known[1]

    def resource(self, document: Mapping[str, Any]) -> Resource:
        """Return an accepted resource as its types; only the last few are kept in memory."""
        known = self._typed.get((document["metadata"]["uid"], _mark(document)))
        return known or self._keep(document, resource_of(served_document(document)))

    def is_invalid(self, document: Mapping[str, Any]) -> bool:
        """Say whether `document` cannot be read as its types."""
        rejection = self.of(document).rejection
        return rejection is not None and rejection.reason == Reason.INVALID_SPEC

    def _accepted(self, document: Mapping[str, Any]) -> Accepted:
        resource, faults = check(served_document(document), self._installed)
        if resource is None:
            return self._invalid(document, faults)
        self._keep(document, resource)
        rollouts = self._settings.rollout.enabled
        denied = denial(resource, self._settings.policy, {}, rollouts=rollouts)
        return Accepted(_target(document, resource), denied)

    def _invalid(self, document: Mapping[str, Any], faults: Iterable[Fault]) -> Accepted:
        text = "; ".join(str(fault) for fault in faults)
        problem = Problem(Reason.INVALID_SPEC, text[:_LONGEST_MESSAGE])
        try:
            resource = self._keep(document, resource_of(served_document(document)))
        except ManifestInvalid:
            return Accepted(_unread(document), problem, readable=False)
        return Accepted(replace(_target(document, resource), rollout=None), problem)

    def _keep(self, document: Mapping[str, Any], resource: Resource) -> Resource:
        self._typed[document["metadata"]["uid"], _mark(document)] = resource
        if len(self._typed) > _TYPED:
            del self._typed[next(iter(self._typed))]
        return resource

    def forget(self, uid: str) -> None:
        """Drop what is remembered of a resource that is gone."""
        self._known.pop(uid, None)
        for key in [key for key in self._typed if key[0] == uid]:
            del self._typed[key]


def _mark(document: Mapping[str, Any]) -> str:
    return f"{document['metadata'].get('generation')} {document['metadata'].get('annotations')}"


def _unread(document: Mapping[str, Any]) -> Target:
    """What is known of a resource that cannot be read: it is neither run nor deleted."""
    metadata = document["metadata"]
    return Target(
        generation=metadata.get("generation", 0), manifest_hash=manifest_hash(document), uid=metadata["uid"]
    )


def _target(document: Mapping[str, Any], resource: Resource) -> Target:
    spec = resource.spec
    return replace(
        _unread(document),
        suspend=spec.suspend,
        runners=spec.runners.count,
        queue=spec.runners.queue_name,
        ttl_seconds=spec.ttl_seconds_after_finished,
        longest_seconds=_longest_seconds(resource),
        rollout=rollout_of(resource),
        caution="; ".join(str(each) for each in cautions_of(resource)),
    )


def _longest_seconds(resource: Resource) -> float | None:
    budget = resource.spec.budget
    if budget.duration is None:
        return None
    # Candidates that refer to an optimization bring engines of their own.
    starts = [engine.start_timeout for engine in engines_of(resource)] or [_START_TIMEOUT]
    start = max(duration_seconds(each) for each in starts)
    return (
        duration_seconds(budget.duration) + duration_seconds(budget.trial_timeout) + start + _ENDING_SECONDS
    )
