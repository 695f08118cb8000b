"""Measurements on disk: what a kill leaves, and what is read again."""

from pathlib import Path

import pytest
from recording.journals import Journal, JournalOfAnother, Measurement, latest

RECIPE = {"seed": 1}


def _measured(repeat: int, engine: int, request: int, **more: object) -> Measurement:
    fields = {"state": "ok", "seconds": 2.0, "metrics": {"accuracy": 0.5}, **more}
    return Measurement(repeat, engine, request, **fields)


def test_measurements_are_there_again(tmp_path: Path) -> None:
    """Another process reads what was written, in its order."""
    file = tmp_path / "deep" / "one.jsonl"
    first, second = _measured(0, 1, 2, start_seconds=3.5), _measured(0, 1, 0, disturbed=True)
    journal = Journal(file, RECIPE)
    journal.add(first)
    journal.add(second)
    assert Journal(file, RECIPE).measurements() == [first, second]


def test_a_line_that_was_cut_off_is_measured_again(tmp_path: Path) -> None:
    """A kill while writing costs that measurement only, and the next line is whole."""
    file = tmp_path / "one.jsonl"
    Journal(file, RECIPE).add(_measured(0, 0, 0))
    with file.open("a") as lines:
        lines.write('{"repeat": 0, "eng')
    journal = Journal(file, RECIPE)
    journal.add(_measured(0, 0, 1))
    assert [each.place for each in Journal(file, RECIPE).measurements()] == [(0, 0, 0), (0, 0, 1)]


def test_a_journal_of_another_recipe_is_refused(tmp_path: Path) -> None:
    """Measurements of two recipes are never mixed; the message names the file."""
    file = tmp_path / "one.jsonl"
    Journal(file, RECIPE).add(_measured(0, 0, 0))
    with pytest.raises(JournalOfAnother, match=str(file)):
        Journal(file, {"seed": 2})
    assert len(Journal(file, RECIPE).measurements()) == 1


def test_the_last_measurement_of_a_place_counts() -> None:
    """What was disturbed was made again."""
    first, again, other = _measured(0, 0, 0, disturbed=True), _measured(0, 0, 0), _measured(1, 0, 0)
    assert latest([first, other, again]) == [again, other]
