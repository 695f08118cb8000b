"""How stored documents are read: checked against a type, up to the first fault.

Pydantic reports a fault for each element. A document of two million wrong elements would become hundreds of
megabytes of faults, of which a message names one.
"""

from typing import Any, TypeVar

from pydantic import TypeAdapter
from pydantic_core import SchemaValidator

Document = TypeVar("Document")
_OF_MANY = ("list", "tuple", "set", "frozenset", "dict")


def first_fault(adapter: TypeAdapter[Document]) -> TypeAdapter[Document]:
    """Return `adapter`, which from now on stops at the first element of a list or mapping that is wrong."""
    adapter.validator = SchemaValidator(_stopping(adapter.core_schema))
    return adapter


def _stopping(schema: Any) -> Any:
    """Return `schema`, a tree of mappings and lists, with Pydantic's `fail_fast` for all kinds of many."""
    if isinstance(schema, list | tuple):
        return type(schema)(_stopping(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    stopping = {name: _stopping(part) for name, part in schema.items()}
    return {**stopping, "fail_fast": True} if stopping.get("type") in _OF_MANY else stopping
