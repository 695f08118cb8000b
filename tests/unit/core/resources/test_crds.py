"""The generated CRDs against what an API server demands of them."""

from collections.abc import Iterator, Mapping
from typing import Any

import cel
import pytest
from jsonschema import Draft202012Validator

from llmopt_core.resources.openapi import DEFINITIONS, Definition, custom_resource_definition, structural

FORBIDDEN = {
    "$ref", "$defs", "oneOf", "not", "const", "title", "patternProperties", "propertyNames",
    "definitions", "dependencies", "deprecated", "id", "uniqueItems",
}  # fmt: skip
INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]

Schema = Mapping[str, Any]


def schema_of(definition: Definition) -> Schema:
    """Return the root schema in the CRD of `kind`."""
    schema: Schema = custom_resource_definition(definition)["spec"]["versions"][0]["schema"][
        "openAPIV3Schema"
    ]
    return schema


def parts_of(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every schema below and including `schema`, with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        if (path, name) != ("", "metadata"):
            yield from parts_of(child, f"{path}.{name}")
    for key, step in (("items", "[]"), ("additionalProperties", ".*")):
        if key in schema:
            yield from parts_of(schema[key], path + step)


PARTS = [(each.kind + path, part) for each in DEFINITIONS for path, part in parts_of(schema_of(each))]
OWN_PARTS = [
    (path, part) for path, part in PARTS if path.count(".") > 1 or "spec" in path or "status" in path
]


def test_every_part_is_structural() -> None:
    """Each part has a type, or is int-or-string in the one form that is allowed, and nothing forbidden."""
    for path, part in PARTS:
        assert not FORBIDDEN & part.keys(), path
        if "x-kubernetes-int-or-string" in part:
            assert part["anyOf"] == INT_OR_STRING, path
            assert "type" not in part, path
        else:
            assert part["type"] in {"object", "array", "string", "integer", "boolean"}, path
            assert "anyOf" not in part, path


def test_everything_is_bounded() -> None:
    """Text, lists and maps have a largest size, whole numbers a smallest value, in spec and in status."""
    for path, part in OWN_PARTS:
        match part.get("type"):
            case "string":
                assert "maxLength" in part or "enum" in part, path
            case "array":
                assert "maxItems" in part, path
            case "integer":
                assert "minimum" in part, path
            case "object" if "additionalProperties" in part:
                assert "maxProperties" in part, path


def test_decimals_are_never_numbers() -> None:
    """No field is a floating-point number."""
    assert not [path for path, part in PARTS if part.get("type") == "number"]


def test_every_default_is_valid_where_it_stands() -> None:
    """A default satisfies the schema that it is the default of."""
    for path, part in PARTS:
        if "default" in part:
            assert list(Draft202012Validator(part).iter_errors(part["default"])) == [], path


def test_a_status_has_no_defaults() -> None:
    """Nothing is made up in a status."""
    assert not [path for path, part in PARTS if ".status" in path and "default" in part]


def test_every_rule_is_valid_cel_and_points_at_a_field() -> None:
    """Each rule compiles, says something, and its fieldPath names a field that there is."""
    rules = [(path, part, rule) for path, part in PARTS for rule in part.get("x-kubernetes-validations", ())]
    assert len(rules) > 30
    for path, part, rule in rules:
        cel.compile(rule["rule"])
        assert rule["message"], path
        for step in rule.get("fieldPath", "").split(".")[1:]:
            assert step in part["properties"], (path, rule["fieldPath"])
            part = part["properties"][step]  # noqa: PLW2901 - one step down


def test_list_map_keys_are_required() -> None:
    """What distinguishes the entries of a list is in every entry."""
    lists = [(path, part) for path, part in PARTS if part.get("x-kubernetes-list-type") == "map"]
    assert {path.rpartition(".")[2] for path, _ in lists} >= {
        "conditions",
        "objectives",
        "candidates",
        "engine",
    }
    for path, part in lists:
        assert set(part["x-kubernetes-list-map-keys"]) <= set(part["items"]["required"]), path


def test_a_rule_in_a_loop_runs_over_short_lists_only() -> None:
    """Lists that rules nest loops over stay short: the API server refuses what could cost too much."""
    space = schema_of(DEFINITIONS[0])["properties"]["spec"]["properties"]["search"]["properties"]["space"]
    sizes = {name: part["maxItems"] for name, part in space["properties"].items()}
    per_condition = sum(sizes.values())
    name_length = space["properties"]["engine"]["items"]["properties"]["name"]["maxLength"]
    # Seen with Kubernetes 1.35: 24 x 43 loops over names of 36 characters fit, 24 x 48 over 64 do not.
    assert max(sizes.values()) * per_condition * name_length <= 24 * 43 * 36


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.kind)
def test_kubectl_finds_and_shows_it(definition: Definition) -> None:
    """The names, the category, the status subresource and the columns are what the documentation says."""
    spec = custom_resource_definition(definition)["spec"]
    (version,) = spec["versions"]
    assert (spec["group"], spec["scope"], version["name"]) == ("llmopt.dev", "Namespaced", "v1alpha1")
    assert spec["names"]["shortNames"] == [definition.kind.short]
    assert spec["names"]["categories"] == ["llmopt"]
    assert version["subresources"] == {"status": {}}
    shown = [column["name"] for column in version["additionalPrinterColumns"]]
    assert {"Phase", "Trials", "Age", "Reason", "ETA"} <= set(shown)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.kind)
def test_every_column_shows_a_field_that_exists(definition: Definition) -> None:
    """A column's path leads to a field of the schema that is not a list or a map."""
    schema = schema_of(definition)
    for column in definition.columns:
        if column.path.startswith(".metadata."):
            continue
        part: Any = schema
        for step in column.path.split(".")[1:]:
            part = part["properties"][step]
        assert part["type"] == column.type, column.path


def test_what_cannot_be_said_is_an_error() -> None:
    """A union that the structural subset does not know is refused, not written wrongly."""
    with pytest.raises(ValueError, match="no structural schema"):
        structural({"anyOf": [{"type": "string"}, {"type": "array"}]}, {})
