"""What can go wrong between a person and a cluster, said so that they know what to do.

LlmoptError
├── ClientMissing        the packages that reach a cluster are not installed
├── KubeconfigInvalid    no cluster is configured, or what is configured cannot be used
├── ClusterUnreachable   the API server does not answer now (retryable)
├── NotLoggedIn          it does not accept who asks
├── Forbidden            it knows who asks, and they may not
├── NotInstalled         it knows no llmopt
├── ResourceNotFound     there is nothing of that name
├── Conflict             somebody else says what a field is
└── Refused              it refuses what it was given
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from llmopt_core.api.kinds import GROUP
from llmopt_core.errors.classes import LlmoptError

INSTALL = "helm install llmopt helm/llmopt --namespace llmopt-system --create-namespace"
# What Kubernetes' own role `view` allows, which the chart extends by our kinds; `edit` allows the rest.
_READING = frozenset({"get", "list", "watch"})
_RETRYABLE = frozenset({HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)})


class ClientMissing(LlmoptError):
    """The packages that reach a cluster are not installed."""


class KubeconfigInvalid(LlmoptError):
    """No cluster is configured, or what is configured cannot be used."""


class ClusterUnreachable(LlmoptError):
    """The API server does not answer now."""

    retryable = True


class NotLoggedIn(LlmoptError):
    """The API server does not accept the credentials."""


class Forbidden(LlmoptError):
    """The user may not do that there; the message says what to ask the administrator for."""


class NotInstalled(LlmoptError):
    """The cluster does not know our resources."""


class ResourceNotFound(LlmoptError):
    """There is nothing of that name there."""


class Conflict(LlmoptError):
    """Another manager of the resource says what a field is."""


class Refused(LlmoptError):
    """The API server refuses what it was given; doing the same again cannot help."""


@dataclass(frozen=True)
class Question:
    """What the API server was asked: `verb` and `resource` as rights name them; no namespace: all of them."""

    verb: str
    resource: str
    namespace: str | None
    name: str | None = None
    context: str = ""

    @property
    def group(self) -> str:
        """The API group of the resource; empty for Kubernetes' own."""
        return self.resource.partition(".")[2]

    @property
    def plural(self) -> str:
        """The resource without its group."""
        return self.resource.partition(".")[0]

    @property
    def place(self) -> str:
        """Where it was asked for, in words."""
        space = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        return f"{space} (context {self.context})" if self.context else space


def refusal(question: Question, code: int, status: Mapping[str, Any] | None) -> LlmoptError:
    """Return the error for an answer with the HTTP `code` and, where it was JSON, Kubernetes' `status`."""
    message = str((status or {}).get("message", "")) or f"the API server answered {code}"
    if code == HTTPStatus.UNAUTHORIZED:
        return NotLoggedIn(
            f"the cluster does not accept your credentials (context {question.context}): log in again"
        )
    if code == HTTPStatus.FORBIDDEN:
        return Forbidden(_forbidden(question, message))
    if code == HTTPStatus.NOT_FOUND:
        return _not_found(question, status)
    if code == HTTPStatus.CONFLICT:
        return Conflict(f"{_named(question)}: {message}")
    if code in _RETRYABLE:
        return ClusterUnreachable(f"the API server cannot answer now ({code}): {message}")
    return Refused(f"{_named(question)}: {_reasons(status) or message}")


def _forbidden(question: Question, message: str) -> str:
    """Say which right is missing; the server's message begins a sentence that names the user."""
    who = message.partition('User "')[2].partition('"')[0]
    role = "view" if question.verb in _READING else "edit"
    binding = f"--clusterrole={role}" + (f" --user={who}" if who else " --user=YOU")
    space = question.namespace
    command = (
        f"kubectl create rolebinding llmopt-{role} {binding} --namespace {space}"
        if space
        else f"kubectl create clusterrolebinding llmopt-{role} {binding}"
    )
    roles = (
        f"for example: {command} (llmopt's chart extends Kubernetes' own roles by its kinds)"
        if question.group == GROUP
        else f"a Role with this verb on {question.plural}"
    )
    you = f"you ({who})" if who else "you"
    return (
        f"{you} may not {question.verb} {question.resource} in {question.place}: "
        f"ask your cluster's administrator for that right, {roles}"
    )


def _not_found(question: Question, status: Mapping[str, Any] | None) -> LlmoptError:
    if status is None:  # a path that the API server does not serve at all
        return NotInstalled(
            f"this cluster does not know {question.resource} (context {question.context}): llmopt is not "
            f"installed there; install its chart: {INSTALL}"
        )
    if (status.get("details") or {}).get("kind") == "namespaces":
        return ResourceNotFound(
            f"there is no namespace {question.namespace} (context {question.context}): correct -n, or make "
            f"it: kubectl create namespace {question.namespace}"
        )
    return ResourceNotFound(f"there is no {_named(question)} in {question.place}")


def _named(question: Question) -> str:
    return f"{question.plural}/{question.name}" if question.name else question.resource


def _reasons(status: Mapping[str, Any] | None) -> str:
    """Return each cause with its field, as a rule of the resource's definition words it."""
    causes: Sequence[Mapping[str, Any]] = ((status or {}).get("details") or {}).get("causes") or ()
    return "; ".join(
        ": ".join(part for part in (cause.get("field", ""), cause.get("message", "")) if part)
        for cause in causes
    )
