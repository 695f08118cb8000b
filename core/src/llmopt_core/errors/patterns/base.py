"""What a line of a log has to look like, and what follows from it."""

import re
from dataclasses import dataclass

from llmopt_core.errors.classes import ErrorClass


@dataclass(frozen=True)
class Pattern:
    """A line of a log that decides the class, and what to do about it.

    `suggestion` may use the pattern's named groups and the evidence's numbers as `{name}`.
    """

    error_class: ErrorClass
    line: re.Pattern[str]
    suggestion: str


def pattern(error_class: ErrorClass, line: str, suggestion: str) -> Pattern:
    """Return the pattern of a whole line that contains `line`, a regular expression."""
    return Pattern(error_class, re.compile(rf"^.*?(?:{line}).*$", re.MULTILINE), suggestion)
