"""`llmopt explain`: why a server died, by the log that it left."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import typer

from llmopt.json_output import print_json
from llmopt.terminal import Console
from llmopt_core.api.exit_codes import Exit
from llmopt_core.engines.declarations import EngineDeclaration
from llmopt_core.engines.other_servers import OTHER_SERVERS
from llmopt_core.engines.registry import all_patterns, engine_names, patterns_for, usable_declarations
from llmopt_core.errors.classes import ErrorClass, Failure, RetryPolicy
from llmopt_core.errors.classification import Evidence, cause_of, classify, is_known
from llmopt_core.errors.files import file_problem
from llmopt_core.errors.log_texts import engine_of, logged_arguments, plain_log
from llmopt_core.errors.patterns.base import Pattern
from llmopt_core.errors.policies import POLICIES
from llmopt_core.errors.tracebacks import any_error, decisive_line, only_consequences
from llmopt_core.resources.faults import did_you_mean

# Causes stand at a start's beginning or at its end: the middle of a longer log is left out.
_HEAD_BYTES, _TAIL_BYTES = 2**19, 2**21
_MEANINGS = {
    RetryPolicy.RETRY: "the same command may work the next time",
    RetryPolicy.INFEASIBLE: "this configuration does not work here; another one may",
    RetryPolicy.OUTAGE: "what it needs may come back; without it no configuration works",
    RetryPolicy.FATAL: "no configuration works before this is fixed",
}
_NOT_KNOWN = frozenset({ErrorClass.UNKNOWN, ErrorClass.ENGINE_CRASHED})
_NO_REMEDY = "No pattern knows this failure: the cause is the first error that the log shows."
_NOT_RECOGNISED = "no error of a server is recognised: check that this is the log of the server that died"
_NO_ERROR = (
    "The log shows no error: the server may still run. Else it was ended from outside, or the log lacks its"
    " end or its standard error."
)
_CUT_OFF = (
    "The log says that the server failed, and not why: the cause stands before these lines. Give the whole"
    " log, from the server's start, with its standard error."
)
_SAYING_NOTHING = frozenset({_NO_REMEDY, _NO_ERROR, _CUT_OFF})
_UNKNOWN = " (not set)"


@dataclass(frozen=True)
class Explanation:
    """A failure, whose log it was, and the name of its cause ("": not known)."""

    failure: Failure
    engine: str
    cause: str = ""

    @property
    def policy(self) -> RetryPolicy:
        """What it means to try again."""
        return POLICIES[self.failure.error_class]

    def document(self) -> dict[str, Any]:
        """Return the explanation as JSON has it."""
        return {
            "class": self.failure.error_class.value,
            "engine": self.engine or None,
            "cause": self.cause or None,
            "message": self.failure.message,
            "remedy": self.failure.suggestion,
            "policy": self.policy.value,
            "limits": [str(limit) for limit in self.failure.limits],
            "advice": [str(remedy) for remedy in self.failure.remedies],
        }


def explain_log(name: str, engine: str | None, *, as_json: bool) -> Exit:
    """Print why the server of the log `name` (`-`: standard input) died; raises typer.BadParameter."""
    known = (*engine_names(), *OTHER_SERVERS)
    if engine is not None and engine not in known:
        raise typer.BadParameter(f"{engine!r}: {did_you_mean(engine, known)}", param_hint="--engine")
    try:
        text = _read(name)
    except OSError as error:
        _say(Console(stderr=True), f"error: {file_problem(error, name)}")
        return Exit.INVALID
    if not text.strip():
        _say(
            Console(stderr=True),
            f"error: {name}: the log is empty: give the one with the server's standard error",
        )
        return Exit.INVALID
    explanation = explained(text, engine)
    if as_json:
        print_json(explanation.document())
    else:
        _print(explanation)
    return Exit.FINISHED


def explained(text: str, engine: str | None) -> Explanation:
    """Return why the server that wrote `text` died; the engine is found by its words unless it is given."""
    log = plain_log(text)
    engines = usable_declarations()
    whose = engine or engine_of(log, _marks(engines))
    declared = engines.get(whose)
    patterns = _patterns(whose, declared)
    line = declared.logs.arguments if declared is not None else None
    draft = None if declared is None else declared.logs.draft
    numbers = logged_arguments(log, line) if line else {}
    evidence = Evidence(log, numbers=numbers, patterns=patterns, draft=draft)
    failure = classify(evidence)
    if failure.error_class in _NOT_KNOWN and not is_known(evidence):
        failure = Failure(failure.error_class, decisive_line(log), _remedy(log, cause_of(evidence)))
    # What the log does not say of the configuration is left out.
    shown = replace(failure, suggestion=failure.suggestion.replace(_UNKNOWN, ""))
    return Explanation(shown, whose, cause_of(evidence))


def _remedy(log: str, cause: str) -> str:
    """Return what can be done where no pattern knows a remedy."""
    if only_consequences(log):
        return _CUT_OFF
    return _NO_REMEDY if any_error(log) is not None or cause else _NO_ERROR


def _patterns(whose: str, declared: EngineDeclaration | None) -> tuple[Pattern, ...]:
    if declared is not None:
        return patterns_for(declared)
    return OTHER_SERVERS[whose].patterns if whose in OTHER_SERVERS else all_patterns()


def _marks(engines: Mapping[str, EngineDeclaration]) -> dict[str, re.Pattern[str]]:
    logs = {name: declared.logs for name, declared in engines.items()}
    marks = {name: each.mark for name, each in {**OTHER_SERVERS, **logs}.items()}
    return {name: mark for name, mark in marks.items() if mark is not None}


def _read(name: str) -> str:
    if name == "-":
        content = sys.stdin.buffer.read()
        return _bounded(content[:_HEAD_BYTES], content[_HEAD_BYTES:][-_TAIL_BYTES:])
    with Path(name).open("rb") as file:
        head = file.read(_HEAD_BYTES)
        end = file.seek(0, 2)
        file.seek(max(len(head), end - _TAIL_BYTES))
        return _bounded(head, file.read(_TAIL_BYTES))


def _bounded(head: bytes, tail: bytes) -> str:
    return (head + tail).decode("utf-8", "replace")


def _print(explanation: Explanation) -> None:
    console, failure = Console(), explanation.failure
    whose = f" ({explanation.engine})" if explanation.engine else ""
    known = failure.error_class is not ErrorClass.UNKNOWN or failure.suggestion not in _SAYING_NOTHING
    meaning = _MEANINGS[explanation.policy] if known else _NOT_RECOGNISED
    _say(console, f"{failure.error_class.value}{whose}: {meaning}")
    named = f"{explanation.cause}: " if explanation.cause else ""
    _say(console, f"cause:  {named}{failure.message}")
    _say(console, f"remedy: {failure.suggestion}")
    for limit in failure.limits:
        _say(console, f"limit:  {limit}")
    for remedy in failure.remedies:
        _say(console, f"advice: {remedy}")
    if failure.limits or failure.remedies:
        changed = [limit.parameter for limit in failure.limits]
        changed += [remedy.parameter for remedy in failure.remedies]
        named = ", ".join(dict.fromkeys(changed))
        _say(console, f"study:  a search of {named} tries this configuration once more, changed so")
    if "engine.args." in failure.suggestion:
        _say(console, "engine.args.NAME is the server's own argument of that name")


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
