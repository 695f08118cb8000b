"""What each search for the highest load saw, of the trials that matter, as tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from llmopt.report.shown_trials import shown_trials
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus
from llmopt_core.results.numbers import number
from llmopt_core.storage.load_curves import LoadCurve, LoadProbe
from llmopt_core.storage.records import TrialRecord

_UNITS = {"rate": "requests/s", "concurrency": "requests in flight"}


@dataclass(frozen=True)
class ProbeRow:
    """One load that was tried."""

    load: str
    kept: str
    strain: str
    served: str
    verdict: str


@dataclass(frozen=True)
class LoadTable:
    """The probes of one trial, lowest load first."""

    title: str
    result: str
    unit: str
    rows: tuple[ProbeRow, ...]


def load_tables(
    status: OptimizationStatus | BenchmarkStatus, trials: Sequence[TrialRecord]
) -> tuple[LoadTable, ...]:
    """Return the tables of the baseline and the best, or of each candidate's first repeat."""
    return tuple(
        _table(name, trial.outcome.curve)
        for name, trial in shown_trials(status, trials)
        if trial.outcome is not None and trial.outcome.curve is not None
    )


def _table(name: str, curve: LoadCurve) -> LoadTable:
    unit = _UNITS[curve.by]
    top = "no end was found" if curve.high is None else number(curve.high)
    result = (
        f"{number(curve.value)} {unit} ({number(curve.low)} to {top}), of which"
        f" {curve.attainment * 100:g} % kept the service level"
    )
    probes = sorted(curve.probes, key=lambda probe: probe.load)
    return LoadTable(name, result, unit, tuple(_row(probe, curve.attainment) for probe in probes))


def _row(probe: LoadProbe, attainment: float) -> ProbeRow:
    share = probe.kept / probe.requests
    verdict = "stopped early" if probe.stopped else "kept" if share >= attainment else "not kept"
    kept = f"{probe.kept} of {probe.requests}"
    return ProbeRow(number(probe.load), kept, number(probe.strain), number(probe.per_second), verdict)
