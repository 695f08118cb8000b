"""Conditions across fields, each written once for both who check them: the API server (CEL) and Python.

A part lists its rules; `Part` checks them, and the generator writes them into the CRDs. Where CEL cannot
say all that a rule means, its docstring-like comment at the rule says what is left to Python.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.alias_generators import to_snake
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

RULES_BROKEN = "rules_broken"
NOT_UNIQUE = "not_unique"
IMMUTABLE_REASON = "what was measured before would not be comparable: create a new resource"
Bound = tuple[Literal[">", ">=", "<", "<="], float]
_COMPARE = MappingProxyType({">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le})


@dataclass(frozen=True)
class Rule:
    """One condition of one part.

    `expected` completes "expected …". `field` is where the fault is shown, as written in a manifest and
    relative to the part; None for the part itself. `reads` names the fields (in Python's spelling) that the
    condition needs, None for all: where others are faulty it can be checked all the same.
    """

    cel: str
    expected: str
    holds: Callable[[Any], bool]
    field: str | None = None
    suggestion: str | None = None
    reads: tuple[str, ...] | None = None

    @property
    def message(self) -> str:
        """What the API server says when the rule is broken."""
        return f"expected {self.expected}" + (f"; {self.suggestion}" if self.suggestion else "")

    def schema(self) -> dict[str, str]:
        """Return the rule as an entry of `x-kubernetes-validations`."""
        place = {"fieldPath": f".{self.field}"} if self.field else {}
        return {"rule": self.cel, "message": self.message, **place}


def decimal_within(
    field: str, expected: str, *bounds: Bound, optional: bool = False, suggestion: str | None = None
) -> Rule:
    """Return the rule that the decimal text in `field` keeps all `bounds`; `optional`: it may be absent."""
    kept = " && ".join(f"double(self.{field}) {sign} {float(limit)}" for sign, limit in bounds)

    def holds(part: Any) -> bool:
        text = getattr(part, to_snake(field))
        return text is None or all(
            _COMPARE[sign](Decimal(text), Decimal(str(limit))) for sign, limit in bounds
        )

    return Rule(f"!has(self.{field}) || {kept}" if optional else kept, expected, holds, field, suggestion)


@dataclass(frozen=True)
class Immutable:
    """A field of a spec that a running study depends on; `optional` when it may be absent."""

    field: str
    optional: bool = False

    def schema(self) -> dict[str, str]:
        """Return the transition rule as an entry of `x-kubernetes-validations`."""
        same = f"self.{self.field} == oldSelf.{self.field}"
        if self.optional:
            present = f"has(self.{self.field})"
            same = f"{present} == has(oldSelf.{self.field}) && (!{present} || {same})"
        return {"rule": same, "message": f"{self.field} cannot change: {IMMUTABLE_REASON}"}


def rules_broken(rules: Sequence[Rule]) -> PydanticCustomError:
    """Return the error that carries all `rules` that a part breaks."""
    return PydanticCustomError(
        RULES_BROKEN, "{text}", {"text": "; ".join(rule.message for rule in rules), "rules": tuple(rules)}
    )


@dataclass(frozen=True)
class UniqueBy:
    """No two entries of a list may have the same `key` (in manifest spelling, one word)."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check after the list itself."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say it as a list of type map, which the API server checks without CEL."""
        return {
            **handler(schema),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": [self.key],
        }

    def _check(self, entries: list[Any]) -> list[Any]:
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            value = getattr(entry, self.key)
            if value in seen:
                raise PydanticCustomError(
                    NOT_UNIQUE, "{value} appears twice", {"value": value, "place": f"[{index}].{self.key}"}
                )
            seen.add(value)
        return entries


def given(*fields: object) -> int:
    """Return how many of `fields` are there."""
    return sum(field is not None for field in fields)
