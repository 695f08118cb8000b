"""The ground every resource type stands on: strict, frozen, camelCase outside and snake_case inside."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A part of a manifest: immutable, no unknown fields."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, use_enum_values=False
    )


def _decimal(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a decimal number; write it like '0.7'") from error
    if not number.is_finite():
        raise ValueError(f"{text!r} is not a finite decimal number")
    return text


def _no_float_no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(
            f'write it in quotes: "{str(value).lower()}" (YAML reads on, off, yes and no as booleans too)'
        )
    if isinstance(value, float):
        raise ValueError(f'write decimals in quotes: "{value}"')
    return value


# A decimal number written as text: manifests hold no floats.
DecimalText = Annotated[
    str, Field(min_length=1, max_length=32), AfterValidator(_decimal), BeforeValidator(_no_float_no_bool)
]
# What a parameter can be set to in a manifest: a whole number, or text.
Scalar = Annotated[int | Annotated[str, Field(max_length=256)], BeforeValidator(_no_float_no_bool)]
# A whole-number duration in Kubernetes' notation.
DurationText = Annotated[str, Field(pattern=r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2, max_length=16)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", min_length=1, max_length=64)]
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
