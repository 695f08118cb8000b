"""The reference pages, written from the same data that the programs use."""

from collections.abc import Iterator, Mapping
from typing import Any

from llmopt_core.api.kinds import API_VERSION
from llmopt_core.engines.declarations import EngineDeclaration, ParameterDeclaration, manifest_text
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.metrics.catalog import CATALOG
from llmopt_core.resources.condition_pages import conditions_page, exit_codes_page
from llmopt_core.resources.error_pages import errors_page
from llmopt_core.resources.markdown import page, sentence, table
from llmopt_core.resources.openapi import DEFINITIONS, Definition, Schema, root_schema

_TYPE_NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false"}


def pages() -> Mapping[str, str]:
    """Return the text of every page by file name."""
    kinds = {f"{each.kind.singular}.md": kind_page(each) for each in DEFINITIONS}
    return {
        **kinds,
        "metrics.md": metrics_page(),
        "engines.md": engines_page(),
        "conditions.md": conditions_page(),
        "exit-codes.md": exit_codes_page(),
        "errors.md": errors_page(),
    }


def kind_page(definition: Definition) -> str:
    """Return the page of one kind: every field with its type, default and meaning, and the rules."""
    kind, schema = definition.kind, root_schema(definition.type)
    parts = schema["properties"]
    return page(
        kind.value,
        f"For everybody who writes or reads a manifest: every field of the kind. `{API_VERSION}`, namespaced;"
        f" `kubectl get {kind.short}`. {schema.get('description', '')}",
        "## Spec",
        table(("Field", "Type", "Default", "Meaning"), _field_rows(parts["spec"], "spec")),
        "## Rules",
        "\n".join(f"- `{path}`: {message}" for path, message in _rules(parts["spec"], "spec")),
        "## Status",
        table(("Field", "Type", "Default", "Meaning"), _field_rows(parts["status"], "status")),
    )


def metrics_page() -> str:
    """Return the page of the metric catalogue."""
    rows = ((f"`{m.name}`", m.unit, m.direction, m.formula, m.source) for m in CATALOG.values())
    return page(
        "Metrics",
        "For everybody who chooses objectives or reads a result: each metric with unit, direction and"
        " formula. A name has one meaning wherever it is written.",
        table(("Metric", "Unit", "Better", "Formula", "Source"), rows),
    )


def engines_page() -> str:
    """Return the page of the built-in engines' parameters."""
    sections = [section for _, engine in sorted(BUILT_IN.items()) for section in _engine_sections(engine)]
    return page(
        "Engines",
        "For everybody who writes a search space: what can be fixed (`engine.args`, `workload.sampling`) and"
        " searched (`search.space`). A `load` parameter costs a new server, a `request` parameter nothing."
        " Tried: tests of this project start a real server with the parameter; declared: it is as the engine"
        " documents it.",
        *sections,
    )


def _engine_sections(engine: EngineDeclaration) -> Iterator[str]:
    yield f"## {engine.name}"
    yield f"{engine.summary[0].upper()}{engine.summary[1:]}.{_fixed_length_text(engine)}"
    yield table(
        ("Parameter", "Value", "Default", "Takes effect", "Tried", "Meaning"),
        (_parameter_row(parameter) for parameter in engine.parameters.values()),
    )
    for each in engine.tables:
        yield f"### {each.title}"
        yield each.text
        yield table(each.columns, each.rows)


def _fixed_length_text(engine: EngineDeclaration) -> str:
    if engine.fixed_length is None:
        return ""
    fields = " and ".join(
        f"`{name}: {manifest_text(value)}`" for name, value in engine.fixed_length(100).items()
    )
    return f" For answers of 100 tokens (`workload.outputTokens`) it is sent {fields}."


def _parameter_row(parameter: ParameterDeclaration) -> tuple[str, ...]:
    default = "" if parameter.default is None else f"`{manifest_text(parameter.default)}`"
    return (
        f"`{parameter.full_name}`",
        parameter.expected,
        default,
        parameter.when.value,
        "yes" if parameter.tried else "declared",
        parameter.meaning,
    )


def _field_rows(schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
    required = schema.get("required", ())
    for name, child in schema.get("properties", {}).items():
        below = f"{path}.{name}"
        default = "required" if name in required else _default_text(child)
        yield f"`{below}`", _type_text(child), default, sentence(child.get("description", ""))
        yield from _rows_below(child, below)


def _rows_below(schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
    yield from _field_rows(schema, path)
    yield from _field_rows(schema.get("items", {}), f"{path}[]")
    yield from _field_rows(schema.get("additionalProperties", {}), f"{path}.*")


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield path, rule["message"]
    for name, child in schema.get("properties", {}).items():
        yield from _rules(child, f"{path}.{name}")
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")


def _default_text(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default in (None, {}, [], "") else f"`{_compact(default)}`"


def _compact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_compact(child)}" for key, child in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type_text(schema: Schema) -> str:
    if "x-kubernetes-int-or-string" in schema:
        return "whole number or text"
    if "enum" in schema:
        return " \\| ".join(str(choice) for choice in schema["enum"])
    if schema["type"] == "array":
        return f"list of {_type_text(schema['items'])}, at most {schema['maxItems']}"
    if "additionalProperties" in schema:
        return f"map of {_type_text(schema['additionalProperties'])}, at most {schema['maxProperties']}"
    return _bounded_type(schema)


def _bounded_type(schema: Schema) -> str:
    name = {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
        schema["type"], "object"
    )
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"{name} {low}..{high}"
    return f"{name}, at least {low}" if low is not None else name
