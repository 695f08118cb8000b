"""From pydantic's errors to faults: its words are for programmers, ours for the author of the manifest."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from llmopt_core.resources.base import (
    DECIMAL_PATTERN,
    DURATION_EXAMPLE,
    DURATION_PATTERN,
    IDENTIFIER_PATTERN,
    NAME_PATTERN,
    SHORT_DURATION_EXAMPLE,
    SHORT_DURATION_PATTERN,
)
from llmopt_core.resources.faults import Fault, dotted, joined
from llmopt_core.resources.field_hints import (
    Schema,
    choice_hint,
    field_hint,
    list_hint,
    range_hint,
    whole_hint,
)
from llmopt_core.resources.pods import PATH_PATTERN, VARIABLE_PATTERN
from llmopt_core.resources.rules import NOT_UNIQUE, RULES_BROKEN, Rule
from llmopt_core.resources.serving import SOURCE_PATTERN, URL_PATTERN
from llmopt_core.resources.source_hints import source_hint

_PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        DECIMAL_PATTERN: 'a decimal number in quotes, such as "0.7"',
        DURATION_PATTERN: f"a duration such as {DURATION_EXAMPLE}",
        IDENTIFIER_PATTERN: "a name of letters, digits, dots, hyphens and underscores, from a letter on",
        NAME_PATTERN: "a name of lower-case letters, digits and hyphens",
        SHORT_DURATION_PATTERN: f"a duration in whole numbers, such as {SHORT_DURATION_EXAMPLE}",
        PATH_PATTERN: "an absolute path of plain names, such as /data/models",
        SOURCE_PATTERN: "hf://ORG/NAME[/FILE][@REVISION], pvc://CLAIM/PATH, file:///PATH or package://PACKAGE/FILE",
        VARIABLE_PATTERN: "the name of an environment variable, such as NCCL_DEBUG",
        URL_PATTERN: "a URL that begins with http:// or https://",
    }
)
_FIELDS = "fields with values"
_LIST = "a list, whose entries begin with a hyphen"
_EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "bool_type": lambda _: "true or false, without quotes",
        "dict_type": lambda _: _FIELDS,
        "greater_than_equal": lambda context: f"at least {context['ge']}",
        "int_type": lambda _: "a whole number, without quotes",
        "less_than_equal": lambda context: f"at most {context['le']}",
        "list_type": lambda _: _LIST,
        "model_type": lambda _: _FIELDS,
        "string_pattern_mismatch": lambda context: _PATTERNS[context["pattern"]],
        "string_too_long": lambda context: f"text of at most {context['max_length']} characters",
        "string_too_short": lambda context: f"text of at least {context['min_length']} characters",
        "too_long": lambda context: f"at most {context['max_length']} entries",
        "too_short": lambda context: f"at least {context['min_length']} entries",
        "value_error": lambda context: str(context["error"]),
    }
)


def faults_of(error: ValidationError, schema: Schema) -> tuple[Fault, ...]:
    """Return the faults in `error`; `schema` is the kind's structural schema, for the names it knows."""
    return tuple(fault for detail in error.errors(include_url=False) for fault in _translated(detail, schema))


def rule_fault(rule: Rule, path: str, part: Any) -> Fault:
    """Return the fault of the `part` at `path` that breaks `rule`."""
    return Fault(joined(path, rule.field), _below(part, rule.field), rule.expected, rule.suggestion)


def _translated(detail: ErrorDetails, schema: Schema) -> Iterator[Fault]:
    steps = tuple(step for step in detail["loc"] if step != "[key]")
    path, value, context = dotted(steps), detail["input"], detail.get("ctx", {})
    if detail["type"] == RULES_BROKEN:
        for rule in context["rules"]:
            yield rule_fault(rule, path, value)
    elif detail["type"] == NOT_UNIQUE:
        yield Fault(joined(path, context["place"]), context["value"], "a name that no other entry has")
    elif detail["type"] == "missing":
        yield Fault(path, None, "a value: the field is required")
    elif detail["type"] == "extra_forbidden":
        yield Fault(path, value, "a known field", field_hint(steps, value, schema), "unknown field")
    elif detail["type"] == "literal_error":
        choices = _choices(context["expected"])
        one_of = "one of " if len(choices) > 1 else ""
        yield Fault(path, value, f"{one_of}{', '.join(choices)}", choice_hint(value, choices))
    elif detail["type"] == "string_type":
        yield Fault(path, value, _text_expected(value))
    else:
        known = _EXPECTED.get(detail["type"])
        expected = known(context) if known else f"a valid value ({detail['msg']})"
        yield Fault(path, value, expected, _hint(detail, expected, schema, steps))


def _hint(detail: ErrorDetails, expected: str, schema: Schema, steps: tuple[str | int, ...]) -> str | None:
    """Return what to write where `expected` alone does not say it."""
    if expected == _PATTERNS[SOURCE_PATTERN]:
        return source_hint(detail["input"])
    if expected == _FIELDS:
        return whole_hint(steps, detail["input"], schema)
    if expected == _LIST:
        return list_hint(steps, detail["input"])
    if "without a unit" in expected and "constraints" in steps:
        return "the metric's name says its unit: ms are milliseconds, mib are MiB"
    return range_hint(steps, schema) if "a decimal number" in expected else None


def _text_expected(value: Any) -> str:
    if value is None:
        return "a value: the field is empty"
    if isinstance(value, Mapping | list):
        return "text"
    if isinstance(value, bool):
        return 'text: put the word that stands here in quotes, such as "on" or "true"'
    return f'text: write it in quotes, "{value}"'


def _below(value: Any, field: str | None) -> Any:
    for step in field.split(".") if field else ("",):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value if isinstance(value, str | int) else None


def _choices(listed: str) -> tuple[str, ...]:
    return tuple(choice.strip("'") for choice in listed.replace(" or ", ", ").split(", "))
