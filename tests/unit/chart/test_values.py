"""The chart's values as files: what can be said of them without rendering anything."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from llmopt_operator.settings import OperatorSettings

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "llmopt"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the paths of all properties that `schema` knows by name."""
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    schema = schema.get("items", schema)
    for name, below in schema.get("properties", {}).items():
        yield f"{path}{name}"
        yield from _fields(below, definitions, f"{path}{name}.")


def _keys(values: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{path}{name}"
        if isinstance(value, dict):
            yield from _keys(value, f"{path}{name}.")


def test_values_and_schema_name_the_same() -> None:
    """No value lacks a place in the schema, no place in the schema a default among the values."""
    without_default = ("global", "imagePullSecrets.name", "tenants.namespace", "tenants.url")
    names_of_ones_own = re.compile(r"\.(requests|limits|labels)\.|^resources\.(requests|limits)\.")
    named = set(_fields(SCHEMA, SCHEMA["$defs"])) - set(without_default)
    assert {path for path in _keys(VALUES) if not names_of_ones_own.search(path)} == named


def test_the_defaults_keep_the_schema() -> None:
    """The values as they come are valid."""
    jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"replica": 2}, "'replica' was unexpected"),
        ({"settings": {"namspaces": ["a"]}}, "'namspaces' was unexpected"),
        ({"settings": {"metricsPort": 0}}, "0 is less than the minimum of 1"),
        ({"tenants": [{"url": "postgresql+psycopg://h/d"}]}, "'namespace' is a required property"),
        ({"tenants": [{"namespace": "a", "url": "mysql://h/d"}]}, "does not match"),
        ({"image": {"pullPolicy": "Sometimes"}}, "'Sometimes' is not one of"),
    ],
)
def test_a_wrong_value_is_refused(values: dict[str, Any], fault: str) -> None:
    """A typo, a wrong type and a value out of range are refused, each by what is wrong with it."""
    with pytest.raises(jsonschema.ValidationError, match=fault):
        jsonschema.validate(values, SCHEMA)


def test_every_value_is_explained() -> None:
    """Above each value stands a comment."""
    lines = [line.strip() for line in (CHART / "values.yaml").read_text().splitlines()]
    silent = [
        line
        for above, line in pairwise(lines)
        if line and not line.startswith("#") and not line.endswith(":") and not above.startswith("#")
    ]
    assert silent == []


def test_the_chart_has_the_projects_version() -> None:
    """Chart and application are of the version that the project has."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["version"] == chart["appVersion"] == project["version"]


def test_the_settings_are_the_operators() -> None:
    """The values under `settings` and the operator's settings file know the same fields."""
    operators = OperatorSettings.model_json_schema(by_alias=True)
    charts = SCHEMA["properties"]["settings"]
    assert set(_fields(charts, SCHEMA["$defs"])) == set(_fields(operators, operators["$defs"]))


def test_the_default_settings_are_the_operators() -> None:
    """Who changes nothing gets what the operator does without a settings file."""
    assert OperatorSettings.model_validate(VALUES["settings"]) == OperatorSettings()
