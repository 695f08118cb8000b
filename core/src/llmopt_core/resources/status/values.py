"""What the fields of a status are made of: numbers as decimal text, and bounded texts."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from llmopt_core.resources.base import DECIMAL_PATTERN, MAX_TEXT, Identifier
from llmopt_core.search.configurations import Value


def decimal(value: float) -> str:
    """Return `value` as decimal text with the six digits that a status keeps."""
    return f"{value:.6g}"


def _figure(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError('a decimal number in quotes, such as "0.7"')
    number = float(value)
    if not math.isfinite(number):
        raise ValueError('a finite decimal number in quotes, such as "0.7"')
    return number


def scalar(value: Value) -> int | str:
    """Return a parameter's value as a manifest writes it: decimals and booleans as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return decimal(value)
    return value if isinstance(value, int) else value[:MAX_TEXT]


# A status is read from JSON, which has no enumerations.
FROM_TEXT = Field(strict=False)
# A measured number: a float in Python, in JSON decimal text with six digits, as manifests hold no floats.
Figure = Annotated[
    float,
    BeforeValidator(_figure),
    PlainSerializer(decimal, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 32, "pattern": DECIMAL_PATTERN}),
]
# A parameter's value: of its own type where the study is read here, in JSON a whole number or text.
Setting = Annotated[
    Value,
    PlainSerializer(scalar, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]
Settings = Annotated[dict[Identifier, Setting], Field(max_length=64)]
Text = Annotated[str, Field(max_length=1024)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
TrialNumber = Annotated[int, Field(ge=0, le=2**31 - 1)]
Timestamp = Annotated[str, Field(max_length=32, description="RFC 3339, in UTC.")]
MetricValues = Annotated[
    dict[Identifier, Figure],
    Field(max_length=48, description="Metric name to value, in the unit of the metric catalogue."),
]
