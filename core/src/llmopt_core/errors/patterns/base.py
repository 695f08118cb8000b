"""What a line of a log has to look like, and what follows from it."""

import re
from dataclasses import dataclass, replace

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.limits import LimitRule
from llmopt_core.errors.remedies import Remedy


@dataclass(frozen=True)
class Pattern:
    """A line of a log that decides the class, and what to do about it.

    `name` is the cause in a few words; no other pattern of the same source has it. `suggestion` may use the
    pattern's named groups and the evidence's numbers as `{name}`. `limits` says which parameters the line
    bounds, for all later configurations, and `remedies` what else may help this one. A `consequence` only
    says that something else failed: the message is then the first error of the log, if there is one. What is
    `decisive` is only looked for in that first error: engines log such lines of what they then do without.
    A `refusal` is in an engine's general words for what it does not take: it is looked for where nothing else
    is known, in the first error of an engine that has not served yet. The pattern's group `said`, where it
    has one, is the message.
    """

    name: str
    error_class: ErrorClass
    line: re.Pattern[str]
    suggestion: str
    limits: tuple[LimitRule, ...] = ()
    consequence: bool = False
    decisive: bool = False
    refusal: bool = False
    remedies: tuple[Remedy, ...] = ()


def pattern(
    name: str, error_class: ErrorClass, line: str, suggestion: str, *follows: LimitRule | Remedy
) -> Pattern:
    """Return the pattern of a whole line that contains `line`, a regular expression, and what `follows`."""
    return Pattern(
        name,
        error_class,
        re.compile(rf"^.*?(?:{line}).*$", re.MULTILINE),
        suggestion,
        limits=tuple(each for each in follows if isinstance(each, LimitRule)),
        remedies=tuple(each for each in follows if isinstance(each, Remedy)),
    )


def consequence(
    name: str, error_class: ErrorClass, line: str, suggestion: str, *follows: LimitRule | Remedy
) -> Pattern:
    """Return the pattern of a line that `line` matches and that says no cause."""
    return replace(pattern(name, error_class, line, suggestion, *follows), consequence=True)


def error(name: str, error_class: ErrorClass, line: str, suggestion: str) -> Pattern:
    """Return the pattern of the first error of a log."""
    return replace(pattern(name, error_class, line, suggestion), decisive=True)


def refusal(name: str, line: str, suggestion: str) -> Pattern:
    """Return the pattern of an engine's general words for a configuration that it does not take."""
    return replace(pattern(name, ErrorClass.INVALID_CONFIGURATION, line, suggestion), refusal=True)
