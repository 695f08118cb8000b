"""How long a study took, by its runners' own clocks, and what it did not measure."""

from collections.abc import Iterable

from llmopt_core.storage.records import OutcomeKind, RunnerRecord, TrialRecord


def active_seconds(runners: Iterable[RunnerRecord]) -> float:
    """Return the time measured by the runners' own clocks: the longest over the indexes, restarts added up.

    Suspensions and the time between two runs do not count, and no common clock is needed.
    """
    by_index: dict[int, float] = {}
    for runner in runners:
        by_index[runner.index] = by_index.get(runner.index, 0.0) + runner.active_seconds
    return max(by_index.values(), default=0.0)


def gpu_seconds(runners: Iterable[RunnerRecord]) -> float:
    """Return the GPU time of all runners together: each one's active time, times the GPUs it holds."""
    return sum(runner.active_seconds * runner.gpus for runner in runners)


def saved_seconds(trials: Iterable[TrialRecord], items: int) -> float:
    """Return about how much longer the stopped trials would have measured, of `items` each.

    The rest of a trial's items is taken to need as long as those that it measured.
    """
    saved = 0.0
    for trial in trials:
        if trial.outcome is None or trial.outcome.kind is not OutcomeKind.PRUNED:
            continue
        measured = len(trial.outcome.samples)
        if 0 < measured < items:
            saved += trial.outcome.seconds.get("measure", 0.0) * (items - measured) / measured
    return saved
