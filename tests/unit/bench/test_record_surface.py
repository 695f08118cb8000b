"""The recording program: what is left to measure, and what is said without a name."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import record_surface
import search_efficiency
from record_surface import left_of
from recording.journals import Measurement
from recording.plans import Start
from surfaces.running import Prepared

START = Start(repeat=1, engine=4, requests=(2, 0, 1))


def _measured(request: int, *, repeat: int = 1, disturbed: bool = False) -> Measurement:
    return Measurement(repeat, 4, request, "ok", seconds=1.0, disturbed=disturbed)


def test_what_was_measured_is_not_left() -> None:
    """The order of the start is kept; another repeat counts for nothing."""
    assert left_of(START, [_measured(0), _measured(1, repeat=0)]) == [2, 1]


def test_what_was_disturbed_is_left_a_few_times() -> None:
    """Also after a kill; then the last measurement is taken as it is."""
    once = [_measured(0, disturbed=True)]
    assert left_of(START, once) == [2, 0, 1]
    assert left_of(START, [*once, _measured(0)]) == [2, 1]
    assert left_of(START, 3 * once) == [2, 1]


def test_a_failed_start_fails_all_that_was_to_be_asked(tmp_path: Path) -> None:
    """One start that failed is not tried again for every request configuration."""
    journal = record_surface.Journal(tmp_path / "one.jsonl", {})
    failed = replace(_measured(0), state="infeasible", served=False, start_seconds=7.0)
    record_surface.fail_others(failed, [2, 0, 1], journal)
    (shown,) = journal.measurements()
    assert (shown.request, shown.state, shown.start_seconds) == (1, "infeasible", None)


def test_without_a_name_nothing_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program says what can be measured and what is there."""
    monkeypatch.setattr(sys, "argv", ["record_surface.py"])
    assert record_surface.main() == 0
    shown = capsys.readouterr().out
    assert "can be measured: llamacpp\n" in shown
    assert "can be measured: transformers\n" in shown


@pytest.mark.parametrize("name", ["llamacpp-smollm2-one-core", "transformers-smollm2-one-core"])
def test_a_recorded_surface_has_what_a_comparison_needs(name: str) -> None:
    """At least 200 configurations, each start timed, noise from repeats, and something that can be won."""
    prepared = Prepared.of(record_surface.RECORDED / name)
    surface = prepared.answers.surface
    assert len(surface.rows) >= 200
    assert surface.records_starts
    assert all(row.start_seconds is not None for row in surface.rows if row.works)
    objective = surface.problem.objectives[0].metric
    assert sum(objective in row.noise for row in surface.rows) > len(surface.rows) / 2
    (case,) = prepared.cases()
    assert case.start_factor is None


def test_the_comparison_takes_recorded_surfaces_by_itself() -> None:
    """Without folders it uses those that lie beside it."""
    assert search_efficiency.RECORDED == record_surface.RECORDED
