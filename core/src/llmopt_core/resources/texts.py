"""YAML texts: read without surprises, and what is wrong with one that cannot be read."""

from typing import Any

import yaml
from yaml.constructor import ConstructorError

from llmopt_core.resources.faults import Fault

# Beside its own errors, what the values of a text raise: a date that is none, a number of 5,000 digits.
YAML_ERRORS = (yaml.YAMLError, ValueError, RecursionError)
MOST_LEVELS = 100  # a manifest has about ten
MOST_BITS = 1024  # Python writes no number of more than some 14,000
# What PyYAML raises where a value does not go with its tag, as in `!!bool maybe`.
_UNFIT = (AttributeError, LookupError, TypeError, ArithmeticError)
_TAB = "indent with spaces: YAML takes no tabs"
_UNCLOSED = "found unexpected end of stream"
_ADVICE = (
    ("mapping values are not allowed", "put text that holds a colon in quotes, or check the indentation"),
    ("could not find expected ':'", "write a colon and a space behind each field's name"),
    ("did not find expected", "check the indentation, and that each bracket and quote is closed"),
    (_UNCLOSED, "close the quote"),
    ("cannot start any token", "put text that begins with this character in quotes"),
    ("found undefined alias", "put text that begins with * in quotes"),
    ("found unknown escape character", r"write \\ for a backslash, or use single quotes"),
    ("this is no !!", "remove the tag that begins with !!, or write a value that goes with it"),
    ("this number is too long", "write a shorter one, or put its text in quotes"),
    ("control characters are not allowed", "remove the characters that cannot be seen"),
)


class _Loader(yaml.CSafeLoader):
    """The safe loader, with an error of YAML for each value that it cannot make or that nobody can write."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - PyYAML's
        try:
            value = super().construct_object(node, deep)
        except _UNFIT:
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            raise ConstructorError(None, None, f"this is no {tag}", node.start_mark) from None
        if isinstance(value, int) and value.bit_length() > MOST_BITS:
            raise ConstructorError(None, None, "this number is too long", node.start_mark)
        return value


def yaml_documents(text: str) -> tuple[Any, ...]:
    """Return the documents in `text`; raises one of YAML_ERRORS."""
    _require_shallow(text)
    return tuple(yaml.load_all(text, Loader=_Loader))


def _require_shallow(text: str) -> None:
    """Raise RecursionError where values are nested too deeply: the loader would crash the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise RecursionError


def yaml_fault(error: Exception, text: str) -> Fault:
    """Return the fault for a `text` that is not YAML: what is wrong, where, and what to do."""
    problem, mark = _problem(error), _mark(error)
    place = "" if mark is None else f" at line {mark.line + 1}, column {mark.column + 1}"
    if mark is not None and problem == _UNCLOSED:
        place = f" in the text that a quote{place} begins"
    found = next((advice for words, advice in _ADVICE if words in problem), None)
    if mark is not None and _begins_with_tab(text, mark.line):
        found = _TAB
    return Fault(
        "", None, f"YAML: {problem}{place}", found or "correct that place, or put its text in quotes"
    )


def yaml_line(error: Exception) -> int:
    """Return the line of `error`, from 1 on; 1 where it does not say."""
    mark = _mark(error)
    return 1 if mark is None else mark.line + 1


def _problem(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "its values are nested too deeply"
    own = error.problem if isinstance(error, yaml.MarkedYAMLError) else None
    return " ".join((own or str(error)).split())


def _mark(error: Exception) -> yaml.Mark | None:
    """Return where to look: of a quote that is never closed where it is opened, not the end of the file."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return None
    return (error.context_mark if error.problem == _UNCLOSED else None) or error.problem_mark


def _begins_with_tab(text: str, line: int) -> bool:
    lines = text.splitlines()
    around = lines[max(0, line - 1) : line + 1]
    return any("\t" in each[: len(each) - len(each.lstrip())] for each in around)
