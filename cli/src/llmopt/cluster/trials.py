"""Trials as plain records: from the study, or from what a status still holds of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from llmopt.cluster.errors import ClientMissing
from llmopt_core.resources.served import engine_of
from llmopt_core.resources.status import OptimizationStatus, TrialResult
from llmopt_core.results.results import typed
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import TrialRecord

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Trial:
    """One trial. `phase` is baseline, search or confirm, `outcome` how it ended (None: it waits or runs).

    `candidate` and `repeat` are set for the repeats of a confirmation and of a benchmark, counted from 0.
    `parameters` by full name, `metrics` by catalogue name in the catalogue's units, `seconds` its wall time.
    `repaired_from` is the refused trial whose configuration this one tries once more, changed as the engine
    asked. The metrics of a pruned trial are estimates from the items that it measured before it was stopped.
    """

    number: int
    phase: str
    state: str
    outcome: str | None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None
    candidate: int | None = None
    repeat: int | None = None
    runner: str | None = None
    error: str | None = None
    repaired_from: int | None = None


def recorded(records: Sequence[TrialRecord]) -> list[Trial]:
    """Return the trials of a study."""
    return [_recorded(record) for record in records]


def remembered(document: Mapping[str, Any], status: OptimizationStatus) -> list[Trial]:
    """Return the trials in the status of an optimization: the baseline, the best and the front."""
    reported = (status.baseline, status.best, *status.top, *status.pareto)
    first = status.baseline.trial if status.baseline else None
    found = {trial.trial: trial for trial in reversed(reported) if trial is not None}
    return [_remembered(found[number], engine_of(document), first) for number in sorted(found)]


def frame(trials: Sequence[Trial]) -> "DataFrame":
    """Return `trials` as a pandas DataFrame by number, parameters and metrics in columns of their own."""
    try:
        import pandas as pd  # noqa: PLC0415 - the caller's choice, and slow to load
    except ModuleNotFoundError as error:
        raise ClientMissing(
            "trials_frame() needs pandas, which is not installed: pip install pandas"
        ) from error
    return pd.DataFrame(list(_rows(trials))).set_index("number") if trials else pd.DataFrame()


def _rows(trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    for trial in trials:
        plain = asdict(trial)
        parameters, metrics = plain.pop("parameters"), plain.pop("metrics")
        yield {**plain, **parameters, **metrics}


def _recorded(record: TrialRecord) -> Trial:
    outcome = record.outcome
    spent = None
    if record.started_at is not None and record.finished_at is not None:
        spent = record.finished_at - record.started_at
    return Trial(
        number=record.number,
        phase=record.phase.value,
        state=record.state,
        outcome=outcome.kind.value if outcome else None,
        parameters=dict(record.parameters),
        metrics=dict(outcome.metrics) if outcome else {},
        seconds=spent,
        candidate=record.candidate,
        repeat=record.repeat,
        runner=record.runner,
        error=outcome.failure.error_class.value if outcome and outcome.failure else None,
        repaired_from=record.repaired_from,
    )


def _remembered(trial: TrialResult, engine: str, first: int | None) -> Trial:
    return Trial(
        number=trial.trial,
        phase="baseline" if trial.trial == first else "search",
        state="finished",
        outcome="measured",
        parameters=typed(trial.parameters, engine),
        metrics=dict(trial.metrics),
        repaired_from=trial.repaired_from,
    )
