"""From the types to the CustomResourceDefinitions: structural schemas, bounded, with their CEL rules.

Pydantic writes JSON schema; the API server wants its structural subset: no references, no unions except
int-or-string, no null. Descriptions and defaults stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from llmopt_core.api.kinds import GROUP, VERSION, Kind
from llmopt_core.resources.benchmark import LLMBenchmark
from llmopt_core.resources.optimization import LLMOptimization

Schema = dict[str, Any]

_INT_OR_STRING: Schema = {
    "x-kubernetes-int-or-string": True,
    "anyOf": [{"type": "integer"}, {"type": "string"}],
}
# What of a JSON schema the structural subset keeps as it is.
_KEPT = (
    "type", "description", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems",
    "maxItems", "maxProperties", "required", "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
    "x-kubernetes-validations",
)  # fmt: skip
_API_VERSION = "The version of this kind's schema."
_KIND = "What this object is."


@dataclass(frozen=True)
class Column:
    """One column of `kubectl get`. Those of a priority above 0 are shown with `-o wide`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class Definition:
    """One kind as the API server is given it."""

    kind: Kind
    type: type[LLMOptimization | LLMBenchmark]
    columns: tuple[Column, ...]


_AGE = Column("Age", ".metadata.creationTimestamp", "date")
# The last one: it is a sentence.
_REASON = Column("Reason", ".status.reason")
DEFINITIONS = (
    Definition(
        Kind.OPTIMIZATION,
        LLMOptimization,
        (
            Column("Phase", ".status.phase"),
            Column("Trials", ".status.progress.text"),
            Column("Best", ".status.best.headline"),
            Column("Gain", ".status.best.shortGain"),
            Column("Engine", ".spec.engine.name", priority=1),
            Column("ETA", ".status.progress.eta", priority=1),
            _AGE,
            _REASON,
        ),
    ),
    Definition(
        Kind.BENCHMARK,
        LLMBenchmark,
        (
            Column("Phase", ".status.phase"),
            Column("Trials", ".status.progress.text"),
            Column("Winner", ".status.winner"),
            Column("Verdict", ".status.verdict", priority=1),
            Column("ETA", ".status.progress.eta", priority=1),
            _AGE,
            _REASON,
        ),
    ),
)


def custom_resource_definition(definition: Definition) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind as a document."""
    kind = definition.kind
    names = {
        "kind": kind.value,
        "listKind": f"{kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
        "shortNames": [kind.short],
        "categories": ["llmopt"],
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_printer_column(column) for column in definition.columns],
        "schema": {"openAPIV3Schema": root_schema(definition.type)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": kind.resource},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@cache
def root_schema(kind: type[LLMOptimization | LLMBenchmark]) -> Schema:
    """Return the structural schema of a whole object, which is not to be changed: it takes 0.1 s to make."""
    document = kind.model_json_schema(by_alias=True)
    schema = structural(document, document.get("$defs", {}))
    schema["properties"] |= {
        "apiVersion": {"type": "string", "description": _API_VERSION},
        "kind": {"type": "string", "description": _KIND},
        "metadata": {"type": "object"},
        "status": _without_defaults(schema["properties"]["status"]),
    }
    schema["required"] = ["spec"]
    return schema


def structural(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """Return `schema` without references and unions; raises ValueError for what cannot be said."""
    schema = _resolved(schema, definitions)
    if _is_int_or_string(schema):
        return {**_described(schema), **_INT_OR_STRING}
    kept = {key: schema[key] for key in _KEPT if key in schema}
    if "const" in schema:
        kept = {"type": "string", **kept, "enum": [schema["const"]]}
    if schema.get("default") is not None:
        kept["default"] = schema["default"]
    if "type" not in kept:
        raise ValueError(f"no structural schema can say {schema}")
    return {**kept, **_nested(schema, definitions)}


def _nested(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    def below(child: Mapping[str, Any]) -> Schema:
        return structural(child, definitions)

    found: Schema = {}
    if "properties" in schema:
        found["properties"] = {name: below(child) for name, child in schema["properties"].items()}
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    if isinstance(values[0], dict):
        found["additionalProperties"] = below(values[0])
    if "items" in schema:
        found["items"] = below(schema["items"])
    return found


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> Schema:
    """Follow references and drop null from unions; what is said outside goes before what is said inside."""
    outer = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}}
    if "$ref" in schema:
        inner = definitions[schema["$ref"].removeprefix("#/$defs/")]
        return _resolved({**inner, **outer}, definitions)
    if "anyOf" not in schema:
        return dict(schema)
    options = [option for option in schema["anyOf"] if option.get("type") != "null"]
    if len(options) == 1:
        return _resolved({**options[0], **outer}, definitions)
    return {**outer, "anyOf": options}


def _is_int_or_string(schema: Mapping[str, Any]) -> bool:
    return {option.get("type") for option in schema.get("anyOf", ())} == {"integer", "string"}


def _described(schema: Mapping[str, Any]) -> Schema:
    return {"description": schema["description"]} if "description" in schema else {}


def _without_defaults(schema: Any) -> Any:
    """Return `schema` without defaults: a status holds what was observed, and nothing is made up there."""
    if isinstance(schema, dict):
        return {key: _without_defaults(child) for key, child in schema.items() if key != "default"}
    return [_without_defaults(child) for child in schema] if isinstance(schema, list) else schema


def _printer_column(column: Column) -> dict[str, Any]:
    priority = {"priority": column.priority} if column.priority else {}
    return {"name": column.name, "type": column.type, "jsonPath": column.path, **priority}
