"""What a resource's hashes cover: the same text for the same settings, whichever version reads it.

Two hashes decide whether a study goes on: the manifest's (are these runners the right ones?) and the
fingerprint (is this study of these settings?). The API server and the types complete a resource with
defaults, so a later version sees fields that the version which wrote the hash did not know. Fields of the
first release are hashed as they stand, because their hashes are stored; a field that came later only where it
differs from its default. So the default of a later field never changes within a version of the API: the tests
of recorded releases check it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo

from llmopt_core.resources.base import Part, written_default
from llmopt_core.resources.loading import KINDS

# The names of all fields of the first release, by kind, nested as in a manifest.
_FIRST_RELEASE = "fields-0.1.0.json"
_NO_DEFAULT = object()
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class _Field:
    """One field: what is below it, and whether it came after the first release. Built once: it is fast."""

    below: "_Fields | None"
    later: bool
    default: Any


_Fields = Mapping[str, _Field]


def settled_spec(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `spec` of a resource of `kind` without later fields that have their default.

    `spec` is as a manifest writes it. Fields that this version does not know are left out too: only the
    default of a newer CustomResourceDefinition, or an object from before a rollback, can have brought them.
    """
    return _settled_object(spec, _fields_of(kind))


def served_document(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource as the API server gave it, without its status, as this version's types read it."""
    plain = {field: value for field, value in document.items() if field != "status"}
    return {**plain, "spec": settled_spec(document["kind"], document["spec"])}


def _settled_object(part: Mapping[str, Any], fields: _Fields) -> dict[str, Any]:
    kept = {}
    for name, value in part.items():
        if (field := fields.get(name)) is None:
            continue
        settled = value if field.below is None else _settled(value, field.below)
        # Types write null where a manifest leaves a field out.
        if not field.later or (settled is not None and settled != field.default):
            kept[name] = settled
    return kept


def _settled(value: Any, fields: _Fields) -> Any:
    if isinstance(value, dict):
        return _settled_object(value, fields)
    return [_settled(each, fields) for each in value] if isinstance(value, list) else value


@cache
def _fields_of(kind: str) -> _Fields:
    """Return the fields of a spec, read from its types: their JSON schema takes 15 times as long to make."""
    text = files("llmopt_core.resources").joinpath(_FIRST_RELEASE).read_text(encoding="utf-8")
    spec = _part_in(KINDS[kind].model_fields["spec"].annotation)
    return {} if spec is None else _compiled(spec, json.loads(text)[kind])


def _compiled(part: type[Part], first: Fields) -> _Fields:
    named = {str(field.alias): field for field in part.model_fields.values()}
    return {name: _field(field, first.get(name)) for name, field in named.items()}


def _field(field: FieldInfo, first: Fields | None) -> _Field:
    """Return what hashes know of `field`; `first`: what the first release had below it, None without it."""
    part, default = _part_in(field.annotation), written_default(field)
    if default is None:
        default = _NO_DEFAULT
    below = None if part is None else _compiled(part, first or {})
    return _Field(below, first is None, default if below is None else _settled(default, below))


def _part_in(annotation: Any) -> type[Part] | None:
    """Return the type of the object, or of the entries of the list, that `annotation` allows, if it does."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    if get_origin(annotation) is dict:  # its keys are the user's own
        return None
    return next((part for each in get_args(annotation) if (part := _part_in(each)) is not None), None)
