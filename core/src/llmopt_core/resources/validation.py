"""All that is wrong with a manifest, at once: its shape, its rules, and what the engine makes of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from llmopt_core.resources.base import Part
from llmopt_core.resources.benchmark import BenchmarkSpec, LLMBenchmark
from llmopt_core.resources.faults import Fault, ManifestInvalid
from llmopt_core.resources.known import Known, installed
from llmopt_core.resources.loading import Resource, is_ours, kind_of
from llmopt_core.resources.openapi import root_schema
from llmopt_core.resources.optimization import OptimizationSpec
from llmopt_core.resources.places import duplicates, line_of
from llmopt_core.resources.semantics import benchmark_faults, optimization_faults
from llmopt_core.resources.texts import YAML_ERRORS, yaml_documents, yaml_fault, yaml_line
from llmopt_core.resources.translation import faults_of, rule_fault


@dataclass(frozen=True)
class FileFault:
    """A fault and where it stands; `line` counts from 1."""

    file: Path
    line: int
    fault: Fault

    def __str__(self) -> str:
        """Return `file:line: the fault`, as compilers write it."""
        return f"{self.file}:{self.line}: {self.fault}"


def validate(document: Any, known: Known | None = None) -> tuple[Fault, ...]:
    """Return every fault of the parsed `document`; none means that it can be run.

    `known` says which engines, metrics, data sets and evaluators there are; what is installed unless given.
    """
    return check(document, known)[1]


def check(document: Any, known: Known | None = None) -> tuple[Resource | None, tuple[Fault, ...]]:
    """Return the resource that the parsed `document` describes, or None and every fault: see `validate`."""
    known = known or installed()
    try:
        kind = kind_of(document)
        resource = kind.model_validate(document, by_alias=True, by_name=False)
    except ManifestInvalid as error:
        return None, error.faults
    except ValidationError as error:
        return None, _faults_of_broken(kind, document, faults_of(error, root_schema(kind)), known)
    found = tuple(_meaning(kind)(SimpleNamespace(**dict(resource.spec)), known))
    return (None, found) if found else (resource, ())


def _meaning(kind: type[Resource]) -> Callable[[SimpleNamespace, Known], Iterator[Fault]]:
    return benchmark_faults if kind is LLMBenchmark else optimization_faults


def _faults_of_broken(
    kind: type[Resource], document: Mapping[str, Any], shape: tuple[Fault, ...], known: Known
) -> tuple[Fault, ...]:
    """Return the faults of a document whose `shape` has some, those of its sound parts included."""
    spec = document.get("spec")
    if not isinstance(spec, Mapping):
        return shape
    spec_type = BenchmarkSpec if kind is LLMBenchmark else OptimizationSpec
    parts, faulty = _sound_parts(spec_type, spec)
    rules = [
        rule for rule in spec_type.rules if faulty.isdisjoint(rule.reads or ()) and not rule.holds(parts)
    ]
    broken = (rule_fault(rule, "spec", spec) for rule in rules)
    # Where only the spec's own rules are broken, its shape says so already.
    return (*shape, *(fault for fault in broken if fault not in shape), *_meaning(kind)(parts, known))


def validate_file(path: Path, known: Known | None = None) -> tuple[FileFault, ...]:
    """Return every fault of every document in the file at `path`, by line; raises OSError.

    Documents of other API groups are passed over, unless there is nothing else.
    """
    text = path.read_text(encoding="utf-8")
    known = known or installed()
    try:
        documents = yaml_documents(text)
        nodes = tuple(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except YAML_ERRORS as error:
        return (FileFault(path, yaml_line(error), yaml_fault(error, text)),)
    pairs = [
        (document, node) for document, node in zip(documents, nodes, strict=True) if document is not None
    ]
    ours = [pair for pair in pairs if is_ours(pair[0])] or pairs
    if not ours:
        return (FileFault(path, 1, Fault("", None, "a resource: the file is empty")),)
    found = [fault for document, node in ours for fault in _document_faults(path, document, node, known)]
    return tuple(sorted(found, key=lambda one: one.line))


def _document_faults(path: Path, document: Any, node: yaml.Node, known: Known) -> Iterator[FileFault]:
    for place in duplicates(node):
        fault = Fault(place, None, "each field once", "remove one of the two")
        yield FileFault(path, line_of(node, place), fault)
    for fault in validate(document, known):
        yield FileFault(path, line_of(node, fault.path), fault)


def _sound_parts(spec_type: type[Part], spec: Mapping[str, Any]) -> tuple[SimpleNamespace, frozenset[str]]:
    """Return the fields of a spec by name, and the names of faulty ones: these are None."""
    parts: dict[str, Any] = {}
    faulty: set[str] = set()
    for name, field in spec_type.model_fields.items():
        try:
            parts[name] = _part(spec_type, name, field, spec)
        except (ValidationError, KeyError):
            parts[name] = None
            faulty.add(name)
    return SimpleNamespace(**parts), frozenset(faulty)


def _part(spec_type: type[Part], name: str, field: FieldInfo, spec: Mapping[str, Any]) -> Any:
    if field.alias not in spec and not field.is_required():
        return field.get_default(call_default_factory=True, validated_data={})
    return _adapter(spec_type, name).validate_python(spec[str(field.alias)], by_alias=True, by_name=False)


@cache
def _adapter(spec_type: type[Part], name: str) -> TypeAdapter[Any]:
    """Return what checks one field of a spec; to build it takes longer than to check a whole manifest."""
    return TypeAdapter(spec_type.model_fields[name].rebuild_annotation())
