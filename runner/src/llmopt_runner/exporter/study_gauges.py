"""How far a study is, what it found and what it has spent, as any of its runners sees it."""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Gauge

from llmopt_core.analysis.comparison import BenchmarkFinding
from llmopt_core.analysis.summary import StudySummary
from llmopt_core.results.durations import active_seconds, gpu_seconds
from llmopt_core.storage.records import ObjectiveDefinition, OutcomeKind, RunnerRecord, TrialRecord
from llmopt_runner.exporter.limits import Limits

_AS_OF = " As of this runner's latest end of a trial."
Counts = Mapping[OutcomeKind, int]


class StudyGauges:
    """Gauges of the whole study: take the maximum over its runners, not the sum."""

    def __init__(
        self, registry: CollectorRegistry, objectives: Sequence[ObjectiveDefinition], limits: Limits
    ) -> None:
        self._registry = registry
        self._objectives = tuple(objective.metric for objective in objectives)
        self._best = self._gauge(
            "objective_best",
            "The objective in the study's best trial so far (a benchmark: its best candidate's mean), in its"
            " own unit.",
            "metric",
        )
        self._baseline = self._gauge(
            "objective_baseline", "The objective in the study's baseline, in its own unit.", "metric"
        )
        self._trials = self._gauge(
            "study_trials", "The study's trials: a search's without repeats." + _AS_OF, "state"
        )
        self._repeats = self._gauge(
            "study_repeats", "The study's repeats, which verify what the search found." + _AS_OF, "state"
        )
        self._active = self._gauge(
            "study_active_seconds", "Time that the study's runners were active." + _AS_OF
        )
        self._gpu = self._gauge(
            "study_gpu_seconds", "Time that the study's runners held GPUs, added up over GPUs." + _AS_OF
        )
        self._trials.labels("planned").set(limits.trials)
        self._limit("active", "Longest time that the study's runners may be active.", limits.active_seconds)
        self._limit("gpu", "Most GPU time that the study may use.", limits.gpu_seconds)

    def spent(self, runners: Iterable[RunnerRecord]) -> None:
        """Show the time that the study has used."""
        known = tuple(runners)
        self._active.set(active_seconds(known))
        self._gpu.set(gpu_seconds(known))

    def search_seen(self, summary: StudySummary) -> None:
        """Show how far an optimization is, its baseline, and its best values."""
        _show_states(self._trials, summary.waiting, summary.running, summary.counts)
        _show_states(self._repeats, summary.confirm_waiting, summary.confirm_running, summary.confirm_counts)
        self._show_trial(self._baseline, summary.baseline)
        self._show_trial(self._best, summary.best)

    def comparison_seen(self, summary: StudySummary, finding: BenchmarkFinding) -> None:
        """Show how far a benchmark is, and the objective's mean of its baseline and of its best candidate."""
        for gauge in (self._trials, self._repeats):
            _show_states(gauge, summary.confirm_waiting, summary.confirm_running, summary.confirm_counts)
        objective = finding.objective
        means = {
            each.name: each.metrics[objective.metric].mean for each in finding.candidates if each.repeats
        }
        if means:
            best = max(means.values()) if objective.direction == "maximize" else min(means.values())
            self._best.labels(objective.metric).set(best)
        if finding.baseline in means:
            self._baseline.labels(objective.metric).set(means[finding.baseline])

    def show(self, gauge: Gauge, metrics: Mapping[str, float]) -> None:
        """Show those of the objectives that were measured."""
        for name in self._objectives:
            if name in metrics:
                gauge.labels(name).set(metrics[name])

    def _show_trial(self, gauge: Gauge, trial: TrialRecord | None) -> None:
        if trial is not None and trial.outcome is not None:
            self.show(gauge, trial.outcome.metrics)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"llmopt_runner_{name}", text, labels, registry=self._registry)

    def _limit(self, name: str, text: str, seconds: float | None) -> None:
        """Without a limit there is no series: 0 would say that nothing is allowed."""
        if seconds is not None:
            self._gauge(f"budget_{name}_seconds", text).set(seconds)


def _show_states(gauge: Gauge, waiting: int, running: int, counts: Counts) -> None:
    finished = sum(counts.values()) - counts.get(OutcomeKind.RETURNED, 0)
    for state, count in {"waiting": waiting, "running": running, "finished": finished}.items():
        gauge.labels(state).set(count)
