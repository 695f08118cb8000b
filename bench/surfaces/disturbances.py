"""Times when the simulated machine is slower than when the surface was recorded."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from llmopt_core.search.configurations import Value
from surfaces.objective import Objective
from surfaces.recorded import Surface

# An early time begins before so many usual trials, and lasts so many.
_LATEST, _LENGTH = 8.0, 10.0
# A slow measurement is made at a share of the true speed between these.
_BURST, _SINGLE = (0.3, 0.6), (0.4, 0.4)
_SINGLE_SHARE = 0.1
# An engine parameter with more values is not tried value by value.
_FEW = 4


class DisturbanceKind(StrEnum):
    """Which measurements are slow: none, all of an early time, single ones, those of a value at that time."""

    NONE = "none"
    BURST = "burst"
    SINGLE = "single"
    VALUE = "value"


@dataclass(frozen=True)
class Disturbance:
    """What slows measurements of the run `seed`, the same for every strategy.

    It meets a `share` of the measurements that begin between `begins` and `ends` engine seconds with a
    configuration that has the values of `only`. `speeds` are the least and the highest share of the true
    speed.
    """

    seed: int = 0
    share: float = 0.0
    speeds: tuple[float, float] = _BURST
    begins: float = 0.0
    ends: float = math.inf
    only: Mapping[str, Value] = field(default_factory=dict)

    def speed(self, parameters: Mapping[str, Value], began: float, identity: str) -> float:
        """Return the share of the true speed of a measurement that begins after `began` engine seconds.

        `identity` names the measurement: the configuration, and how often it was measured before.
        """
        if not self.begins <= began < self.ends or not self.only.items() <= parameters.items():
            return 1.0
        chance = _chance(self.seed, identity)
        return float(chance.uniform(*self.speeds)) if chance.random() < self.share else 1.0


def disturbance_of(
    kind: DisturbanceKind, surface: Surface, objective: Objective, trial_seconds: float, seed: int
) -> Disturbance:
    """Return what disturbs the run `seed` on `surface`, where a usual trial takes `trial_seconds`."""
    if kind is DisturbanceKind.NONE:
        return Disturbance()
    if kind is DisturbanceKind.SINGLE:
        return Disturbance(seed, _SINGLE_SHARE, _SINGLE)
    begins = trial_seconds * float(_chance(seed, kind).uniform(0.0, _LATEST))
    only = important_value(surface, objective) if kind is DisturbanceKind.VALUE else {}
    return Disturbance(seed, 1.0, _BURST, begins, begins + trial_seconds * _LENGTH, only)


def important_value(surface: Surface, objective: Objective) -> Mapping[str, Value]:
    """Return the best row's value of the engine parameter of few values where another value costs most.

    Empty where there is no such parameter.
    """
    rows = [row for row in surface.rows if row.works and objective.feasible(row.metrics)]
    best = max(rows, key=lambda row: objective.utility(row.metrics)).parameters
    without: dict[str, float] = {}
    for name in sorted(surface.problem.engine_parameters & best.keys()):
        others = [row for row in rows if row.parameters.get(name, best[name]) != best[name]]
        if others and len({row.parameters.get(name) for row in rows}) <= _FEW:
            without[name] = max(objective.utility(row.metrics) for row in others)
    return {name: best[name] for name in sorted(without, key=lambda name: without[name])[:1]}


def slowed(metrics: Mapping[str, float], speed: float) -> dict[str, float]:
    """Return what is measured of `metrics` at this share of the speed: rates fall, times grow."""
    return {name: value * _factor(name, speed) for name, value in metrics.items()}


def _factor(metric: str, speed: float) -> float:
    if "_per_second" in metric:
        return speed
    return 1.0 / speed if "_ms" in metric else 1.0


def _chance(seed: int, text: str) -> np.random.Generator:
    digest = hashlib.sha256(json.dumps(["disturbance", seed, text]).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))
