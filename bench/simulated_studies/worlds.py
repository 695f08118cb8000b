"""Simulated studies: a machine, engines and items whose truth is known, and what a study came to."""

import math
from dataclasses import dataclass, field

import numpy as np

from llmopt_core.analysis.blocks import ComparedMetric
from llmopt_core.metrics.catalog import find_metric

ACCURACY, SPEED, LATENCY, MEMORY = "accuracy", "requests_per_second", "ttft_ms_p95", "peak_memory_mib"
BASE = {SPEED: 4.0, LATENCY: 300.0, MEMORY: 2000.0}
CONFIGURATIONS = 12
ITEMS = 48
# The share of items on which a candidate's answer does not follow the baseline's.
FRESH = 0.3
# An answer that comes out differently when it is given again.
UNSTEADY = 0.03


@dataclass(frozen=True)
class Scenario:
    """A kind of study. `truth` of a configuration: differences for accuracy, logarithms of quotients else."""

    name: str
    metrics: tuple[str, ...]
    truth: tuple[dict[str, float], ...] = ()  # of the first configurations; all others change nothing
    start_spread: float = 0.01
    score_spread: float = 0.0  # of what a start adds to the share of right answers
    block_spread: float = 0.015
    drift: float = 0.0  # of the logarithm of speeds, a round
    disturbed: float = 0.0
    uneven: float = 1.0  # times the noise, of every second configuration
    start_seconds: float = 10.0
    block_seconds: float = 20.0
    repeats: int = 10
    forced: int = 0  # verify the best so many, however alike
    stops: bool = True  # else all rounds are measured
    shared: bool = False  # one engine serves all: configurations differ by what requests say

    def engine(self, configuration: int) -> str:
        """Return what names the engine of a configuration."""
        return "" if self.shared else str(configuration)

    def effect(self, configuration: int, metric: str) -> float:
        """Return the true effect of a configuration, of which the baseline is number -1."""
        if not 0 <= configuration < len(self.truth):
            return 0.0
        return self.truth[configuration].get(metric, 0.0)


@dataclass
class Measured:
    """What one study came to."""

    false_claim: bool = False
    verified: bool = False
    covered: int = 0
    intervals: int = 0
    held: bool = True  # the intervals of all looks hold the truth
    seconds: float = 0.0
    starts: int = 0
    rounds: int = 0
    finalists: int = 0


@dataclass
class World:
    """The machine, the engines and the items of one simulated study."""

    scenario: Scenario
    generator: np.random.Generator
    drifts: np.ndarray = field(init=False)
    baseline_answers: np.ndarray = field(init=False)
    answers: dict[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        most = self.scenario.repeats + 1
        steps = self.generator.normal(1.0, 1.0, most)  # on average downwards, and wandering
        self.drifts = -np.cumsum(steps) * self.scenario.drift
        self.baseline_answers = self.generator.random(ITEMS) < 0.5

    def steady_answers(self, configuration: int) -> np.ndarray:
        """Return which items a configuration answers rightly when nothing varies."""
        if configuration < 0:
            return self.baseline_answers
        if configuration not in self.answers:
            rate = 0.5 + self.scenario.effect(configuration, ACCURACY) / FRESH
            fresh = self.generator.random(ITEMS) < FRESH
            drawn = self.generator.random(ITEMS) < rate
            self.answers[configuration] = np.where(fresh, drawn, self.baseline_answers)
        return self.answers[configuration]

    def scores(self, configuration: int, shift: float) -> np.ndarray:
        """Return one score an item, as one repeat gives them; `shift` is the start's."""
        steady = self.steady_answers(configuration).astype(float)
        answers = np.abs(steady - (self.generator.random(ITEMS) < UNSTEADY))
        turned = self.generator.random(ITEMS) < 2 * abs(shift)  # half of the answers can turn this way
        return np.where(turned, float(shift > 0), answers)

    def noise(self, configuration: int) -> float:
        """Return how much noisier than others a configuration is."""
        return self.scenario.uneven if configuration >= 0 and configuration % 2 == 0 else 1.0

    def start(self, configuration: int) -> dict[str, float]:
        """Return what an engine start adds to scores and to the logarithms of other metrics."""
        spread = self.scenario.start_spread * self.noise(configuration)
        return {
            name: self.generator.normal(0, self.scenario.score_spread if name == ACCURACY else spread)
            for name in self.scenario.metrics
        }

    def measure(
        self, configuration: int, start: dict[str, float], when: float
    ) -> tuple[dict[str, float], dict[str, float], bool]:
        """Return metrics, scores and whether the block was seen to be disturbed; `when` in rounds."""
        slow = 1.0
        if self.generator.random() < self.scenario.disturbed:
            slow = self.generator.uniform(0.2, 0.97)
        drift = float(np.interp(when, np.arange(len(self.drifts)), self.drifts))
        known = ACCURACY in self.scenario.metrics
        scores = self.scores(configuration, start[ACCURACY]) if known else np.array([])
        metrics = {ACCURACY: float(scores.mean())} if scores.size else {}
        for name in self.scenario.metrics:
            if name != ACCURACY:
                noise = self.generator.normal(0, self.scenario.block_spread * self.noise(configuration))
                change = self.scenario.effect(configuration, name) + start[name] + noise
                sign = 0 if name == MEMORY else 1 if find_metric(name).direction == "maximize" else -1
                metrics[name] = BASE[name] * math.exp(change + sign * (drift + math.log(slow)))
        return metrics, {f"i{place}": score for place, score in enumerate(scores)}, slow < 0.9


def compared(name: str) -> ComparedMetric:
    metric = find_metric(name)
    return ComparedMetric(name, metric.direction, metric.scale, per_item=name == ACCURACY)


def better(name: str, change: float) -> bool:
    return change > 0 if find_metric(name).direction == "maximize" else change < 0
