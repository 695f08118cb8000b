"""Study records made by hand, for tests of what reads them."""

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind, Phase, TrialRecord


def outcome(
    kind=OutcomeKind.MEASURED,
    *,
    metrics=None,
    samples=None,
    seconds=None,
    error=None,
    parameters=None,
    warnings=(),
):
    """Return an outcome; `error` is an ErrorClass, `parameters` by full name."""
    failure = Failure(error, "it failed", "fix it") if isinstance(error, ErrorClass) else None
    return Outcome(
        kind,
        Configuration.from_flat(parameters or {}),
        metrics=metrics or {},
        samples=samples or {},
        sample_metric="accuracy",
        seconds=seconds or {},
        failure=failure,
        warnings=warnings,
    )


def trial(
    number,
    ended=None,
    *,
    phase=Phase.SEARCH,
    candidate=None,
    repeat=None,
    parameters=None,
    repaired_from=None,
):
    """Return a finished trial, or a running one when `ended` is None."""
    return TrialRecord(
        number=number,
        phase=phase,
        state="running" if ended is None else "finished",
        parameters=parameters or {},
        runner="runner",
        outcome=ended,
        started_at=0.0,
        finished_at=None if ended is None else 1.0,
        candidate=candidate,
        repeat=repeat,
        repaired_from=repaired_from,
    )


def is_made_again(ended):
    """Say whether `ended` was given back because others, such as other tests, took the processors."""
    failure = None if ended is None else ended.failure
    return failure is not None and "it is measured again" in failure.message
