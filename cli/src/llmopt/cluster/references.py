"""Which resource a person means by a name: of either kind, with help where there is none of that name."""

from collections.abc import Sequence
from typing import Any, Protocol

from llmopt.cluster.errors import Forbidden, NotInstalled, ResourceNotFound
from llmopt.cluster.kinds import Reference, kind_called
from llmopt_core.api.kinds import Kind
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.faults import did_you_mean


class NotAReference(LlmoptError):
    """What was typed names no resource."""


class Ambiguous(LlmoptError):
    """Resources of both kinds are called so."""


class Directory(Protocol):
    """What of a cluster is needed to find a resource."""

    def get(self, kind: Kind, name: str, namespace: str) -> dict[str, Any]:
        """Return a resource; raises ResourceNotFound."""
        ...

    def listed(self, kind: Kind, namespace: str | None) -> list[dict[str, Any]]:
        """Return the resources of a kind."""
        ...


def reference(words: Sequence[str]) -> Reference:
    """Return what `NAME`, `KIND`, `KIND NAME` or `KIND/NAME` refers to; raises NotAReference for all else."""
    if not words:
        return Reference(tuple(Kind), None)
    first, slash, rest = words[0].partition("/")
    kind = kind_called(first)
    if slash and kind and rest and len(words) == 1:
        return Reference((kind,), rest)
    if slash or len(words) > (2 if kind else 1):
        raise NotAReference(
            f"{' '.join(words)!r}: expected NAME, KIND NAME or KIND/NAME, where KIND is llmo or llmb"
        )
    if kind is None:
        return Reference(tuple(Kind), first)
    return Reference((kind,), words[1] if len(words) > 1 else None)


def find(cluster: Directory, wanted: Reference, namespace: str) -> tuple[Kind, dict[str, Any]]:
    """Return the one resource that `wanted` names, and its kind.

    Raises ResourceNotFound, which names the nearest that there is, Forbidden, Ambiguous, NotAReference.
    """
    if wanted.name is None:
        raise NotAReference("expected the NAME of a resource; `llmopt get` lists what there is")
    found: list[tuple[Kind, dict[str, Any]]] = []
    refused: Forbidden | None = None
    for kind in wanted.kinds:
        try:
            found.append((kind, cluster.get(kind, wanted.name, namespace)))
        except ResourceNotFound:
            continue
        except Forbidden as error:
            refused = refused or error
    if not found:
        raise refused or ResourceNotFound(_missing(cluster, wanted, namespace))
    if len(found) > 1:
        choices = " or ".join(f"{kind.short}/{wanted.name}" for kind, _ in found)
        raise Ambiguous(f"both kinds have a {wanted.name} in namespace {namespace}: say {choices}")
    return found[0]


def names(cluster: Directory, kinds: Sequence[Kind], namespace: str) -> list[str]:
    """Return the names of the resources in `namespace` as far as the user may know them."""
    found: set[str] = set()
    for kind in kinds:
        try:
            found.update(each["metadata"]["name"] for each in cluster.listed(kind, namespace))
        except (Forbidden, NotInstalled):
            continue
    return sorted(found)


def _missing(cluster: Directory, wanted: Reference, namespace: str) -> str:
    kinds = " or ".join(kind.value for kind in wanted.kinds)
    hint = did_you_mean(wanted.name, names(cluster, wanted.kinds, namespace))
    return f"there is no {kinds} {wanted.name} in namespace {namespace} ({hint}; -n names another namespace)"
