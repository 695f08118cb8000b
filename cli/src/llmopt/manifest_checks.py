"""A manifest that is a text (of a file, standard input or options), checked like a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from llmopt.local_paths import missing_files, path_faults
from llmopt.machine.preflight import COMMAND, found_faults
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import Fault, Resource
from llmopt_core.resources.cautions import cautions_of
from llmopt_core.resources.loading import is_ours, resource_of
from llmopt_core.resources.places import line_of
from llmopt_core.resources.texts import yaml_documents
from llmopt_core.resources.validation import FileFault, validate_file


class InputInvalid(LlmoptError):
    """What was given cannot be used; `faults` say where and what to do."""

    def __init__(self, faults: tuple[FileFault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(str(fault) for fault in faults))


def checked(text: str, source: str) -> Resource:
    """Return the one resource in the YAML `text` called `source`; raises InputInvalid with all faults."""
    first, *others = all_checked(text, source)
    if others:
        line = _nodes(text)[1].start_mark.line + 1
        remedy = "put each into a file of its own, and run each"
        fault = Fault("", None, f"one resource, found {len(others) + 1}", remedy)
        raise InputInvalid((FileFault(Path(source), line, fault),))
    return first


def all_checked(text: str, source: str) -> tuple[Resource, ...]:
    """Return the valid resources in the YAML `text`, one or more; raises InputInvalid with all faults."""
    if faults := faults_of(text, source):
        raise InputInvalid(faults)
    return tuple(resource_of(document) for document in yaml_documents(text) if is_ours(document))


def require_usable(
    resource: Resource, text: str, source: str, command: tuple[str, ...] | None = COMMAND
) -> None:
    """Raise InputInvalid where `resource`, the YAML `text` called `source`, names what cannot be used here.

    For a new study on this machine: what fails before the first trial should leave no study behind.
    `command` is the runner's program that looks into files and for engines; None: runners are elsewhere.
    Raises RunnerUnusable as well.
    """
    found = tuple(path_faults(resource)) or (found_faults(text, command) if command else ())
    if found:
        raise InputInvalid(tuple(_placed(found, text, source)))


def in_lines_of(text: str, source: str, error: InputInvalid) -> InputInvalid:
    """Return `error` by the lines of `text`, called `source`, which the faulty manifest was made from."""
    return InputInvalid(tuple(_placed(tuple(one.fault for one in error.faults), text, source)))


def cautions_in(text: str, source: str, resource: Resource, place: int = 0) -> tuple[str, ...]:
    """Return one line for each thing of `resource`, at `place` in `text`, that is probably not meant."""
    node = _nodes(text)[place]
    return tuple(f"{source}:{line_of(node, one.path)}: {one}" for one in cautions_of(resource))


def missing_in(text: str, source: str, resource: Resource, place: int = 0) -> tuple[str, ...]:
    """Return one line for each file that `resource`, at `place` in `text`, names and this machine has not."""
    node = _nodes(text)[place]
    return tuple(
        f"{source}:{line_of(node, one.path)}: warning: on this machine: {one}"
        for one in missing_files(resource)
    )


def _placed(faults: tuple[Fault, ...], text: str, source: str) -> Iterator[FileFault]:
    node = _nodes(text)[0]
    return (FileFault(Path(source), line_of(node, fault.path), fault) for fault in faults)


def _nodes(text: str) -> tuple[yaml.Node, ...]:
    """Return the nodes of the documents that are ours."""
    documents = yaml_documents(text)
    nodes = yaml.compose_all(text, Loader=yaml.CSafeLoader)
    return tuple(node for document, node in zip(documents, nodes, strict=True) if is_ours(document))


def faults_of(text: str, source: str) -> tuple[FileFault, ...]:
    """Return the faults of the YAML `text`, by line, as those of a file called `source`."""
    with TemporaryDirectory(prefix="llmopt-") as folder:
        path = Path(folder) / "manifest.yaml"
        path.write_text(text, encoding="utf-8")
        return tuple(replace(fault, file=Path(source)) for fault in validate_file(path))
