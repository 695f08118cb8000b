"""What of a status must be written, and whether it is worth a write: once per change, not per second."""

from collections.abc import Mapping
from typing import Any

# What only counts on is written along with a change, or this often.
REFRESH_SECONDS = 30.0
_COUNTING_ON = {"progress": {"elapsedSeconds", "etaSeconds", "eta"}}
_OF_A_RUNNER = frozenset({"memoryMib"})


def status_patch(
    before: Mapping[str, Any], wanted: Mapping[str, Any], *, since_seconds: float
) -> dict[str, Any]:
    """Return the merge patch from `before` to `wanted`, empty where a write would say nothing new.

    `since_seconds` is how long ago the status was last written.
    """
    if _essence(before) == _essence(wanted) and since_seconds < REFRESH_SECONDS:
        return {}
    return _difference(before, wanted)


def _difference(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A merge patch: null takes a field away, maps are merged, lists are replaced."""
    patch: dict[str, Any] = {field: None for field in before if field not in wanted}
    for field, value in wanted.items():
        old = before.get(field)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if below := _difference(old, value):
                patch[field] = below
        elif value != old:
            patch[field] = value
    return patch


def _essence(status: Mapping[str, Any]) -> dict[str, Any]:
    """The status without what only counts on."""
    kept = dict(status)
    for field, counting in _COUNTING_ON.items():
        if field in kept:
            kept[field] = _without(kept[field], counting)
    if "runners" in kept:
        kept["runners"] = [_without(runner, _OF_A_RUNNER) for runner in kept["runners"]]
    return kept


def _without(part: Mapping[str, Any], fields: set[str] | frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in fields}
