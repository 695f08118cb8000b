"""The reference pages of the public names: conditions with their reasons, events, and exit codes."""

from collections.abc import Iterable, Iterator

from llmopt_core.api.conditions import ConditionType
from llmopt_core.api.exit_codes import Exit, OperatorExit, RunnerExit
from llmopt_core.api.explained import Explanation, Place, Recovery
from llmopt_core.api.explanations import explanation
from llmopt_core.api.reasons import ConditionReason, Reason
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.resources.markdown import page, sentence, table

_REASONS: tuple[ConditionReason, ...] = (*Reason, *ErrorClass)
_CODES: tuple[tuple[str, Iterable[Exit | RunnerExit | OperatorExit]], ...] = (
    ("llmopt", Exit),
    ("llmopt-runner", RunnerExit),
    ("llmopt-operator", OperatorExit),
)


def conditions_page() -> str:
    """Return the page of all conditions and events, with what to do about each reason."""
    return page(
        "Conditions and events",
        "For everybody who sees a reason in a status or an event and wants to know what to do."
        " Programs read `status.conditions`; `status.phase` is for people. A study that failed because of an"
        " error has the class of the error as its reason; `status.errors` has the message and a suggestion"
        " with the numbers of the trial.",
        *(section for type_ in ConditionType for section in _condition(type_)),
        "## Events",
        table(("Reason", "Meaning", "What to do"), _event_rows()),
    )


def exit_codes_page() -> str:
    """Return the page of the programs' exit codes."""
    return page(
        "Exit codes",
        "For scripts: with which code each program ends, and what that means.",
        *(
            part
            for program, codes in _CODES
            for part in (
                f"## {program}",
                table(("Code", "Name", "Meaning"), ((str(c.value), c.name, c.meaning) for c in codes)),
            )
        ),
    )


def _condition(type_: ConditionType) -> tuple[str, str]:
    header = ("Status", "Reason", "Meaning", "What to do", "Recovers")
    return f"## {type_}", table(header, _condition_rows(type_))


def _condition_rows(type_: ConditionType) -> Iterator[tuple[str, ...]]:
    for status in (True, False):
        for reason, found in _at(Place(type_, status=status)):
            recovery = "" if found.recovery is Recovery.NOT_NEEDED else found.recovery.value
            yield str(status), f"`{reason}`", sentence(found.meaning), sentence(found.action), recovery


def _event_rows() -> Iterator[tuple[str, ...]]:
    for reason, found in _at(Place()):
        yield f"`{reason}`", sentence(found.meaning), sentence(found.action)


def _at(place: Place) -> Iterator[tuple[ConditionReason, Explanation]]:
    for reason in _REASONS:
        if place in (found := explanation(reason)).places:
            yield reason, found
