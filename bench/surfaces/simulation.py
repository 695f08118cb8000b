"""The run of one strategy: the simulated engine, its noise, and what each trial cost."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llmopt_core.search.configurations import Value
from surfaces.answers import Answer, Answers
from surfaces.disturbances import Disturbance, slowed
from surfaces.objective import Objective, relative_regret
from surfaces.rivals import Measurement, Rival


@dataclass(frozen=True)
class Case:
    """One surface with its start times.

    `start_factor` is how many usual measurements a start takes where the surface recorded no start times.
    `best` is the highest feasible utility.
    """

    surface: str
    start_factor: float | None
    start_seconds: float
    seconds: float
    best: float
    rows: int

    @property
    def trial_seconds(self) -> float:
        """Return the engine seconds of a usual trial with a start of its own."""
        return self.start_seconds + self.seconds


@dataclass(frozen=True)
class Step:
    """One trial.

    `start_seconds` is what a start takes (None: not recorded), `changed` whether the configuration needs
    another engine than the one that is running. `regret` is the true one of this configuration, relative to
    the best and None where it breaks a constraint or does not work; `seen` the measured utility, None where
    it was not measured as feasible.
    """

    works: bool
    changed: bool
    seconds: float
    start_seconds: float | None
    regret: float | None
    seen: float | None


class Simulation:
    """Engine and clock of one run.

    The noise of a measurement depends on the seed, the configuration and how often it was measured, so that
    all strategies see the same. `disturbance` says when the machine is slow.
    """

    def __init__(
        self,
        answers: Answers,
        objective: Objective,
        case: Case,
        seed: int,
        disturbance: Disturbance | None = None,
    ) -> None:
        self._answers = answers
        self._objective = objective
        self._case = case
        self._seed = seed
        self._disturbance = disturbance or Disturbance()
        self._running: dict[str, Value] | None = None
        self._measured: Counter[str] = Counter()

    def run(self, rival: Rival, trials: int, enough: float, budget: float = math.inf) -> list[Step]:
        """Return the steps of at most `trials` trials.

        It ends when the rival proposes nothing more, once the best measured configuration is truly within
        `enough` of the best, or after `budget` engine seconds of a clock that counts a start where another
        engine was running.
        """
        steps: list[Step] = []
        seconds, best_seen = 0.0, -math.inf
        while len(steps) < trials and seconds <= budget:
            if (parameters := rival.propose(self._running)) is None:
                break
            measurement, step = self._measure(parameters, seconds)
            rival.observe(measurement)
            steps.append(step)
            seconds += measurement.seconds + (measurement.start_seconds or 0.0)
            if step.seen is not None and step.seen > best_seen:
                best_seen = step.seen
                if step.regret is not None and step.regret <= enough:
                    break
        return steps

    def _measure(self, parameters: Mapping[str, Value], began: float) -> tuple[Measurement, Step]:
        answer = self._answers.answer(parameters)
        identity = self._identity(parameters)
        speed = self._disturbance.speed(parameters, began, identity)
        engine = {name: parameters[name] for name in parameters if name in self._engine_parameters}
        changed = engine != self._running
        self._running = engine if answer.works else None
        start = self._case.start_seconds if answer.start_seconds is None else answer.start_seconds
        metrics = slowed(self._noisy(identity, answer), speed)
        feasible = answer.works and self._objective.feasible(metrics)
        measurement = Measurement(
            parameters=parameters,
            works=answer.works,
            metrics=metrics,
            standard_errors=slowed({name: answer.deviations[name] for name in answer.known}, speed),
            utility=self._objective.utility(metrics) if answer.works else None,
            violations=self._objective.violations(metrics) if answer.works else (),
            seconds=answer.seconds / speed,
            start_seconds=start if changed else None,
        )
        step = Step(
            works=answer.works,
            changed=changed,
            seconds=answer.seconds / speed,
            start_seconds=answer.start_seconds,
            regret=self._regret(answer),
            seen=measurement.utility if feasible else None,
        )
        return measurement, step

    @property
    def _engine_parameters(self) -> frozenset[str]:
        return self._answers.surface.problem.engine_parameters

    def _identity(self, parameters: Mapping[str, Value]) -> str:
        """Name a measurement by its configuration and how often that was measured before."""
        configuration = json.dumps(parameters, sort_keys=True)
        count = self._measured[configuration]
        self._measured[configuration] += 1
        return f"{count}/{configuration}"

    def _noisy(self, identity: str, answer: Answer) -> dict[str, float]:
        digest = hashlib.sha256(f"{self._seed}/{identity}".encode()).digest()
        chance = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        return {
            name: float(value + answer.deviations.get(name, 0.0) * chance.standard_normal())
            for name, value in sorted(answer.metrics.items())
        }

    def _regret(self, answer: Answer) -> float | None:
        if not answer.works or not self._objective.feasible(answer.metrics):
            return None
        return relative_regret(self._objective.utility(answer.metrics), self._case.best)
