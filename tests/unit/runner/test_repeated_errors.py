"""What is logged of steps that are tried again and again."""

import logging

from llmopt_runner.repeated_errors import RepeatedErrors


def test_an_error_is_logged_once_until_it_changes_or_passes(caplog):
    """The same error of the same step is one line; after a success it is another."""
    errors = RepeatedErrors(logging.getLogger("steps"))
    for error in (OSError("a"), OSError("a"), OSError("b")):
        errors.note("a look", error)
    errors.note("a weighing", OSError("a"))
    errors.passed("a look")
    errors.note("a look", OSError("b"))
    assert [record.message for record in caplog.records] == [
        "a look failed, it is tried again: OSError: a",
        "a look failed, it is tried again: OSError: b",
        "a weighing failed, it is tried again: OSError: a",
        "a look failed, it is tried again: OSError: b",
    ]
