"""Whether a status is worth a write: once per change, not per second."""

from collections.abc import Mapping
from typing import Any

# What only counts on is written along with a change, or this often.
REFRESH_SECONDS = 30.0
_COUNTING_ON = {"progress": {"elapsedSeconds", "etaSeconds", "eta"}}
_OF_A_RUNNER = frozenset({"memoryMib"})


def is_worth_a_write(before: Mapping[str, Any], wanted: Mapping[str, Any], *, since_seconds: float) -> bool:
    """Say whether the status `wanted` says something new after `before`.

    `since_seconds` is how long ago the status was last written.
    """
    if since_seconds < REFRESH_SECONDS:
        return _essence(before) != _essence(wanted)
    return dict(before) != dict(wanted)


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
