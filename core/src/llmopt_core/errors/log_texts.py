"""Logs as people have them: with colours, behind the prefixes of containers and of the system's journal.

What is left is what the engine wrote, so that its lines are recognised. Which engine wrote them, and the
arguments that it says it was started with, are read as well.
"""

import ast
import re
from collections.abc import Mapping
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\n]*\x07")
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)"
_CONTAINER = rf"{_TIME}[ \t]+(?:std(?:out|err) [FP] )?"
_COMPOSE = r"[\w.-]{1,80}[ \t]+\|[ \t]"
_JOURNAL = rf"(?:[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|{_TIME}) [\w.-]{{1,80}} [\w./@-]{{1,80}}\[\d+\]: "
_PREFIX = re.compile(rf"^(?:{_JOURNAL}|{_CONTAINER}|{_COMPOSE})", re.MULTILINE)
_MOST_ARGUMENTS = 500
# How Python shows an object that has no literal, such as <CompilationMode.NONE: 0>.
_OBJECT = re.compile(r"<[^<>]*>")


def plain_log(text: str) -> str:
    """Return `text` without colours, carriage returns and the prefixes of who collected it."""
    lines = _COLOUR.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _PREFIX.sub("", lines)


def engine_of(log: str, marks: Mapping[str, re.Pattern[str]]) -> str:
    """Return which of the engines with `marks` wrote `log`, by the first that it speaks of; "": none is."""
    found = {name: match.start() for name, mark in marks.items() if (match := mark.search(log))}
    return min(found, key=found.__getitem__, default="")


def logged_arguments(log: str, line: re.Pattern[str]) -> dict[str, bool | int | float | str]:
    """Return the arguments in the dictionary that `line` finds in `log`, by name; {}: there is none."""
    found = line.search(log)
    if found is None:
        return {}
    try:
        document = ast.parse(_OBJECT.sub("None", found[1]).strip(), mode="eval").body
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}
    if not isinstance(document, ast.Dict) or len(document.keys) > _MOST_ARGUMENTS:
        return {}
    pairs = (
        (_literal(key), _literal(value)) for key, value in zip(document.keys, document.values, strict=True)
    )
    return {
        name: value
        for name, value in pairs
        if isinstance(name, str) and isinstance(value, bool | int | float | str)
    }


def _literal(node: ast.expr | None) -> Any:
    """Return what a part of a dictionary is, None where it is no plain value: others stay readable."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None
