"""From what a dead engine left behind to one class, with a suggestion that has the trial's own numbers."""

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.errors.drafts import DraftModel, of_draft
from llmopt_core.errors.limits import Limit
from llmopt_core.errors.patterns import machine
from llmopt_core.errors.patterns.base import Pattern
from llmopt_core.errors.tracebacks import decisive_line, first_error

_LONGEST_MESSAGE = 500
# Shells and containers report an end by a signal as 128 and its number.
_LEAST_CODE_OF_SIGNALS = 128
# An engine with such a line was killed, or had served: its configuration was not refused.
_NO_REFUSAL = re.compile(
    r"Application startup complete|fired up and ready to roll|server is listening on"
    r"|Worker proc \S+ died unexpectedly|EngineDeadError|EngineCore encountered"
    r"|(?:^|[\s:])(?:Killed|Segmentation fault|Aborted|Fatal Python error)\b|\(core dumped\)",
    re.MULTILINE,
)
# SGLang's server ends all its processes by SIGKILL when one of them failed, and itself last.
_ENDS_ITSELF = re.compile(r"Received sigquit from a child process|SIGQUIT received\. .*one child failed")
_KILLED = re.compile(r"^(?:\S+: line \d+: +\d+ )?Killed\b.*$", re.MULTILINE)


@dataclass(frozen=True)
class Evidence:
    """All that is known of a failure.

    Exit code or signal, the whole log, and the trial's own numbers by short name, such as `n_ctx`. What the
    kernel killed for memory leaves no line: the memory guard reports it. `patterns` are those of the engine
    whose log it is: two engines on one library say the same, and what to do about it differs. `draft` is the
    engine's second model, if it can have one. `served`: it is of an engine that had started or still runs,
    or of none; a log may say that too.
    """

    log: str = ""
    exit_code: int | None = None
    signal: int | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    patterns: tuple[Pattern, ...] = ()
    draft: DraftModel | None = None
    served: bool = False


def classify(evidence: Evidence) -> Failure:
    """Return the one class of what `evidence` shows, with its decisive line and a suggestion."""
    evidence = _not_killed_by_others(evidence)
    recognised = _recognised(evidence)
    if recognised is None:
        return _by_end(evidence)
    pattern, found = recognised
    numbers = _Numbers({**evidence.numbers, **found.groupdict()})
    said = found.groupdict().get("said") or found.group(0)
    line = (pattern.consequence and first_error(evidence.log)) or said.strip()
    failure = Failure(
        pattern.error_class,
        line[:_LONGEST_MESSAGE],
        pattern.suggestion.format_map(numbers),
        _limits(pattern, found, evidence.numbers),
        pattern.remedies,
    )
    return _of_draft(failure, evidence, found.start()) or failure


def _not_killed_by_others(evidence: Evidence) -> Evidence:
    """Return `evidence` without the kill by which a server ended itself: it says nothing of memory."""
    if (sign := _ENDS_ITSELF.search(evidence.log)) is None:
        return evidence
    log = evidence.log[: sign.end()] + _KILLED.sub("", evidence.log[sign.end() :])
    ended = evidence.signal == signal.SIGKILL or evidence.exit_code == _LEAST_CODE_OF_SIGNALS + signal.SIGKILL
    return replace(evidence, log=log, exit_code=1, signal=None) if ended else replace(evidence, log=log)


def _of_draft(failure: Failure, evidence: Evidence, at: int) -> Failure | None:
    """Return `failure`, which a line at `at` shows, as that of the draft model; None: it is not its."""
    if evidence.draft is None:
        return None
    message = evidence.log.find(failure.message)
    at = at if message < 0 else min(at, message)
    return of_draft(failure, evidence.draft, evidence.numbers, evidence.log, at)


def cause_of(evidence: Evidence) -> str:
    """Return the name of the cause that `evidence` shows, such as `no-c-compiler`; "": it is not known."""
    recognised = _recognised(_not_killed_by_others(evidence))
    return "" if recognised is None else recognised[0].name


def is_known(evidence: Evidence) -> bool:
    """Say whether the cause that `evidence` shows is known: not only that something failed."""
    recognised = _recognised(_not_killed_by_others(evidence))
    return recognised is not None and not _only_says_that_it_failed(recognised[0])


def _only_says_that_it_failed(pattern: Pattern) -> bool:
    return pattern.consequence and pattern.error_class is ErrorClass.ENGINE_CRASHED


def _recognised(evidence: Evidence) -> tuple[Pattern, re.Match[str]] | None:
    """Return the first pattern that knows a line of the log, and that line.

    Each is searched for in the whole log. An engine's own words say more than those of the libraries below,
    general words of a refusal less, and what only says that something failed is the last of all.
    """
    first = first_error(evidence.log) or ""
    known = (*evidence.patterns, *machine.PATTERNS)
    for each in sorted(known, key=_place):
        if found := _refused(each, evidence, first) if each.refusal else _searched(each, evidence, first):
            return each, found
    return None


def _place(pattern: Pattern) -> int:
    return 2 if _only_says_that_it_failed(pattern) else int(pattern.refusal)


def _searched(pattern: Pattern, evidence: Evidence, first: str) -> re.Match[str] | None:
    return pattern.line.search(first if pattern.decisive else evidence.log)


def _refused(pattern: Pattern, evidence: Evidence, first: str) -> re.Match[str] | None:
    """Return the match in the log's first error; None where the engine had served, or was killed."""
    by_signal = evidence.signal is not None or (evidence.exit_code or 0) >= _LEAST_CODE_OF_SIGNALS
    if evidence.served or by_signal or not first or _NO_REFUSAL.search(evidence.log):
        return None
    return next((each for each in pattern.line.finditer(evidence.log) if first in each.group(0)), None)


class _Numbers(dict[str, Any]):
    """The trial's numbers; one that it does not have is said to be not set."""

    def __missing__(self, _name: str) -> str:
        return "not set"


def _limits(pattern: Pattern, found: re.Match[str], engine: Mapping[str, Any]) -> tuple[Limit, ...]:
    rules = (rule.limit(found.groupdict(), engine) for rule in pattern.limits)
    return tuple(limit for limit in rules if limit is not None)


def _by_end(evidence: Evidence) -> Failure:
    message = f"{_ending(evidence)}; {decisive_line(evidence.log)}"[:_LONGEST_MESSAGE]
    if evidence.signal == signal.SIGILL:
        return Failure(
            ErrorClass.ENGINE_NOT_INSTALLED,
            message,
            "The engine's program was built for another processor: install a build for this one.",
        )
    if evidence.exit_code is None and evidence.signal is None:
        return Failure(ErrorClass.UNKNOWN, message, "Read the trial's log in the results folder.")
    return Failure(
        ErrorClass.ENGINE_CRASHED,
        message,
        "Read the trial's log in the results folder; the same configuration is tried once more.",
    )


def _ending(evidence: Evidence) -> str:
    if evidence.signal is not None:
        return f"the engine was ended by signal {evidence.signal}"
    if evidence.exit_code is not None:
        return f"the engine ended with exit code {evidence.exit_code}"
    return "the engine still ran"
