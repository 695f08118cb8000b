"""`llmopt apply`: manifests checked as a whole, then given to the cluster."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from llmopt.cluster.commands.exits import on_cluster, say
from llmopt.cluster.errors import Conflict
from llmopt.cluster.kinds import COMPANIONS, kind_of
from llmopt.commands.validate import print_faults, read_manifest
from llmopt.manifest_checks import InputInvalid, faults_of
from llmopt.options import Target
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.api.kinds import GROUP, Kind
from llmopt_core.errors.files import problem_words
from llmopt_core.resources.faults import Fault
from llmopt_core.resources.places import line_of
from llmopt_core.resources.validation import FileFault

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster

Document = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """One document of a file, and its kind where it is one of ours."""

    document: Document
    kind: Kind | None

    @property
    def label(self) -> str:
        """What it is called in messages, as kubectl calls it."""
        return f"{str(self.document['kind']).lower()}/{self.document['metadata']['name']}"


def apply_files(names: Sequence[str], target: Target, *, force: bool) -> Exit:
    """Check the files `names`, and when all of them are sound give them to the cluster of `target`."""
    errors = Console(stderr=True)
    if not names:
        say(errors, "error: name a manifest: llmopt apply -f FILE")
        return Exit.INVALID
    try:
        found = pieces(names, target.namespace)
    except InputInvalid as error:
        print_faults(errors, error)
        return Exit.INVALID
    return on_cluster(target, lambda cluster: apply(cluster, found, target, force=force))


def pieces(names: Sequence[str], namespace: str | None) -> tuple[Piece, ...]:
    """Return what the files `names` hold (`-`: standard input), all of it sound and fit for `namespace`.

    Raises InputInvalid with the faults of all files.
    """
    found: list[Piece] = []
    faults: list[FileFault] = []
    for name in names:
        try:
            text, source = read_manifest(name)
        except (OSError, UnicodeDecodeError) as error:
            faults.append(
                FileFault(Path(name), 1, Fault("", None, f"a file that can be read: {problem_words(error)}"))
            )
            continue
        if wrong := faults_of(text, source) or tuple(_misplaced(text, source, namespace)):
            faults.extend(wrong)
        else:
            found.extend(Piece(document, kind_of(document)) for document in _documents(text))
    if faults:
        raise InputInvalid(tuple(faults))
    return tuple(found)


def apply(cluster: "Cluster", found: Sequence[Piece], target: Target, *, force: bool) -> Exit:
    """Give `found` to the cluster in its order, and say what that changed and what to type next."""
    console, space = Console(), cluster.access.namespace
    for piece in found:
        say(console, f"{piece.label} {_applied(cluster, piece, space, force=force)}")
    ours = [piece for piece in found if piece.kind is not None]
    if ours:
        say(console, f"next: {_next(ours[-1], target)}")
    return Exit.FINISHED


def _applied(cluster: "Cluster", piece: Piece, space: str, *, force: bool) -> str:
    try:
        return cluster.apply(
            piece.document, piece.document["metadata"].get("namespace") or space, force=force
        )
    except Conflict as error:
        raise Conflict(f"{error}; to take these fields over: --force-conflicts") from error


def _next(piece: Piece, target: Target) -> str:
    """Return the command that shows what becomes of it, on the same cluster."""
    assert piece.kind is not None  # noqa: S101 - the caller looked
    metadata = piece.document["metadata"]
    space = target.namespace or metadata.get("namespace")
    options = {"-n": space, "--context": target.context, "--kubeconfig": target.kubeconfig}
    given = (part for option, value in options.items() if value for part in (option, str(value)))
    return shlex.join(["llmopt", "watch", f"{piece.kind.short}/{metadata['name']}", *given])


def _documents(text: str) -> Iterator[Document]:
    return (document for document in yaml.load_all(text, Loader=yaml.CSafeLoader) if document is not None)


def _misplaced(text: str, source: str, namespace: str | None) -> Iterator[FileFault]:
    """Yield a fault for each document that is not ours to apply, or not there."""
    nodes = yaml.compose_all(text, Loader=yaml.CSafeLoader)
    for document, node in zip(yaml.load_all(text, Loader=yaml.CSafeLoader), nodes, strict=True):
        if document is not None and (fault := _fault(document, namespace)):
            yield FileFault(Path(source), line_of(node, fault.path), fault)


def _fault(document: Any, namespace: str | None) -> Fault | None:
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if kind_of(document) is None and (not isinstance(kind, str) or kind not in COMPANIONS):
        expected = f"a resource of {GROUP}, or one of {', '.join(sorted(COMPANIONS))}"
        return Fault("kind", kind, expected, "apply it with kubectl")
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping) or not isinstance(metadata.get("name"), str):
        return Fault("metadata.name", None, "a name")
    if namespace and metadata.get("namespace", namespace) != namespace:
        expected = f"{namespace}, as -n says"
        return Fault("metadata.namespace", metadata["namespace"], expected, "leave one of the two out")
    return None
