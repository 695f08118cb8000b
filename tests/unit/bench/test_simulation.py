"""The run of a strategy on a surface made by hand: what each trial costs, and what the strategy learns."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from fakes.recorded_surfaces import write_surface
from surfaces.figures import replay, run_figures
from surfaces.recorded import load_surface
from surfaces.rivals import Measurement, Rival
from surfaces.running import Prepared, tasks
from surfaces.simulation import Simulation, Step

from llmopt_core.search.configurations import Value


def _point(slots: int, cache: str, load: int) -> Mapping[str, Value]:
    return {"engine.slots": slots, "engine.cache": cache, "sampling.load": load}


class _Script(Rival):
    """Proposes what it is given."""

    def __init__(self, points: Sequence[Mapping[str, Value]]) -> None:
        self._points = iter(points)
        self.running: list[Mapping[str, Value] | None] = []
        self.seen: list[Measurement] = []

    def propose(self, running_engine: Mapping[str, Value] | None) -> Mapping[str, Value] | None:
        self.running.append(running_engine)
        return next(self._points, None)

    def observe(self, measurement: Measurement) -> None:
        self.seen.append(measurement)


POINTS = (
    _point(1, "f16", 4),  # 30 s start, 10 s: 100
    _point(1, "f16", 8),  # the same engine, 10 s: 150
    _point(2, "q8", 4),  # 50 s start, fails
    _point(2, "q8", 8),  # 40 s start, 10 s: breaks the constraint
    _point(2, "f16", 4),  # 40 s start, 10 s: 180
    _point(2, "f16", 8),  # the same engine, 10 s: 200, the best
    _point(1, "f16", 8),
)


def _run(folder: Path, rival: Rival, *, seed: int = 0, enough: float = 0.0) -> tuple[Prepared, list[Step]]:
    prepared = Prepared.of(write_surface(folder))
    simulation = Simulation(prepared.answers, prepared.objective, prepared.case(None), seed)
    return prepared, simulation.run(rival, 100, enough)


def test_a_start_is_paid_when_the_engine_changes_and_when_it_fails(tmp_path: Path) -> None:
    """After a failed start no engine runs, so the next trial starts one."""
    prepared, steps = _run(tmp_path, _Script(POINTS))
    moments = replay(prepared.case(None), steps, start_each=False)
    assert [each.seconds for each in moments] == [40, 50, 100, 150, 200, 210]
    each = replay(prepared.case(None), steps, start_each=True)
    assert [moment.seconds for moment in each] == [40, 80, 130, 180, 230, 280]


def test_a_run_ends_at_the_best(tmp_path: Path) -> None:
    """What the strategy would propose after it is not measured."""
    rival = _Script(POINTS)
    _, steps = _run(tmp_path, rival)
    assert len(steps) == len(rival.seen) == 6


def test_the_regret_is_that_of_the_best_feasible_configuration(tmp_path: Path) -> None:
    """A failure and a broken constraint leave it as it was."""
    prepared, steps = _run(tmp_path, _Script(POINTS))
    regrets = [each.regret for each in replay(prepared.case(None), steps, start_each=False)]
    assert regrets == pytest.approx([0.5, 0.25, 0.25, 0.25, 0.1, 0.0])


def test_a_strategy_learns_what_a_user_would_see(tmp_path: Path) -> None:
    """Measured values with recorded errors, by how much a constraint is broken, and starts that were paid."""
    rival = _Script(POINTS)
    _run(tmp_path, rival)
    first, same_engine, failed, broken = rival.seen[:4]
    assert first.standard_errors == {"speed": 1.0}
    assert (first.start_seconds, same_engine.start_seconds) == (30.0, None)
    assert (failed.works, failed.utility, failed.start_seconds) == (False, None, 50.0)
    assert (broken.works, broken.violations) == (True, (10.0,))
    assert rival.running[:4] == [
        None,
        {"engine.slots": 1, "engine.cache": "f16"},
        {"engine.slots": 1, "engine.cache": "f16"},
        None,
    ]


def test_noise_is_common_to_all_strategies(tmp_path: Path) -> None:
    """It depends on the seed, the configuration and how often it was measured, not on what came before."""
    noisy = POINTS[0]
    once, later, other = _Script([noisy, noisy]), _Script([POINTS[1], noisy]), _Script([noisy])
    _run(tmp_path, once)
    _run(tmp_path, later)
    _run(tmp_path, other, seed=1)
    assert once.seen[0].metrics == later.seen[1].metrics
    assert once.seen[0].metrics != once.seen[1].metrics
    assert once.seen[0].metrics != other.seen[0].metrics
    assert once.seen[0].metrics["delay"] == 10.0


def test_the_figures_of_a_run_are_those_that_a_hand_counts(tmp_path: Path) -> None:
    """Within the budget; what comes after it does not count."""
    prepared, steps = _run(tmp_path, _Script(POINTS))
    case = prepared.case(None)
    whole = run_figures(case, steps, 400.0, start_each=False)
    assert (whole.near_seconds, whole.trials_to_best) == (210.0, 6)
    assert (whole.trials, whole.starts, whole.failed_starts, whole.broken_constraints) == (6, 4, 1, 1)
    # at 20, 40, 100, 200 and 400 seconds
    assert whole.regrets == pytest.approx((float("inf"), 0.5, 0.25, 0.1, 0.0))
    short = run_figures(case, steps, 205.0, start_each=False)
    assert (short.near_seconds, short.spent_seconds, short.trials) == (float("inf"), 200.0, 5)


def test_start_times_are_varied_where_none_was_recorded(tmp_path: Path) -> None:
    """Strategies that keep an engine run once for each, others once; all with the same seeds."""
    without = Prepared.of(write_surface(tmp_path, start_seconds=None))
    assert [case.start_seconds for case in without.cases()] == [1.0, 10.0, 50.0]
    made = tasks([without], ["random", "tpe-grouped"], seeds=2, budget=5)
    assert [(each.rival, each.factor, each.seed) for each in made if each.rival == "random"] == [
        ("random", 5.0, 0),
        ("random", 5.0, 1),
    ]
    assert sorted({each.factor or 0 for each in made if each.rival == "tpe-grouped"}) == [0.1, 1.0, 5.0]


def test_recorded_start_times_are_used(tmp_path: Path) -> None:
    """Such a surface is one case, with the median start."""
    recorded = Prepared.of(write_surface(tmp_path))
    assert [(case.start_factor, case.start_seconds) for case in recorded.cases()] == [(None, 40.0)]
    assert load_surface(tmp_path).records_starts


def test_a_run_ends_with_its_budget(tmp_path: Path) -> None:
    """The trial that passes it is the last."""
    prepared = Prepared.of(write_surface(tmp_path))
    simulation = Simulation(prepared.answers, prepared.objective, prepared.case(None), 0)
    assert len(simulation.run(_Script(POINTS), 100, 0.0, budget=99.0)) == 3
