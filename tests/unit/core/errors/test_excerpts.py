"""What engines really wrote when they failed, and what is made of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, classify

_EXCERPTS = Path(__file__).with_name("excerpts")


@dataclass(frozen=True)
class Case:
    """A log below excerpts/, how the engine ended, and what a person must be told."""

    file: str
    error_class: ErrorClass
    told: str
    exit_code: int | None = 1
    signal: int | None = None
    oom_killed: bool = False
    numbers: dict[str, Any] = field(default_factory=dict)


CASES: tuple[Case, ...] = ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_a_real_log_gets_its_class_and_its_numbers(case):
    """The class is found in the whole log, and the suggestion says what to do with the trial's numbers."""
    log = (_EXCERPTS / case.file).read_text()
    failure = classify(Evidence(log, case.exit_code, case.signal, case.oom_killed, case.numbers))
    assert failure.error_class is case.error_class
    assert case.told in failure.suggestion
    assert "{" not in failure.suggestion


def test_every_excerpt_is_judged():
    """No log lies here unread."""
    found = {str(path.relative_to(_EXCERPTS)) for path in _EXCERPTS.rglob("*.log")}
    assert found == {case.file for case in CASES}
