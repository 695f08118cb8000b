"""When the simulated machine is slow, and what a strategy then measures."""

from pathlib import Path

import pytest
from fakes.recorded_surfaces import TRIALS, write_surface
from surfaces.disturbances import (
    Disturbance,
    DisturbanceKind,
    disturbance_of,
    important_value,
    slowed,
)
from surfaces.rivals import Measurement, Rival
from surfaces.running import Prepared
from surfaces.simulation import Simulation

F16 = {"engine.slots": 2, "engine.cache": "f16", "sampling.load": 8}
Q8 = {"engine.slots": 2, "engine.cache": "q8", "sampling.load": 8}


class _Repeated(Rival):
    """Measures one configuration again and again."""

    def __init__(self, times: int) -> None:
        self._left = times
        self.seen: list[Measurement] = []

    def propose(self, _: object) -> dict[str, int | str] | None:
        self._left -= 1
        return dict(F16) if self._left >= 0 else None

    def observe(self, measurement: Measurement) -> None:
        self.seen.append(measurement)


def _rates(folder: Path) -> Prepared:
    """A surface whose objective is a rate: its constraint, a time, is kept by all."""
    return Prepared.of(
        write_surface(
            folder,
            trials=TRIALS.replace("speed", "tokens_per_second").replace("delay", "ttft_ms"),
            objectives=[{"metric": "tokens_per_second", "goal": "maximize", "weight": "1"}],
            constraints=[{"metric": "ttft_ms", "max": 1000}],
        )
    )


def test_measurements_of_a_slow_time_are_slow_and_take_longer(tmp_path: Path) -> None:
    """Rates fall and times grow by the same factor within the time, and nothing changes outside it."""
    prepared = _rates(tmp_path)
    disturbance = Disturbance(share=1.0, speeds=(0.5, 0.5), begins=45.0, ends=60.0)
    rival = _Repeated(4)
    case = prepared.case(None)
    Simulation(prepared.answers, prepared.objective, case, 0, disturbance).run(rival, 4, -1.0)
    # They begin after 0, 50, 70 and 80 seconds.
    assert [each.seconds for each in rival.seen] == [10.0, 20.0, 10.0, 10.0]
    assert [each.metrics["tokens_per_second"] for each in rival.seen] == [200.0, 100.0, 200.0, 200.0]
    assert [each.metrics["ttft_ms"] for each in rival.seen] == [15.0, 30.0, 15.0, 15.0]


def test_only_the_values_that_are_named_are_slow() -> None:
    """A slow core is felt by the engines that use it."""
    disturbance = Disturbance(share=1.0, speeds=(0.5, 0.5), only={"engine.cache": "q8"})
    assert disturbance.speed(Q8, 0.0, "") == 0.5
    assert disturbance.speed(F16, 0.0, "") == 1.0


def test_single_measurements_are_slow_at_random(tmp_path: Path) -> None:
    """About a tenth of them, at 0.4 of the speed, the same for every strategy of a seed."""
    prepared = _rates(tmp_path)
    made = [
        disturbance_of(DisturbanceKind.SINGLE, prepared.answers.surface, prepared.objective, 50.0, seed)
        for seed in (0, 0, 1)
    ]
    speeds = [[each.speed(F16, 0.0, str(count)) for count in range(1000)] for each in made]
    assert set(speeds[0]) == {0.4, 1.0}
    assert 70 <= speeds[0].count(0.4) <= 130
    assert speeds[0] == speeds[1]
    assert speeds[0] != speeds[2]


@pytest.mark.parametrize("kind", [DisturbanceKind.BURST, DisturbanceKind.VALUE])
def test_a_slow_time_is_early_and_lasts_ten_usual_trials(tmp_path: Path, kind: DisturbanceKind) -> None:
    """It begins within the first eight."""
    prepared = _rates(tmp_path)
    for seed in range(20):
        made = disturbance_of(kind, prepared.answers.surface, prepared.objective, 50.0, seed)
        assert 0.0 <= made.begins <= 400.0
        assert made.ends - made.begins == pytest.approx(500.0)
        assert 0.3 <= made.speed(Q8, made.begins, "") <= 0.6
        assert made.speed(Q8, made.ends, "") == 1.0


def test_the_important_value_is_the_one_that_is_missed_most(tmp_path: Path) -> None:
    """The best row has two slots and q8: without q8 200 is the most, without two slots 150."""
    prepared = _rates(tmp_path)
    assert important_value(prepared.answers.surface, prepared.objective) == {"engine.slots": 2}


def test_what_is_no_rate_and_no_time_is_not_slowed() -> None:
    """The accuracy of an engine does not depend on its speed."""
    metrics = {"accuracy": 0.5, "good_answers_per_second": 4.0, "e2e_ms_p95": 10.0}
    assert slowed(metrics, 0.5) == {"accuracy": 0.5, "good_answers_per_second": 2.0, "e2e_ms_p95": 20.0}
