"""Values of Python's number libraries as plain ones."""

from typing import Any


def plain(value: Any) -> Any:
    """Return the number that a scalar of NumPy or torch holds, or an array of one; else `value` itself."""
    try:
        return value.item() if hasattr(value, "item") else value
    except (RuntimeError, TypeError, ValueError):  # an array of several, or an `item` of another meaning
        return value
