"""What an API server does with a custom resource before it stores it, without a cluster.

Stands in for the admission of custom resources only: defaults, structural schema, list maps, CEL rules.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import cel
from jsonschema import Draft202012Validator

Schema = Mapping[str, Any]
Document = dict[str, Any]


def admission_faults(crd: Schema, document: Mapping[str, Any], old: Any = None) -> tuple[str, ...]:
    """Return one line per reason to refuse `document`; with `old`, it is an update of that one."""
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    stored = with_defaults(schema, document)
    shape = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(closed(schema)).iter_errors(stored)
    ]
    if shape:
        return tuple(shape)
    previous = None if old is None else with_defaults(schema, old)
    return (*_list_map_faults(schema, stored, ""), *_rule_faults(schema, stored, previous, ""))


def with_defaults(schema: Schema, value: Any) -> Any:
    """Return `value` with the schema's defaults filled in, from the outside in."""
    if isinstance(value, dict):
        filled = copy.deepcopy(value)
        for name, child in schema.get("properties", {}).items():
            if name not in filled and "default" in child:
                filled[name] = copy.deepcopy(child["default"])
        return {name: with_defaults(_child(schema, name), below) for name, below in filled.items()}
    if isinstance(value, list):
        return [with_defaults(schema.get("items", {}), entry) for entry in value]
    return value


def closed(schema: Any) -> Any:
    """Return `schema` refusing unknown fields, as `kubectl apply` does by strict field validation."""
    if isinstance(schema, list):
        return [closed(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    inside = {key: closed(child) for key, child in schema.items() if key != "x-kubernetes-validations"}
    known = isinstance(inside.get("properties"), dict) and inside.get("type") == "object"
    return {**inside, "additionalProperties": False} if known else inside


def _child(schema: Schema, name: str) -> Schema:
    below: Schema = schema.get("properties", {}).get(name) or schema.get("additionalProperties") or {}
    return below


def _children(schema: Schema, value: Any) -> Iterator[tuple[str, Schema, Any]]:
    if isinstance(value, dict):
        yield from ((f".{name}", _child(schema, name), below) for name, below in value.items())
    if isinstance(value, list):
        yield from ((f"[{index}]", schema.get("items", {}), entry) for index, entry in enumerate(value))


def _list_map_faults(schema: Schema, value: Any, path: str) -> Iterator[str]:
    if schema.get("x-kubernetes-list-type") == "map":
        keys = [tuple(entry[key] for key in schema["x-kubernetes-list-map-keys"]) for entry in value]
        if len(set(keys)) < len(keys):
            yield f"{path}: duplicate entries"
    for step, below, child in _children(schema, value):
        yield from _list_map_faults(below, child, path + step)


def _rule_faults(schema: Schema, value: Any, old: Any, path: str) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        transition = "oldSelf" in rule["rule"]
        if transition and old is None:
            continue
        variables = {"self": value, "oldSelf": old} if transition else {"self": value}
        if cel.evaluate(rule["rule"], variables) is not True:
            yield f"{path}{rule.get('fieldPath', '')}: {rule['message']}"
    for step, below, child in _children(schema, value):
        previous = old.get(step[1:]) if isinstance(old, dict) and step.startswith(".") else None
        yield from _rule_faults(below, child, previous, path + step)
