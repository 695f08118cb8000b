"""Log lines as programs read them."""

import json
import logging
from collections.abc import Iterator

import pytest

from llmopt_operator.logs import set_up_logging


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    root, kopf = logging.getLogger(), logging.getLogger("kopf")
    before = (root.handlers[:], root.level, kopf.level)
    yield
    root.handlers[:], root.level, kopf.level = before


def test_what_kopf_tries_again_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """Other errors of kopf, and those of others who speak like it, stay what they are."""
    set_up_logging(debug=False, json=True)
    logging.getLogger("kopf.api").error("Request attempt #1/9 failed; will retry: GET /apis -> 429")
    logging.getLogger("kopf.api").error("Request attempt #9/9 failed; escalating: GET /apis -> 429")
    logging.getLogger("llmopt_operator").error("it failed; will retry: never")
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["level"] for line in said] == ["WARNING", "ERROR", "ERROR"]


def test_what_is_said_of_a_resource_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The resource is a field of its own, beside time, level, logger and message."""
    set_up_logging(debug=False, json=True)
    logging.getLogger("llmopt_operator").info("it began", extra={"resource": "LLMOptimization a/b"})
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert line["resource"] == "LLMOptimization a/b"
    assert {"time", "level", "logger", "message"} <= line.keys()
