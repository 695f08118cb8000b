"""What a line of a log has to look like, and what follows from it."""

import re
from dataclasses import dataclass, replace

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import LimitRule


@dataclass(frozen=True)
class Pattern:
    """A line of a log that decides the class, and what to do about it.

    `suggestion` may use the pattern's named groups and the evidence's numbers as `{name}`. `limits` says
    which parameters the line bounds, for all later configurations. A `consequence` only says that something
    else failed: the message is then the first error of the log, if there is one.
    """

    error_class: ErrorClass
    line: re.Pattern[str]
    suggestion: str
    limits: tuple[LimitRule, ...] = ()
    consequence: bool = False


def pattern(error_class: ErrorClass, line: str, suggestion: str, *limits: LimitRule) -> Pattern:
    """Return the pattern of a whole line that contains `line`, a regular expression."""
    return Pattern(error_class, re.compile(rf"^.*?(?:{line}).*$", re.MULTILINE), suggestion, limits)


def consequence(error_class: ErrorClass, line: str, suggestion: str) -> Pattern:
    """Return the pattern of a line that `line` matches and that says no cause."""
    return replace(pattern(error_class, line, suggestion), consequence=True)
