"""The reference page of errors: each class, what it means for a study, and the causes that logs show."""

from collections.abc import Iterator, Mapping

from llmopt_core.api.failures import failure_advice
from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.errors.classes import ErrorClass, RetryPolicy
from llmopt_core.errors.patterns import machine
from llmopt_core.errors.patterns.base import Pattern
from llmopt_core.errors.policies import POLICIES
from llmopt_core.resources.markdown import page, sentence, table

_CONSEQUENCES: Mapping[RetryPolicy, str] = {
    RetryPolicy.RETRY: "The trial is run again.",
    RetryPolicy.INFEASIBLE: "The configuration does not work here; the search avoids it and continues.",
    RetryPolicy.OUTAGE: "The trial is run again; where that fails in the same way, the study ends.",
    RetryPolicy.FATAL: "No configuration can work; the study ends.",
}


def errors_page() -> str:
    """Return the page of all classes of errors with their remedies, and of the causes that logs show."""
    return page(
        "Errors",
        "For somebody who has the class or the cause of an error, and wants to know what to do."
        " Each failure has one class. It is found in the whole log, the exit code, the signal and the"
        " kernel's counters."
        " `llmopt list --type errors` shows those of local studies, `status.errors` those of a resource.",
        "## Classes",
        table(("Class", "Meaning", "What happens", "What to do"), _class_rows()),
        "## Causes that logs show",
        "The suggestion of a failure has the trial's own numbers in place of the names in braces."
        " `llmopt explain LOG` prints it for the log of any server.",
        table(("Engine", "Cause", "Class", "What to do"), _cause_rows()),
    )


def _class_rows() -> Iterator[tuple[str, ...]]:
    for each in ErrorClass:
        meaning, action = failure_advice(each)
        yield f"`{each}`", sentence(meaning), _CONSEQUENCES[POLICIES[each]], sentence(action)


def _cause_rows() -> Iterator[tuple[str, ...]]:
    for source, patterns in _sources().items():
        for each in patterns:
            cause = each.name.replace("-", " ")
            yield source, cause, f"`{each.error_class}`", _escaped(sentence(each.suggestion))


def _sources() -> Mapping[str, tuple[Pattern, ...]]:
    """Return the patterns by whose log they are looked for in."""
    engines = {name: engine.logs.patterns for name, engine in sorted(BUILT_IN.items())}
    return {**engines, "any engine": machine.PATTERNS}


def _escaped(text: str) -> str:
    """Return `text` with what Markdown would take for HTML as it is."""
    return text.replace("<", "&lt;")
