"""Which changes of a status are worth a write."""

import pytest

from llmopt_operator.domain.status_writes import REFRESH_SECONDS, is_worth_a_write

BEFORE = {
    "phase": "Running",
    "progress": {"finished": 1, "elapsedSeconds": 5, "etaSeconds": 90, "eta": "1m30s"},
}
LATER = {"elapsedSeconds": 6, "etaSeconds": 89, "eta": "1m29s"}


@pytest.mark.parametrize(
    ("progress", "since_seconds", "written"),
    [
        (LATER, 1.0, False),
        (LATER, REFRESH_SECONDS, True),
        ({"finished": 2, **LATER}, 1.0, True),
        ({}, REFRESH_SECONDS, False),
    ],
)
def test_time_that_passes_is_written_along_with_something_else(progress, since_seconds, written):
    """The time left is no news by itself, neither as a number nor as text."""
    wanted = {**BEFORE, "progress": {**BEFORE["progress"], **progress}}
    assert is_worth_a_write(BEFORE, wanted, since_seconds=since_seconds) is written
