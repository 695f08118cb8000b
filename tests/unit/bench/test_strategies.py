"""The strategies that need no more than the tests have, on a surface made by hand."""

from pathlib import Path

import pytest
from fakes.recorded_surfaces import write_surface
from surfaces.optuna_rivals import GroupedTpe
from surfaces.rivals import Setting
from surfaces.running import Prepared
from surfaces.simulation import Simulation, Step
from surfaces.strategies import KINDS


def _steps(folder: Path, name: str, seed: int, factor: float | None = None) -> list[Step]:
    prepared = Prepared.of(folder)
    rival = KINDS[name].make(Setting(prepared.answers.surface.problem, seed, 30))
    return Simulation(prepared.answers, prepared.objective, prepared.case(factor), seed).run(rival, 30, 0.0)


@pytest.mark.parametrize("name", ["random", "tpe", "tpe-grouped", "nsga2", "grid"])
def test_each_finds_the_best_of_eight_configurations(tmp_path: Path, name: str) -> None:
    """And does the same again with the same seed."""
    write_surface(tmp_path)
    steps = _steps(tmp_path, name, 3)
    assert steps[-1].regret == 0.0
    assert _steps(tmp_path, name, 3) == steps


def test_the_grid_measures_an_engine_through_and_none_twice(tmp_path: Path) -> None:
    """It leaves an engine that does not start."""
    write_surface(tmp_path, constraints=[], complete=False, start_seconds=None)
    steps = _steps(tmp_path, "grid", 1, 1.0)
    assert all(step.changed == (at % 2 == 0) for at, step in enumerate(steps))


def test_grouping_keeps_the_engine_while_starts_are_long(tmp_path: Path) -> None:
    """Of starts that take five measurements, fewer are made than trials."""
    write_surface(tmp_path, complete=False, start_seconds=None)
    starts = [
        sum(step.changed for step in _steps(tmp_path, "tpe-grouped", seed, factor))
        for factor in (0.1, 5.0)
        for seed in range(5)
    ]
    assert sum(starts[5:]) <= sum(starts[:5])


def test_grouping_measures_no_configuration_twice(tmp_path: Path) -> None:
    """A known result costs nothing; it ends when all is known."""
    write_surface(tmp_path)
    prepared = Prepared.of(tmp_path)
    rival = GroupedTpe(Setting(prepared.answers.surface.problem, 0, 30))
    steps = Simulation(prepared.answers, prepared.objective, prepared.case(None), 0).run(rival, 100, -1.0)
    assert len(steps) <= 8
