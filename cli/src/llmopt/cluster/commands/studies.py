"""Studies that a command reads: in results folders here, or else in the cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from llmopt.cluster.commands.exits import on_cluster, say
from llmopt.cluster.databases import opened_study
from llmopt.cluster.kubeconfigs import is_configured
from llmopt.cluster.references import find, reference
from llmopt.local.folders import ResultsFolder, found_folder, required_folder
from llmopt.local.histories import opened
from llmopt.manifests import as_yaml
from llmopt.options import RESULTS, Target
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.errors.files import words_of
from llmopt_core.resources import Resource, load_manifest
from llmopt_core.resources.hashed import served_document
from llmopt_core.resources.loading import resource_of
from llmopt_core.storage.studies import Study

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster

T = TypeVar("T")


@dataclass(frozen=True)
class Places:
    """Where studies are looked for: results folders, a database, the near end of a port-forward."""

    results: Path = RESULTS
    storage: str | None = None
    database_at: str | None = None


@dataclass(frozen=True)
class OpenStudy:
    """A study that is open, and what it was made from; `folder` is None in a cluster."""

    study: Study
    resource: Resource
    manifest_text: str
    folder: ResultsFolder | None = None


def with_studies(
    names: Sequence[str],
    places: Places,
    target: Target,
    read: Callable[[OpenStudy], T],
    show: Callable[[Sequence[T]], None],
) -> Exit:
    """Open the studies called `names` one after the other, `read` each, then `show` all; say what went wrong.

    All are results folders, or without such folders, or where `target` names a cluster, resources there.
    """
    if not _is_local(names, places, target):
        return on_cluster(
            target, lambda cluster: _shown(show, [_read(cluster, name, places, read) for name in names])
        )
    try:
        return _shown(show, [_read_here(name, places, read) for name in names])
    except (LlmoptError, OSError) as error:
        say(Console(stderr=True), f"error: {words_of(error)}")
        return Exit.INVALID


def _is_local(names: Sequence[str], places: Places, target: Target) -> bool:
    if target != Target() or places.database_at is not None:
        return False
    return all(found_folder(name, places.results) is not None for name in names) or not is_configured()


def _shown(show: Callable[[Sequence[T]], None], read: Sequence[T]) -> Exit:
    show(read)
    return Exit.FINISHED


def _read(cluster: "Cluster", name: str, places: Places, read: Callable[[OpenStudy], T]) -> T:
    _, document = find(cluster, reference((name,)), cluster.access.namespace)
    resource = resource_of(served_document(document))
    with opened_study(cluster, document, storage=places.storage, at=places.database_at) as study:
        return read(OpenStudy(study, resource, as_yaml(_manifest(document))))


def _read_here(name: str, places: Places, read: Callable[[OpenStudy], T]) -> T:
    with _opened_here(name, places) as found:
        return read(found)


@contextmanager
def _opened_here(name: str, places: Places) -> Iterator[OpenStudy]:
    folder = required_folder(name, places.results)
    text = folder.manifest.read_text(encoding="utf-8")
    with opened(folder, places.storage) as study:
        yield OpenStudy(study, load_manifest(text), text, folder)


def _manifest(document: dict[str, Any]) -> dict[str, Any]:
    """Return the resource as a person would write it."""
    metadata = {field: document["metadata"][field] for field in ("name", "namespace")}
    return {
        **{field: document[field] for field in ("apiVersion", "kind")},
        "metadata": metadata,
        "spec": document["spec"],
    }
