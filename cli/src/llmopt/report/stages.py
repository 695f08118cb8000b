"""What a study's time went into, by stage and by what was done, and what it cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmopt_core.resources.serving import Workload
from llmopt_core.results.durations import active_seconds, gpu_seconds
from llmopt_core.results.numbers import duration, number
from llmopt_core.storage.records import Phase, RunnerRecord, TrialRecord

_STAGES: Mapping[str, str] = {
    "load": "Engine starts",
    "warmup": "Warm-up",
    "measure": "Measuring",
    "framework": "llmopt itself",
}
_PHASES: Mapping[Phase, str] = {
    Phase.BASELINE: "Baseline",
    Phase.SEARCH: "Search",
    Phase.CONFIRM: "Repeats",
}
_HOUR = 3600


@dataclass(frozen=True)
class StageRow:
    """The time of one stage: in words by phase, in all, and its share of everything from 0 to 1."""

    stage: str
    by_phase: tuple[str, ...]
    total: str
    share: float


def phase_titles() -> tuple[str, ...]:
    """Return the columns of the rows."""
    return tuple(_PHASES.values())


def stage_rows(trials: Sequence[TrialRecord]) -> tuple[StageRow, ...]:
    """Return the time of the runners by stage, the stages in the order of a trial."""
    spent = {stage: _by_phase(trials, stage) for stage in _STAGES}
    whole = sum(sum(phases) for phases in spent.values())
    return tuple(
        StageRow(
            _STAGES[stage],
            tuple(duration(seconds) if seconds else "" for seconds in phases),
            duration(sum(phases)),
            sum(phases) / whole,
        )
        for stage, phases in spent.items()
        if sum(phases) > 0
    )


def _by_phase(trials: Sequence[TrialRecord], stage: str) -> list[float]:
    return [
        sum(
            trial.outcome.seconds.get(stage, 0.0)
            for trial in trials
            if trial.outcome and trial.phase is phase
        )
        for phase in _PHASES
    ]


def cost_facts(runners: Sequence[RunnerRecord], workload: Workload) -> Iterator[tuple[str, str]]:
    """Yield how long the runners worked, with GPUs or not, and what that cost where a price is given."""
    wall, gpus = active_seconds(runners), gpu_seconds(runners)
    if wall:
        yield "Duration", duration(wall)
    if gpus:
        yield "GPU hours", number(gpus / _HOUR)
    if workload.hourly_price is not None:
        hours = sum(runner.active_seconds for runner in runners) / _HOUR
        yield "Cost", f"{hours * float(workload.hourly_price):.2f} (at {workload.hourly_price} an hour)"
