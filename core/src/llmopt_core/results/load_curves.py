"""What searches for the highest load saw: the curves that a status shows, and how people read them."""

from collections.abc import Iterable, Iterator, Sequence

from llmopt_core.resources.status import ReportedCurve, ReportedProbe
from llmopt_core.results.numbers import number
from llmopt_core.storage.records import ComparisonDefinition, Phase, TrialRecord

_UNITS = {"rate": "requests/s", "concurrency": "requests in flight"}
_PERCENT = 100
_ROUNDING = 1e-9


def searched_loads(trials: Sequence[TrialRecord], best: int | None) -> list[ReportedCurve]:
    """Return the curves of the baseline and of the `best` trial of a search, where they have one."""
    baseline = (("baseline", trial) for trial in trials if trial.phase is Phase.BASELINE)
    found = (
        ("best", trial) for trial in trials if trial.number == best and trial.phase is not Phase.BASELINE
    )
    return list(_searches((*baseline, *found)))


def compared_loads(comparison: ComparisonDefinition, trials: Sequence[TrialRecord]) -> list[ReportedCurve]:
    """Return the curve of each candidate's first repeat, where it has one."""
    first = (trial for trial in trials if trial.repeat == 0)
    return list(_searches((comparison.candidates[trial.candidate or 0].name, trial) for trial in first))


def unit_of(search: ReportedCurve) -> str:
    """Return what a load of `search` counts."""
    return _UNITS[search.by]


def load_text(search: ReportedCurve) -> str:
    """Return the highest load of `search` with its interval, in words."""
    unit = unit_of(search)
    if search.value == 0:
        return f"none from {number(search.probes[0].load)} {unit} on"
    if search.high is None:
        return f"at least {number(search.value)} {unit} (no end was found)"
    return f"{number(search.value)} {unit} ({number(search.low)} to {number(search.high)})"


def level_text(search: ReportedCurve) -> str:
    """Return what the highest load must keep, in words."""
    return f"{search.attainment * _PERCENT:g} % of the requests keep the service level"


def probe_verdict(probe: ReportedProbe, attainment: float) -> str:
    """Say how a probe ended."""
    if probe.stopped:
        return "stopped early"
    return "kept" if share_kept(probe) >= attainment - _ROUNDING else "not kept"


def share_kept(probe: ReportedProbe) -> float:
    """Return the share (0 to 1) of the requests of `probe` that kept the level."""
    return probe.kept / max(1, probe.requests)


def _searches(named: Iterable[tuple[str, TrialRecord]]) -> Iterator[ReportedCurve]:
    for name, trial in named:
        curve = None if trial.outcome is None else trial.outcome.curve
        if curve is None:
            continue
        probes = sorted(curve.probes, key=lambda probe: probe.load)
        yield ReportedCurve(
            name=name,
            trial=trial.number,
            by=curve.by,
            attainment=curve.attainment,
            value=curve.value,
            low=curve.low,
            high=curve.high,
            probes=[
                ReportedProbe(
                    load=probe.load,
                    kept=probe.kept,
                    requests=probe.requests,
                    strain=probe.strain,
                    per_second=probe.per_second,
                    stopped=probe.stopped,
                )
                for probe in probes
            ],
        )
