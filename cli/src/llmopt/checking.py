"""A manifest's faults with the line they stand on: what `validate` prints and `run` refuses."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources import Fault, ManifestInvalid, Resource, load_manifest

_INDEX = re.compile(r"\[?(\d+)\]?")


@dataclass(frozen=True)
class LocatedFault:
    """One fault and where it is: `line` counts from 1; None when the text has no such place."""

    source: str
    line: int | None
    fault: Fault

    def __str__(self) -> str:
        """Return `file:line: the fault`, as editors and compilers write it."""
        place = self.source if self.line is None else f"{self.source}:{self.line}"
        return f"{place}: {self.fault}"


class InputInvalid(LlmoptError):
    """What was given cannot be used; `faults` say where and what to do."""

    def __init__(self, faults: Iterable[LocatedFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


def checked(text: str, source: str) -> Resource:
    """Return the valid resource in the YAML `text` named `source`; raises InputInvalid with all faults."""
    try:
        return load_manifest(text)
    except ManifestInvalid as error:
        raise InputInvalid(located(error.faults, text, source)) from error


def located(faults: Iterable[Fault], text: str, source: str) -> tuple[LocatedFault, ...]:
    """Return `faults` of the YAML `text` with their lines, in the order of the lines."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        return tuple(LocatedFault(source, line, fault) for fault in faults)
    except yaml.YAMLError:
        root = None
    found = [LocatedFault(source, _line(root, fault.path), fault) for fault in faults]
    return tuple(sorted(found, key=lambda one: one.line or 0))


def _line(node: yaml.Node | None, path: str) -> int | None:
    """Return the line of the deepest part of `path` that the document has."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    while path and (step := _step(node, path)) is not None:
        line, node, path = step
    return line


def _step(node: yaml.Node, path: str) -> tuple[int, yaml.Node, str] | None:
    if isinstance(node, yaml.MappingNode):
        return _key_step(node, path)
    index = _INDEX.match(path)
    if isinstance(node, yaml.SequenceNode) and index and int(index[1]) < len(node.value):
        child = node.value[int(index[1])]
        return child.start_mark.line + 1, child, path[index.end() :].lstrip(".")
    return None


def _key_step(node: yaml.MappingNode, path: str) -> tuple[int, yaml.Node, str] | None:
    """Follow the longest key that `path` begins with: keys may hold dots (`sampling.temperature`)."""
    fitting = [
        (key, value)
        for key, value in node.value
        if path == key.value or path.startswith((f"{key.value}.", f"{key.value}["))
    ]
    if not fitting:
        return None
    key, value = max(fitting, key=lambda pair: len(pair[0].value))
    return key.start_mark.line + 1, value, path[len(key.value) :].lstrip(".")
