"""Runs that are kept: a benchmark goes on where it ended."""

from pathlib import Path

import pytest
from fakes.recorded_surfaces import TRIALS, write_surface
from surfaces.disturbances import DisturbanceKind
from surfaces.run_file import RunFile
from surfaces.running import Prepared, Run, tasks
from surfaces.simulation import Step

STEPS = (
    Step(works=True, changed=True, seconds=10.0, start_seconds=None, regret=0.1, seen=5.5),
    Step(works=False, changed=True, seconds=0.0, start_seconds=3.0, regret=None, seen=None),
)


def test_a_kept_run_is_not_left_to_do(tmp_path: Path) -> None:
    """It comes back trial by trial; others are left."""
    folder = write_surface(tmp_path)
    todo = tasks([Prepared.of(folder)], ["random"], seeds=2, budget=5)
    RunFile(tmp_path / "runs.jsonl", [folder]).add(Run(todo[0], STEPS, 0.25))
    known, left = RunFile(tmp_path / "runs.jsonl", [folder]).split(todo)
    assert known == [Run(todo[0], STEPS, 0.25)]
    assert left == todo[1:]


@pytest.mark.parametrize("trials", [6, 5])
def test_another_budget_or_surface_is_another_run(tmp_path: Path, trials: int) -> None:
    """A surface is known by its content."""
    folder = write_surface(tmp_path)
    prepared = Prepared.of(folder)
    kept = RunFile(tmp_path / "runs.jsonl", [folder])
    kept.add(Run(tasks([prepared], ["random"], seeds=1, budget=5)[0], STEPS, 0.25))
    if trials == 5:
        write_surface(tmp_path, trials=TRIALS.replace("100,10", "101,10"))
    todo = tasks([prepared], ["random"], seeds=1, budget=trials)
    assert RunFile(tmp_path / "runs.jsonl", [folder]).split(todo) == ([], todo)


def test_a_run_on_a_slow_machine_is_another_run(tmp_path: Path) -> None:
    """The same seed, disturbed in another way."""
    folder = write_surface(tmp_path)
    prepared = Prepared.of(folder)
    kept = RunFile(tmp_path / "runs.jsonl", [folder])
    kept.add(Run(tasks([prepared], ["random"], 1, 5, DisturbanceKind.BURST)[0], STEPS, 0.25))
    read = RunFile(tmp_path / "runs.jsonl", [folder])
    for kind in DisturbanceKind:
        known, _ = read.split(tasks([prepared], ["random"], 1, 5, kind))
        assert bool(known) == (kind is DisturbanceKind.BURST)


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    """All is left to do."""
    folder = write_surface(tmp_path)
    todo = tasks([Prepared.of(folder)], ["grid"], seeds=1, budget=5)
    kept = RunFile(None, [folder])
    kept.add(Run(todo[0], STEPS, 0.25))
    assert kept.split(todo) == ([], todo)
