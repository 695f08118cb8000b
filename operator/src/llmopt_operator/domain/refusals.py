"""What the API server refuses, as a reason for programs and a sentence that says what to do. Pure.

The API server says why in text, which is the only place that names a quota, a webhook or a missing right; the
texts are those of Kubernetes' own admission plugins and of its authorizer.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from llmopt_core.api.objects import Label
from llmopt_core.api.reasons import Reason
from llmopt_operator.domain.observed import Problem


@dataclass(frozen=True)
class Refusal:
    """A request that the API server did not carry out, and what it said.

    `status` is 0 where it did not answer; `resource` is its plural name, `namespace` "" for what the whole
    cluster has one of, `fields` those of the object that it finds fault with.
    """

    verb: str
    resource: str
    namespace: str
    status: int
    message: str
    subresource: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def attempt(self) -> str:
        """What was asked for, in words."""
        return f"{self.verb} {self.resource}{self.subresource and '/'}{self.subresource}"


_TERMINATING = "because it is being terminated"
_QUOTA = re.compile(
    r"exceeded quota: (?P<name>[^,]+), requested: (?P<requested>.+?), used: (?P<used>.+?),"
    r" limited: (?P<limited>.+)"
)
_QUOTA_DEMANDS = re.compile(r"failed quota: (?P<name>[^:]+): (?P<text>.+)")
_QUOTA_UNKNOWN = re.compile(r"status unknown for quota: (?P<name>[^,]+)")
_PERMISSION = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)"'
    r' in API group "(?P<group>[^"]*)"'
)
_POD_SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^"]+)": (?P<text>.+)', re.DOTALL)
_POLICY = re.compile(
    r"ValidatingAdmissionPolicy '(?P<name>[^']+)'.*? denied request: (?P<text>.+)", re.DOTALL
)
_WEBHOOK = re.compile(
    r'admission webhook "(?P<name>[^"]+)" denied the request(?:: (?P<text>.+)| without)', re.DOTALL
)
_WEBHOOK_AWAY = re.compile(r'failed calling webhook "(?P<name>[^"]+)"')
_RULES = (
    "the chart's ClusterRole grants it, and where settings.namespaces is set, a Role in each namespace of it"
)
_GRANTS = {
    "deployments": "the chart grants it where settings.rollout.enabled is true",
    "customresourcedefinitions": "the chart's ClusterRole grants it",
    "secrets": "the chart grants it for the Secret that settings.storage.secretName names, and for all where"
    " settings.policy.secretSelector is set",
    "leases": "the chart grants it in the namespace that settings.leaderElection.namespace names",
}
# Where a field of a Job comes from, the more special first.
_ORIGINS = (
    ("spec.template.spec.containers[0].resources", "spec.runners.resources"),
    ("spec.template.spec.containers[0].image", "spec.runners.image"),
    ("spec.template.spec.volumes", "spec.runners.template.volumes"),
    ("spec.template", "spec.runners.template"),
    ("metadata.labels", "spec.runners.queueName"),
    ("spec.parallelism", "spec.runners.count"),
    ("spec.completions", "spec.runners.count"),
)


def problem_of(refusal: Refusal) -> Problem:
    """Return why `refusal` happened and what to do; whatever is done about it is tried again by itself."""
    return next(found for look in _LOOKS if (found := look(refusal)) is not None)


def name_taken(body: Mapping[str, Any]) -> Problem:
    """Return the problem that `body`, as it is in the cluster, has the name that an object of ours needs."""
    metadata = body["metadata"]
    where = f"{body['kind']} {metadata['namespace']}/{metadata['name']}"
    text = f"{where} exists and belongs to {owner_text(metadata)}: it is left as it is; delete or rename it"
    return Problem(Reason.NAME_TAKEN, text)


def owner_text(metadata: Mapping[str, Any]) -> str:
    """Return who an object belongs to, as far as it says so itself."""
    if owners := metadata.get("ownerReferences"):
        owner = next((each for each in owners if each.get("controller")), owners[0])
        return f"{owner['kind']} {owner['name']}"
    if manager := (metadata.get("labels") or {}).get(Label.MANAGED_BY):
        return f"{manager}, which manages it by its label"
    writers = [entry["manager"] for entry in metadata.get("managedFields") or () if entry.get("manager")]
    return f"somebody else (written by {writers[0]})" if writers else "somebody else"


def _ending(refusal: Refusal) -> Problem | None:
    gone = refusal.status == HTTPStatus.NOT_FOUND and refusal.verb == "create"
    if not gone and _TERMINATING not in refusal.message:
        return None
    text = f"namespace {refusal.namespace} is being deleted, so nothing is created in it"
    return Problem(Reason.NAMESPACE_ENDING, text)


def _quota(refusal: Refusal) -> Problem | None:
    where = f"of namespace {refusal.namespace}"
    if found := _QUOTA.search(refusal.message):
        text = (
            f"waits for quota: ResourceQuota {found['name']} {where} allows {found['limited']},"
            f" {found['used']} is used and {found['requested']} is needed: raise it, or delete what uses it"
        )
    elif found := _QUOTA_DEMANDS.search(refusal.message):
        text = (
            f"waits for quota: ResourceQuota {found['name']} {where}: {found['text']}: set it in spec.runners"
        )
    elif found := _QUOTA_UNKNOWN.search(refusal.message):
        text = f"waits for quota: the use of ResourceQuota {found['name']} {where} is not known yet"
    else:
        return None
    return Problem(Reason.QUOTA_EXCEEDED, text)


def _permission(refusal: Refusal) -> Problem | None:
    found = _PERMISSION.search(refusal.message)
    if found is None:
        return None
    what = found["resource"] + (f".{found['group']}" if found["group"] else "")
    grant = _GRANTS.get(found["resource"].partition("/")[0], _RULES)
    where = f"in namespace {refusal.namespace}" if refusal.namespace else "in the cluster"
    text = (
        f"{found['user']} may not {found['verb']} {what} {where}: {grant};"
        " upgrade the release, or correct what was changed in its roles"
    )
    return Problem(Reason.PERMISSION_MISSING, text)


def _webhook_away(refusal: Refusal) -> Problem | None:
    found = _WEBHOOK_AWAY.search(refusal.message)
    if found is None:
        return None
    text = f"{refusal.attempt}: the admission webhook {found['name']} fails: {refusal.message}: repair it"
    return Problem(Reason.ADMISSION_UNAVAILABLE, text)


def _admission(refusal: Refusal) -> Problem | None:
    if found := _POD_SECURITY.search(refusal.message):
        text = (
            f"{refusal.attempt}: namespace {refusal.namespace} enforces PodSecurity {found['level']}:"
            f" {found['text']}: correct spec.runners.template, or the namespace's labels"
        )
    elif found := _POLICY.search(refusal.message):
        text = f"{refusal.attempt}: denied by ValidatingAdmissionPolicy {found['name']}: {found['text']}"
    elif found := _WEBHOOK.search(refusal.message):
        said = found["text"] or "it gives no reason"
        text = f"{refusal.attempt}: denied by admission webhook {found['name']}: {said}"
    elif refusal.status == HTTPStatus.FORBIDDEN:
        text = f"{refusal.attempt}: {refusal.message}"
    else:
        return None
    advice = "" if "spec.runners" in text else ": change the resource, or ask the cluster's administrator"
    return Problem(Reason.ADMISSION_DENIED, f"{text}{advice}")


def _failing(refusal: Refusal) -> Problem | None:
    patient = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT}
    answered = HTTPStatus.BAD_REQUEST <= refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if answered and refusal.status not in patient:
        return None
    said = f"{refusal.status or 'no answer'}: {refusal.message}"
    text = f"{refusal.attempt}: the API server does not carry it out ({said}): it is tried again"
    return Problem(Reason.API_SERVER_FAILING, text)


def _invalid(refusal: Refusal) -> Problem:
    faults = "; ".join(f"{name}: {text}" for name, text in refusal.fields.items()) or refusal.message
    return Problem(Reason.OBJECT_INVALID, f"{refusal.attempt}: {faults}: {_correction(refusal)}")


def _correction(refusal: Refusal) -> str:
    if refusal.subresource == "status":
        return "the installed definition of the kind is of another version: apply the CRDs of this chart"
    if refusal.resource != "jobs":
        return "the cluster's rules for it must allow it"
    origins = [origin for name in refusal.fields for part, origin in _ORIGINS if name.startswith(part)]
    return f"correct {origins[0] if origins else 'spec.runners'} of the resource"


_LOOKS = (_ending, _quota, _permission, _webhook_away, _admission, _failing, _invalid)
