"""Which measurements are made again, and what a failed start is."""

import pytest
from recording.journals import Measurement
from recording.measuring import MOST_ATTEMPTS, MOST_REPEATED, is_measured_again, start_failed, state_of

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind

FAILURE = Failure(ErrorClass.REQUESTS_FAILED, "3 of 6 requests failed", "read the log")


@pytest.mark.parametrize(
    ("disturbed", "attempts", "repeated", "again"),
    [
        (False, 1, 0, False),
        (True, 1, 0, True),
        (True, MOST_ATTEMPTS - 1, 0, True),
        (True, MOST_ATTEMPTS, 0, False),
        (True, 1, MOST_REPEATED - 1, True),
        (True, 1, MOST_REPEATED, False),
    ],
)
def test_what_was_disturbed_is_measured_again(
    *, disturbed: bool, attempts: int, repeated: int, again: bool
) -> None:
    """Not more than a few times at once, and in a recording: a machine may never be quiet."""
    measured = Measurement(0, 0, 0, "ok", seconds=1.0, disturbed=disturbed)
    assert is_measured_again(measured, attempts, repeated) is again


@pytest.mark.parametrize(
    ("failure", "seconds", "failed"),
    [
        (FAILURE, {"framework": 0.1, "load": 3.0}, True),
        (FAILURE, {"framework": 0.1, "load": 3.0, "warmup": 1.0}, False),  # it served, then failed
        (FAILURE, {"framework": 0.1}, False),  # refused without a start
        (None, {"load": 3.0, "warmup": 1.0, "measure": 2.0}, False),
    ],
)
def test_a_failed_start_is_distinguished_from_a_failed_measurement(
    failure: Failure | None, seconds: dict[str, float], *, failed: bool
) -> None:
    """After a failed start nothing else of that engine can be measured."""
    kind = OutcomeKind.MEASURED if failure is None else OutcomeKind.FAILED
    outcome = Outcome(kind, Configuration.from_flat({}), seconds=seconds, failure=failure)
    assert start_failed(outcome) is failed
    assert state_of(outcome) == ("ok" if failure is None else "failed")
