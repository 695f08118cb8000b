"""The line that says why an engine failed, where no pattern knows its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.engines.registry import all_patterns
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.errors.tracebacks import decisive_line

CONSEQUENCE = "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}"
PREFIX = "ERROR 01-01 00:00:00 [core.py:900] "


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            [f"(EngineCore pid=101) {PREFIX}ZeroDivisionError: division by zero"],
            "ZeroDivisionError: division by zero",
        ),
        (
            [
                f"(EngineCore pid=1) {PREFIX}RuntimeError: a worker failed",
                f"(Worker_TP1 pid=7) {PREFIX}some.module.OddError: the cause",
            ],
            "some.module.OddError: the cause",
        ),
        (
            ["Traceback (most recent call last):", "KeyError: 'first'", "", "ValueError: then this"],
            "KeyError: 'first'",
        ),
        (
            ["(EngineCore pid=1) WARNING 01-01 00:00:00 [a.py:1] ImportError: no flash", "the end"],
            "last line: the end",
        ),
        (["half way", ""], "last line: half way"),
    ],
)
def test_the_first_error_of_the_innermost_process_decides(lines, expected):
    """Processes around it only repeat that it failed, and warnings are no errors."""
    log = "\n".join(["loading", *lines, f"(APIServer pid=1) {CONSEQUENCE}", CONSEQUENCE])
    assert decisive_line(log) == expected


def test_an_empty_log_says_nothing():
    """Only consequences are as good as no log."""
    assert decisive_line("") == decisive_line(CONSEQUENCE) == "last line: it left no log"


def test_a_consequence_is_never_the_message():
    """`See root cause above` is said of nothing, not even where no cause was logged."""
    for log in (CONSEQUENCE, f"loading\n{CONSEQUENCE}", f"OddError: the cause\n{CONSEQUENCE}"):
        assert (
            "See root cause above"
            not in classify(Evidence(log, exit_code=1, patterns=all_patterns())).message
        )


@given(st.text(max_size=300))
def test_any_log_has_a_line_that_is_said(log):
    """Whatever an engine wrote, something is said of it."""
    assert decisive_line(log)
