"""Simulated trials with planted quality and speed, for tests of racing.

Items differ in difficulty and length, which all trials share; starts differ, and the machine's speed drifts.
"""

from dataclasses import dataclass

import numpy as np

from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.measured_items import MeasuredItem, columns
from llmopt_core.storage.records import (
    ObjectiveDefinition,
    Outcome,
    OutcomeKind,
    Phase,
    StudyDefinition,
    TrialRecord,
)

ACCURACY = ObjectiveDefinition("accuracy", "maximize")
REQUESTS = ObjectiveDefinition("requests_per_second", "maximize")
GOOD_ANSWERS = ObjectiveDefinition("good_answers_per_second", "maximize")
COST = ObjectiveDefinition("cost_per_million_tokens", "minimize")
TTFT = ObjectiveDefinition("ttft_ms_p95", "minimize")


@dataclass(frozen=True)
class World:
    """`count` items asked by `clients` at once; speeds are relative to a request of 100 ms."""

    count: int = 60
    clients: int = 4
    start_spread: float = 0.05
    drift: float = 0.03
    noise: float = 0.1

    def lengths(self, chance):
        """Return the relative length of each item's answer."""
        lengths = np.exp(chance.normal(0, 0.5, self.count))
        return lengths / lengths.mean()

    def trial(self, chance, lengths, *, quality=0.6, speed=1.0):
        """Return the items of a trial that is right in a share `quality` of them."""
        rounds = np.cumsum(chance.normal(0, self.drift / 3, self.count // self.clients + 1))
        drift = np.exp(rounds - rounds.mean())[np.arange(self.count) // self.clients]
        start = np.exp(chance.normal(0, self.start_spread))
        times = 100 * lengths / speed * start * drift * np.exp(chance.normal(0, self.noise, self.count))
        scores = chance.random(self.count) < quality
        return [
            MeasuredItem(float(score), float(time), float(time) / 5, round(30 * length) + 2)
            for score, time, length in zip(scores, times, lengths, strict=True)
        ]

    def record(self, number, items, *, kind=OutcomeKind.MEASURED, phase=Phase.SEARCH, **metrics):
        """Return the finished trial that measured `items`."""
        times = np.array([item.e2e_ms for item in items])
        scores = np.array([item.score for item in items])
        tokens = sum(item.output_tokens for item in items)
        rate = 1000 * self.clients / times.mean()
        found = {
            "accuracy": float(scores.mean()),
            "requests_per_second": rate,
            "good_answers_per_second": rate * float(scores.mean()),
            "cost_per_million_tokens": times.sum() / tokens,
            "e2e_ms_mean": float(times.mean()),
            "ttft_ms_p95": float(np.percentile(times / 5, 95)),
        }
        outcome = Outcome(
            kind,
            Configuration.from_flat({"sampling.seed": number}),
            metrics={**found, **metrics},
            sample_metric="accuracy",
            items=columns(items, self.clients),
        )
        return TrialRecord(number, phase, "finished", {}, "runner", outcome, 0.0, 1.0)


def study(*objectives, constraints=()):
    """Return a study with these `objectives` that stops trials by racing."""
    return StudyDefinition("study", "f", SearchSpace(()), objectives, constraints, pruner="auto")


def asked_before_the_stop(race, items):
    """Return after how many of `items` the race stopped the trial, all of them where it did not."""
    return next((look for look in race.looks if race.is_lost(items[:look])), len(items))
