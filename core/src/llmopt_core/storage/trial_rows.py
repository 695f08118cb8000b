"""One row of a trial, read and checked: what it holds was written by another program, perhaps not by ours."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.access import Access
from llmopt_core.storage.documents import ASSIGNMENTS, ENDINGS, MALFORMED, Assignment, Ending, described, load
from llmopt_core.storage.errors import OutcomeInvalid, StudyUnreadable
from llmopt_core.storage.outcomes import check_outcome
from llmopt_core.storage.records import Outcome, OutcomeKind, Phase, StudyDefinition, TrialRecord
from llmopt_core.storage.tables import TrialState

# What of an engine's facts a result repeats.
SHOWN_FACTS = ("serve_command", "serve_arguments", "request_fields")
_STATES: Mapping[str, Literal["waiting", "running", "finished"]] = {
    TrialState.WAITING.name: "waiting",
    TrialState.RUNNING.name: "running",
    TrialState.COMPLETE.name: "finished",
    TrialState.PRUNED.name: "finished",
    TrialState.FAIL.name: "finished",
}


def read_trial(
    row: Any, definition: StudyDefinition, access: Access
) -> tuple[Assignment, Ending | None, TrialRecord]:
    """Return what `row` holds; raises StudyUnreadable where it is not what llmopt writes."""
    try:
        return _read(row, definition, access)
    except OutcomeInvalid as error:
        raise StudyUnreadable(str(error)) from None
    except MALFORMED as error:
        raise StudyUnreadable(f"the row of trial {row.number}: {described(error)}") from None


def unreadable_trial(number: int, reason: str) -> tuple[Assignment, Ending, TrialRecord]:
    """Return what stands for trial `number`, whose row cannot be read: a failed trial of the search."""
    failure = Failure(
        ErrorClass.UNKNOWN,
        reason,
        "find out which program wrote to the study's database; the trial is left out",
    )
    assignment, ending = (
        Assignment(Phase.SEARCH),
        Ending(Outcome(OutcomeKind.FAILED, Configuration(), failure=failure)),
    )
    record = TrialRecord(number, Phase.SEARCH, "finished", {}, None, ending.outcome, None, None)
    return assignment, ending, record


def _read(
    row: Any, definition: StudyDefinition, access: Access
) -> tuple[Assignment, Ending | None, TrialRecord]:
    name = f"trial {row.number}"
    given = f"{name}'s assignment"
    assignment = load(ASSIGNMENTS, _document(row.assignment, row.assignment_bytes, given), given)
    ending = None
    if row.ending_bytes is not None:
        text = _document(row.ending, row.ending_bytes, f"{name}'s ending")
        ending = load(ENDINGS, text, f"{name}'s ending")
        check_outcome(row.number, ending.outcome, definition)
    state = _STATES[row.state]
    if (state == "finished") != (ending is not None):
        raise StudyUnreadable(f"{name} is {row.state} {'with' if ending else 'without'} an ending")
    if ending is not None and not access.search_details:
        assignment, ending = _for_readers(assignment, ending)
    record = TrialRecord(
        number=row.number,
        phase=assignment.phase,
        state=state,
        parameters=assignment.parameters,
        runner=assignment.runner,
        outcome=None if ending is None else ending.outcome,
        started_at=_unix(row.datetime_start),
        finished_at=_unix(row.datetime_complete),
        candidate=assignment.candidate,
        repeat=assignment.repeat,
        repaired_from=assignment.repaired_from,
    )
    return assignment, ending, record


def _document(text: str | None, size: int | None, name: str) -> str:
    if size is None:
        raise StudyUnreadable(f"{name} is not there")
    if text is None:
        raise StudyUnreadable(f"{name} has {size} bytes, more than are read")
    return text


def _for_readers(assignment: Assignment, ending: Ending) -> tuple[Assignment, Ending]:
    """Drop what no reader uses: thousands of trials are kept, and each may hold thousands of samples."""
    outcome, failure = ending.outcome, ending.outcome.failure
    if failure is not None:  # what the engine named is for samplers
        failure = replace(failure, limits=(), remedies=())
    facts = {name: outcome.facts[name] for name in SHOWN_FACTS if name in outcome.facts}
    samples = outcome.samples if assignment.phase is Phase.CONFIRM else {}
    return replace(assignment, sampler={}), Ending(
        replace(outcome, facts=facts, samples=samples, failure=failure, items=None, answers=())
    )


def _unix(moment: datetime | None) -> float | None:
    """Return Unix seconds; Optuna stores UTC without saying so."""
    return None if moment is None else moment.replace(tzinfo=UTC).timestamp()
