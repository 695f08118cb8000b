"""Statuses of studies made by hand: what a search or a benchmark found."""

from fakes.comparisons import FASTER, comparison, measured

from llmopt_core.analysis.comparison import compare as compare_candidates
from llmopt_core.analysis.effects import difference_effect
from llmopt_core.analysis.summary import summarise
from llmopt_core.api.conditions import ConditionType, Phase
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.resources.status import (
    Best,
    Choice,
    Condition,
    OptimizationStatus,
    Progress,
    StudyObjective,
    TrialResult,
)
from llmopt_core.results.progress import comparison_progress
from llmopt_core.results.results import BenchmarkResult
from llmopt_core.results.status_effects import status_effect
from llmopt_core.results.statuses import as_of_now, benchmark_status
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import StudyDefinition
from llmopt_core.storage.views import StudyPicture


def effect(metric="accuracy", difference=0.1, interval=None, baseline=0.5):
    """Return an effect on `metric` as a status holds it."""
    goal = find_metric(metric).direction
    return status_effect(difference_effect(metric, goal, baseline, difference, interval))


def choice(trial, *gain, weighted=0.1, **fields):
    """Return a verified configuration with these effects."""
    return Choice(trial=trial, gain=list(gain), weighted_gain=weighted, **fields)


def found(*gain, trial=3, confirmed=False, default=0, trials=9, **fields):
    """Return the status of a search whose best is `trial`; `fields` are the status's own."""
    best = None if trial is None else Best(trial=trial, gain=list(gain), confirmed=confirmed, repeats=5)
    objectives = [StudyObjective(metric=one.metric, goal=find_metric(one.metric).direction) for one in gain]
    return OptimizationStatus(
        progress=Progress(finished=trials, measured=trials),
        objectives=objectives,
        baseline=None if default is None else TrialResult(trial=default),
        best=best,
        **fields,
    )


def ended(type_=ConditionType.COMPLETE, reason="TrialsExhausted", message="all trials are done"):
    """Return the fields of a status that has ended."""
    condition = Condition(
        type=type_, status="True", reason=reason, message=message, last_transition_time="2026-01-02T03:04:05Z"
    )
    return {"conditions": [condition], "phase": Phase.COMPLETE}


def compared(*speeds, done=True, names=("default", "a", "b"), **changes):
    """Return the result of a benchmark with these speeds of each candidate; the first is the baseline."""
    asked = comparison(*names[: len(speeds)], repeats=len(speeds[0]), **changes)
    end = EndReason("TrialsExhausted", "all done") if done else None
    definition = StudyDefinition("mine", "f", SearchSpace(()), (FASTER,), comparison=asked)
    trials = tuple(measured(*speeds))
    study = StudyPicture(definition, end, None, asked, "Keep", trials, ())
    finding = compare_candidates(asked, FASTER, trials, ended=done)
    summary = summarise(study)
    progress = comparison_progress(study, summary, elapsed_seconds=0, runners=1)
    return BenchmarkResult("mine", as_of_now(benchmark_status(study, finding, summary, progress), study))
