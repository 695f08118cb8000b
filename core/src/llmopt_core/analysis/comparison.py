"""How the candidates of a benchmark compare: means, differences to the baseline, and whether one wins.

All candidates were measured in interleaved repeats on the same items, which no search has seen. `confidence`
holds for a whole family of intervals, each corrected by Bonferroni's method: unlike Holm's it leaves an
interval beside every verdict, and the two cannot disagree. There are three families. The objective of every
candidate against the baseline decides the winner, so that without any real difference a false winner is named
less often than one minus the confidence, however many candidates there are. The other metrics of every
candidate are a second family: what is reported beside the objective does not make it harder to win. The
leader against each other candidate is told from among all pairs, for it was chosen by these very numbers.
The intervals of the means themselves are not corrected: they describe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmopt_core.analysis.effects import Effect
from llmopt_core.analysis.intervals import FEWEST_PAIRS, change, corrected, level, mean
from llmopt_core.errors.classes import Failure
from llmopt_core.metrics.catalog import Direction, Metric, change_text, find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import (
    CandidateDefinition,
    ComparisonDefinition,
    ObjectiveDefinition,
    Outcome,
    OutcomeKind,
    TrialRecord,
)
from llmopt_core.storage.repeats import current, ended_as, measured_repeats
from llmopt_core.storage.views import StudyView

Runs = Mapping[int, Outcome]


class NotABenchmark(TypeError):
    """The study searches, it compares nothing."""


@dataclass(frozen=True)
class MetricMean:
    """One metric of one candidate in the metric's unit; `low` and `high` are None for a single repeat."""

    mean: float
    low: float | None
    high: float | None
    repeats: int


@dataclass(frozen=True)
class CandidateFinding:
    """What was measured of one candidate.

    `repeats` counts the measured ones. `failure` is the last that kept one of them from being measured.
    `serve_command` and `request_fields` are how to serve it, once it was measured.
    """

    name: str
    engine: str
    model: str
    origin: str
    parameters: Mapping[str, Value]
    repeats: int
    metrics: Mapping[str, MetricMean]
    against_baseline: Mapping[str, Effect]
    failure: Failure | None = None
    serve_command: str | None = None
    request_fields: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class BenchmarkFinding:
    """How the candidates compare so far.

    `repeats` are to be made of each candidate; `finished` of all of them have ended, `measured` with values.
    `decided`: all have ended, or the study has. Only then is there a `winner`, which is None too where no
    difference is significant. `level_with` names the candidates that the winner is not shown to be better
    than, though it is better than the baseline. `metrics` begins with the objective's.
    """

    objective: ObjectiveDefinition
    metrics: tuple[str, ...]
    baseline: str
    confidence: float
    candidates: tuple[CandidateFinding, ...]
    repeats: int
    finished: int
    measured: int
    decided: bool
    winner: str | None
    level_with: tuple[str, ...]
    verdict: str

    @property
    def planned(self) -> int:
        """How many repeats of all candidates there are to be."""
        return len(self.candidates) * self.repeats

    @property
    def complete(self) -> bool:
        """Whether every repeat of every candidate was measured."""
        return all(candidate.repeats >= self.repeats for candidate in self.candidates)

    def candidate(self, name: str) -> CandidateFinding:
        """Return what was found of the candidate called `name`."""
        return next(each for each in self.candidates if each.name == name)


@dataclass(frozen=True)
class _Judgement:
    winner: str | None
    verdict: str
    level_with: tuple[str, ...] = ()


def compare_candidates(study: StudyView) -> BenchmarkFinding:
    """Return how the candidates of `study` compare; raises NotABenchmark, or MetricNotFound."""
    comparison = study.comparison
    if comparison is None:
        raise NotABenchmark(f"study {study.definition.name!r} compares no candidates")
    ended = study.ended is not None
    return compare(comparison, study.definition.objectives[0], study.trials(), ended=ended)


def compare(
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    trials: Sequence[TrialRecord],
    *,
    ended: bool,
) -> BenchmarkFinding:
    """Return how the candidates compare by `trials`; `ended` says that no more are to come. Pure."""
    runs = measured_repeats(trials)
    repeats = [trial for place, trial in current(trials).items() if place[1] < comparison.repeats]
    finished = sum(trial.state == "finished" for trial in repeats)
    planned = len(comparison.candidates) * comparison.repeats
    metrics = tuple(dict.fromkeys((objective.metric, *comparison.metrics)))
    found = tuple(
        _finding(place, comparison, objective, metrics, runs, trials)
        for place in range(len(comparison.candidates))
    )
    decided = ended or finished == planned
    told = _judge(comparison, objective, found, runs) if decided else _undecided(finished, planned)
    return BenchmarkFinding(
        objective=objective,
        metrics=metrics,
        baseline=comparison.baseline,
        confidence=comparison.confidence,
        candidates=found,
        repeats=comparison.repeats,
        finished=finished,
        measured=sum(len(each) for each in runs.values()),
        decided=decided,
        winner=told.winner,
        level_with=told.level_with,
        verdict=told.verdict,
    )


def _undecided(finished: int, planned: int) -> _Judgement:
    return _Judgement(None, f"undecided: {finished} of {planned} repeats are done")


def _finding(
    place: int,
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    metrics: Sequence[str],
    runs: Mapping[int, Runs],
    trials: Sequence[TrialRecord],
) -> CandidateFinding:
    own: CandidateDefinition = comparison.candidates[place]
    mine, serving = runs.get(place, {}), own.serving
    facts = mine[max(mine)].facts if mine else {}
    against = (
        {}
        if place == comparison.baseline_place
        else _differences(place, comparison, objective, metrics, runs)
    )
    return CandidateFinding(
        name=own.name,
        engine=serving.engine_name if serving else "",
        model=serving.model_source if serving else "",
        origin=own.origin,
        parameters=own.parameters,
        repeats=len(mine),
        metrics=_means(metrics, tuple(mine.values()), comparison.confidence),
        against_baseline=against,
        failure=_last_failure(place, trials),
        serve_command=facts.get("serve_command"),
        request_fields=facts.get("request_fields", {}),
    )


def _means(metrics: Sequence[str], runs: Sequence[Outcome], confidence: float) -> dict[str, MetricMean]:
    means = {}
    for name in metrics:
        metric = find_metric(name)
        known = [outcome for outcome in runs if name in outcome.metrics]
        if known:
            span = level(metric, known, confidence=confidence) if len(known) >= FEWEST_PAIRS else None
            middle, low, high = span or (mean(metric, known), None, None)
            means[name] = MetricMean(middle, low, high, len(known))
    return means


def _differences(
    place: int,
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    metrics: Sequence[str],
    runs: Mapping[int, Runs],
) -> dict[str, Effect]:
    """Return the differences to the baseline, in metrics of which both have two repeats or more."""
    rivals = len(comparison.candidates) - 1
    found = {}
    for name in metrics:
        family = rivals if name == objective.metric else rivals * (len(metrics) - 1)
        confidence = corrected(comparison.confidence, family)
        goal = objective.direction if name == objective.metric else find_metric(name).direction
        difference = _difference(
            find_metric(name), goal, runs.get(comparison.baseline_place, {}), runs.get(place, {}), confidence
        )
        if difference is not None:
            found[name] = difference
    return found


def _difference(metric: Metric, goal: Direction, old: Runs, new: Runs, confidence: float) -> Effect | None:
    shared = sorted(
        repeat
        for repeat in old.keys() & new.keys()
        if metric.name in old[repeat].metrics and metric.name in new[repeat].metrics
    )
    if len(shared) < FEWEST_PAIRS:
        return None
    before, after = [old[repeat] for repeat in shared], [new[repeat] for repeat in shared]
    return change(metric, goal, before, after, confidence=confidence)


def _last_failure(place: int, trials: Sequence[TrialRecord]) -> Failure | None:
    """Return why a repeat of the candidate came to nothing, None where all of them can still be measured."""
    failures = [
        trial.outcome.failure
        for (candidate, _), trial in current(trials).items()
        if candidate == place and trial.outcome is not None and ended_as(trial) is not OutcomeKind.MEASURED
    ]
    return failures[-1] if failures else None


def _judge(
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    found: Sequence[CandidateFinding],
    runs: Mapping[int, Runs],
) -> _Judgement:
    baseline = comparison.baseline
    compared = {
        place: each.against_baseline[objective.metric]
        for place, each in enumerate(found)
        if objective.metric in each.against_baseline
    }
    missing = _not_measured(found)
    if not compared:
        return _Judgement(None, _nothing(found, comparison) + missing)
    better = [place for place, each in compared.items() if each.better]
    worse = [place for place, each in compared.items() if each.worse]
    if better:
        sign = 1 if objective.direction == "maximize" else -1
        leader = max(better, key=lambda place: sign * compared[place].change)
        return _leading(leader, comparison, objective, compared, runs, missing)
    if len(worse) == len(compared):
        text = f"{baseline} wins: {objective.metric} of every other candidate is significantly worse"
        return _Judgement(baseline, text + missing)
    text = f"no significant difference in {objective.metric}"
    if worse:
        names = ", ".join(found[place].name for place in worse)
        text = f"no significant gain in {objective.metric} over {baseline}; significantly worse: {names}"
    return _Judgement(None, text + missing)


def _leading(
    leader: int,
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    compared: Mapping[int, Effect],
    runs: Mapping[int, Runs],
    missing: str,
) -> _Judgement:
    """Return the judgement that `leader`, which is better than the baseline, wins."""
    names = [candidate.name for candidate in comparison.candidates]
    metric, count = find_metric(objective.metric), len(names)
    confidence = corrected(comparison.confidence, count * (count - 1) // 2)
    level_with = []
    for rival in compared:
        if rival != leader:
            lead = _difference(metric, objective.direction, runs[rival], runs[leader], confidence)
            if lead is None or not lead.better:
                level_with.append(names[rival])
    gain = compared[leader]
    span = gain.change_interval
    within = f" [{_told(span.low, gain)} to {_told(span.high, gain)}]" if span else ""
    text = (
        f"{names[leader]} wins: {objective.metric} {_told(gain.change, gain)}{within} "
        f"over {comparison.baseline}"
    )
    if level_with:
        text += f"; not shown to be better than {', '.join(level_with)}"
    return _Judgement(names[leader], text + missing, tuple(level_with))


def _told(change: float, effect: Effect) -> str:
    return change_text(change, effect.scale)


def _nothing(found: Sequence[CandidateFinding], comparison: ComparisonDefinition) -> str:
    if len(found) == 1:
        return "one candidate: there is nothing to compare it with"
    if found[comparison.baseline_place].repeats < FEWEST_PAIRS:
        return f"nothing can be compared: the baseline {comparison.baseline} was not measured"
    return f"nothing can be compared: no candidate beside {comparison.baseline} was measured"


def _not_measured(found: Sequence[CandidateFinding]) -> str:
    """Return which candidates could not be measured, and why, as the end of a sentence."""
    lost = [
        f"{each.name} ({each.failure.error_class.value})"
        for each in found
        if each.failure is not None and each.repeats < FEWEST_PAIRS
    ]
    return f"; not measured: {', '.join(lost)}" if lost else ""
