"""Which trials a report shows in detail."""

from collections.abc import Sequence

from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus
from llmopt_core.storage.records import Phase, TrialRecord


def shown_trials(
    status: OptimizationStatus | BenchmarkStatus, trials: Sequence[TrialRecord]
) -> list[tuple[str, TrialRecord]]:
    """Return, with names, the baseline and the best of a search, or the first repeat of each candidate."""
    if isinstance(status, BenchmarkStatus):
        names = [each.candidate for each in status.results]
        return [
            (names[trial.candidate], trial)
            for trial in trials
            if trial.repeat == 0 and trial.candidate is not None and trial.candidate < len(names)
        ]
    best = status.best.trial if status.best else None
    baseline = [("Baseline", trial) for trial in trials if trial.phase is Phase.BASELINE]
    others = [
        (f"Best (trial {trial.number})", trial)
        for trial in trials
        if trial.number == best and trial.phase is not Phase.BASELINE
    ]
    return baseline + others
