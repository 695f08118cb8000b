"""The ground every resource type stands on: strict, frozen, camelCase outside and snake_case inside."""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticUndefined

from llmopt_core.resources.rules import Immutable, Rule, rules_broken

DECIMAL_PATTERN = r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$"
DURATION_PATTERN = r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
SHORT_DURATION_PATTERN = r"^([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
IDENTIFIER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
DURATION_EXAMPLE = "45s, 10m or 1h30m"
SHORT_DURATION_EXAMPLE = "800ms, 5s or 1m30s"
_SOME_TIME = f"a duration longer than 0, such as {DURATION_EXAMPLE}"
_BARE_NUMBER = re.compile(r"\s*-?[0-9]+(\.[0-9]*)?\s*")
_SOME_SECONDS = re.compile(r"[1-9][0-9]{0,6}")
_INT64 = 2**63
_SHORT = re.compile(r"([0-9]+)(ms|m|s)")


class Part(BaseModel):
    """A part of a manifest: immutable, no unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )
    rules: ClassVar[tuple[Rule, ...]] = ()
    immutable: ClassVar[tuple[Immutable, ...]] = ()

    @model_validator(mode="after")
    def _keeps_its_rules(self) -> Self:
        if broken := [rule for rule in self.rules if not rule.holds(self)]:
            raise rules_broken(broken)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Write the rules and all defaults beside the fields, as the API server reads them."""
        document = handler(schema)
        target = handler.resolve_ref_schema(document)
        for field in cls.model_fields.values():
            if (default := written_default(field)) is not None:
                target["properties"][field.alias]["default"] = default
        if validations := [
            *(rule.schema() for rule in cls.rules),
            *(field.schema() for field in cls.immutable),
        ]:
            target["x-kubernetes-validations"] = validations
        return document


def written_default(field: FieldInfo) -> Any:
    """Return the default of `field`, whole (the API server checks rules on it as it stands), or None."""
    default = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", by_alias=True, exclude_none=True)
    return None if default is PydanticUndefined else default


def _quoted(value: Any) -> Any:
    """Refuse what YAML made of an unquoted word or number."""
    if isinstance(value, bool):
        raise ValueError(
            'text: put the word that stands here in quotes, such as "on", "off", "true" or "false" '
            "(YAML reads unquoted on, off, yes, no, true and false as booleans)"
        )
    if isinstance(value, float):
        raise ValueError(f'text: write decimals in quotes, "{value}"')
    return value


def _decimal(value: Any) -> Any:
    value = _quoted(value)
    if not isinstance(value, str):
        sound = isinstance(value, int) and value > 0
        raise ValueError(f'a decimal number in quotes, such as "{value if sound else 0.7}"')
    try:
        finite = Decimal(value).is_finite()
    except InvalidOperation:
        finite = False
    if not finite:
        raise ValueError(f'a decimal number in quotes{_without_unit(value)}, such as "0.7"')
    return value


def _without_unit(text: str) -> str:
    return " and without a unit" if re.match(r"[-+.]?\d.*[A-Za-z%]", text, re.DOTALL) else ""


def _scalar(value: Any) -> Any:
    value = _quoted(value)
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    raise ValueError(f"a whole number, or text of at most {MAX_TEXT} characters")


def _require_unit(value: Any, units: tuple[str, ...], example: str) -> None:
    """Refuse a number without its unit: as text, which pydantic would ask for, it is no duration either."""
    if isinstance(value, bool):
        raise ValueError(f"a duration such as {example}")
    if isinstance(value, int | float) or (isinstance(value, str) and _BARE_NUMBER.fullmatch(value)):
        whole = str(value).strip().partition(".")[0]
        shown = whole if _SOME_SECONDS.fullmatch(whole) else "45"
        listed = ", ".join(f"{shown}{unit}" for unit in units)
        raise ValueError(f"a duration with its unit, such as {listed} or {example.rpartition(' ')[2]}")


def _duration(value: Any) -> Any:
    _require_unit(value, ("s", "m"), DURATION_EXAMPLE)
    return value


def _short_duration(value: Any) -> Any:
    _require_unit(value, ("s", "ms"), SHORT_DURATION_EXAMPLE)
    return value


def _some_time(value: str) -> str:
    if duration_seconds(value) == 0:
        raise ValueError(_SOME_TIME)
    return value


_LONGER_THAN_ZERO: dict[str, JsonValue] = {
    "x-kubernetes-validations": [{"rule": "self.matches('[1-9]')", "message": f"expected {_SOME_TIME}"}]
}
MAX_TEXT = 1024  # a scalar can be a prompt's system message
# A decimal number written as text: manifests hold no floats.
DecimalText = Annotated[
    str, Field(min_length=1, max_length=32, pattern=DECIMAL_PATTERN), BeforeValidator(_decimal)
]
# What a parameter can be set to in a manifest: a whole number, or text.
Scalar = Annotated[int | str, BeforeValidator(_scalar)]
# A whole-number duration in Kubernetes' notation.
DurationText = Annotated[
    str,
    Field(pattern=DURATION_PATTERN, min_length=2, max_length=16, json_schema_extra=_LONGER_THAN_ZERO),
    BeforeValidator(_duration),
    AfterValidator(_some_time),
]
# The same for what may take less than a second.
ShortDurationText = Annotated[
    str, Field(pattern=SHORT_DURATION_PATTERN, min_length=2, max_length=16), BeforeValidator(_short_duration)
]
Name = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]
Identifier = Annotated[str, Field(pattern=IDENTIFIER_PATTERN, min_length=1, max_length=64)]
ScalarMap = Annotated[dict[Identifier, Scalar], Field(max_length=64)]


def duration_seconds(text: str) -> int:
    """Return the seconds that `text` (such as `1h30m` or `45s`) stands for."""
    seconds, number = 0, ""
    for character in text:
        if character.isdigit():
            number += character
        else:
            seconds += int(number) * {"h": 3600, "m": 60, "s": 1}[character]
            number = ""
    return seconds


def short_duration_seconds(text: str) -> float:
    """Return the seconds that `text` (such as `1m30s` or `500ms`) stands for."""
    return sum(
        int(number) * {"m": 60.0, "s": 1.0, "ms": 0.001}[unit] for number, unit in _SHORT.findall(text)
    )
