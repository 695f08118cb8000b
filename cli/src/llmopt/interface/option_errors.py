"""What is wrong with an option's value: its value and what is expected, not pydantic's words."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "float_parsing": lambda _: "a number",
        "greater_than_equal": lambda context: f"at least {context['ge']}",
        "int_from_float": lambda _: "a whole number",
        "int_parsing": lambda _: "a whole number",
        "less_than_equal": lambda context: f"at most {context['le']}",
    }
)


def words_of(error: typer.BadParameter) -> str:
    """Return the message of `error` in our words, or its own where it does not come from pydantic."""
    if not isinstance(error.__cause__, ValidationError):
        return error.message
    return "; ".join(_words(detail) for detail in error.__cause__.errors(include_url=False))


def _words(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"]).removesuffix(".")
    expected = _EXPECTED.get(detail["type"])
    return f"{str(detail['input'])!r}: " + (f"expected {expected(context)}" if expected else detail["msg"])
