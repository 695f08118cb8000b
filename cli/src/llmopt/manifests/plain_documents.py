"""A manifest that was made in Python, in the types that YAML has."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from llmopt.plain_values import plain
from llmopt_core.resources.faults import Fault, ManifestInvalid, dotted
from llmopt_core.resources.texts import MOST_BITS, MOST_LEVELS

_EXPECTED = "a mapping, a list, text, a number, True, False or None"
Steps = tuple[str | int, ...]


def plain_document(document: Mapping[Any, Any]) -> dict[str, Any]:
    """Return `document` as YAML can hold it: paths become text, and scalars of NumPy or torch numbers.

    Raises ManifestInvalid, which names the first place that YAML cannot hold.
    """
    return _mapping(document, ())


def _mapping(part: Mapping[Any, Any], steps: Steps) -> dict[str, Any]:
    return {_scalar(plain(key), steps): _value(value, (*steps, str(key))) for key, value in part.items()}


def _value(value: Any, steps: Steps) -> Any:
    if len(steps) > MOST_LEVELS:
        raise _invalid((), "its values are nested too deeply")
    if isinstance(value, Mapping):
        return _mapping(value, steps)
    if isinstance(value, list | tuple):
        return [_value(each, (*steps, place)) for place, each in enumerate(value)]
    return _scalar(plain(value), steps)


def _scalar(value: Any, steps: Steps) -> Any:
    """Return a single value in a type of YAML's: that of its base, where it is of an enumeration."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, int):
        return _whole(int.__int__(value), steps)
    raise _invalid(steps, f"a value of type {type(value).__name__}: expected {_EXPECTED}")


def _whole(number: int, steps: Steps) -> int:
    if number.bit_length() > MOST_BITS:
        raise _invalid(steps, "this number is too long: expected a shorter one")
    return number


def _invalid(steps: Steps, problem: str) -> ManifestInvalid:
    return ManifestInvalid((Fault(dotted(steps), None, "", problem=problem),))
