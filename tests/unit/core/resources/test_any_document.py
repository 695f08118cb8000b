"""Whatever stands in a manifest, its faults are words."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from fakes.manifests import benchmark, optimization
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.resources import validate
from llmopt_core.resources.known import installed, remembering
from llmopt_core.resources.loading import KINDS
from llmopt_core.resources.openapi import root_schema

KNOWN = remembering(installed())
# All that YAML can make of a value, or of a key.
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(["on", "90", "", "hf://", "0.5"])
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=3)
)
_VALUES = st.recursive(
    _SCALARS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(_SCALARS, below, max_size=3),
    max_leaves=6,
)


def _paths(part: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    steps = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for step, below in steps:
        yield from _paths(below, (*path, step))


_PLACES = [(document, path) for document in (optimization(), benchmark()) for path in _paths(document)]


def _put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    made = copy.deepcopy(document)
    part = made
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return made


@settings(max_examples=200)
@given(st.sampled_from(_PLACES), _VALUES)
def test_any_value_in_any_field_is_valid_or_a_fault_in_one_line(place: Any, value: Any) -> None:
    """No value raises anything, and no fault shows Python's or pydantic's own words."""
    for fault in validate(_put(*place, value), KNOWN):
        assert "\n" not in fault.expected
        assert "pydantic" not in str(fault)


def _fields(schema: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Yield the paths of all fields below `schema`: of a list its first entry, of a map its entry `a`."""
    yield path
    for name, child in schema.get("properties", {}).items():
        yield from _fields(child, (*path, name))
    if "items" in schema:
        yield from _fields(schema["items"], (*path, 0))
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _fields(schema["additionalProperties"], (*path, "a"))


def _with(part: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Return a copy of `part` with `value` at `path`, and with what leads there."""
    if not path:
        return value
    step, *below = path
    if isinstance(step, int):
        return [_with(part[0] if isinstance(part, list) and part else {}, tuple(below), value)]
    there = part if isinstance(part, dict) else {}
    return {**there, step: _with(there.get(step, {}), tuple(below), value)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_text_in_any_field_is_valid_or_a_fault_in_one_line(kind: str) -> None:
    """Each field that there is, also those that the small manifests leave out."""
    document = optimization() if kind == "LLMOptimization" else benchmark()
    fields = list(_fields(root_schema(KINDS[kind])["properties"]["spec"], ("spec",)))
    assert len(fields) > 200
    for place in fields:
        for fault in validate(_with(document, place, "1.5s?"), KNOWN):
            assert "\n" not in fault.expected, place
            assert "pydantic" not in str(fault), place
