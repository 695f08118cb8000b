"""How the candidates of a benchmark compare: means, differences to the baseline, and whether one wins.

All candidates were measured in interleaved repeats on the same items, which no search has seen. They are
judged once, when no more repeats are to come. `confidence` holds for all differences together: that of every
candidate to the baseline in every metric, and of every pair in the objective, for the leader was chosen by
these very numbers. The objective has four fifths of the error rate, so that what is reported beside it hardly
makes it harder to win; each share is divided by Bonferroni's correction. The intervals of the means
themselves hold together too, but apart from the differences: they describe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmopt_core.analysis.blocks import BASELINE, ComparedMetric
from llmopt_core.analysis.effects import SMALLEST_GAIN, Effect
from llmopt_core.analysis.evaluation import Evaluation, candidate_of, evaluate
from llmopt_core.analysis.intervals import FEWEST_PAIRS, corrected, level, mean
from llmopt_core.analysis.variances import VarianceSplit
from llmopt_core.analysis.verification import Note
from llmopt_core.errors.classes import Failure
from llmopt_core.metrics.catalog import change_text, find_metric
from llmopt_core.search.configurations import Value
from llmopt_core.storage.records import (
    CandidateDefinition,
    ComparisonDefinition,
    ConfirmPlan,
    ObjectiveDefinition,
    Outcome,
    OutcomeKind,
    TrialRecord,
)
from llmopt_core.storage.repeats import current, ended_as, measured_repeats, plan_of
from llmopt_core.storage.views import StudyView

# The objective's share of the error rate, where other metrics are reported beside it.
_OBJECTIVES_SHARE = 0.8
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

    def moved(self, effect: Effect) -> "MetricMean":
        """Return the mean that goes with `effect`, which leaves out what drifted while it was measured."""
        if find_metric(effect.metric).scale != "ratio" or not self.mean:
            return replace(self, mean=effect.value)
        factor = effect.value / self.mean
        low, high = (None if end is None else end * factor for end in (self.low, self.high))
        return replace(self, mean=effect.value, low=low, high=high)


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
    than, though it is better than the baseline. `metrics` begins with the objective's. `notes` come before
    the numbers; `variances` say of each metric what would make its intervals narrower.
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
    notes: tuple[Note, ...] = ()
    variances: tuple[VarianceSplit, ...] = ()

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
    repeats = [trial for place, trial in current(trials).items() if place[1] < comparison.repeats]
    finished = sum(trial.state == "finished" for trial in repeats)
    planned = len(comparison.candidates) * comparison.repeats
    decided = ended or finished == planned
    metrics = tuple(dict.fromkeys((objective.metric, *comparison.metrics)))
    main, beside = _evaluations(comparison, objective, metrics, trials, final=decided)
    runs = measured_repeats(trials)
    found = tuple(
        _finding(place, comparison, metrics, (main, beside), runs.get(place, {}), trials)
        for place in range(len(comparison.candidates))
    )
    decision = _judge(comparison, objective, found, main) if decided else _undecided(finished, planned)
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
        winner=decision.winner,
        level_with=decision.level_with,
        verdict=decision.verdict,
        notes=main.standing.notes,
        variances=(*main.standing.variances, *beside.standing.variances),
    )


def _evaluations(
    comparison: ComparisonDefinition,
    objective: ObjectiveDefinition,
    metrics: Sequence[str],
    trials: Sequence[TrialRecord],
    *,
    final: bool,
) -> tuple[Evaluation, Evaluation]:
    """Return how the comparisons in the objective stand, and those in the other metrics."""
    plan, count, others = plan_of(comparison), len(comparison.candidates), len(metrics) - 1
    error = 1 - comparison.confidence
    share = _OBJECTIVES_SHARE if others else 1.0
    pairs = max(1, count * (count - 1) // 2)
    rest = max(1, (count - 1) * others)
    asked = ComparedMetric(objective.metric, objective.direction, find_metric(objective.metric).scale)
    return (
        evaluate(_at(plan, error * share / pairs), trials, (asked,), final=final),
        evaluate(
            _at(plan, error * (1 - share) / rest if others else error),
            trials,
            [_compared(name) for name in metrics[1:]],
            final=final,
        ),
    )


def _at(plan: ConfirmPlan, error_rate: float) -> ConfirmPlan:
    return replace(plan, level=error_rate, smallest_gain=SMALLEST_GAIN)


def _compared(name: str) -> ComparedMetric:
    metric = find_metric(name)
    return ComparedMetric(name, metric.direction, metric.scale)


def _undecided(finished: int, planned: int) -> _Judgement:
    return _Judgement(None, f"undecided: {finished} of {planned} repeats are done")


def _finding(
    place: int,
    comparison: ComparisonDefinition,
    metrics: Sequence[str],
    evaluations: tuple[Evaluation, Evaluation],
    runs: Runs,
    trials: Sequence[TrialRecord],
) -> CandidateFinding:
    own: CandidateDefinition = comparison.candidates[place]
    serving, candidate = own.serving, candidate_of(evaluations[0].plan, place)
    facts = runs[max(runs)].facts if runs else {}
    against = {effect.metric: effect for each in evaluations for effect in _effects(each, candidate)}
    counted = _counted(evaluations[0], candidate, runs)
    confidence = corrected(comparison.confidence, len(comparison.candidates) * len(metrics))
    return CandidateFinding(
        name=own.name,
        engine=serving.engine_name if serving else "",
        model=serving.model_source if serving else "",
        origin=own.origin,
        parameters=own.parameters,
        repeats=len(runs),
        metrics=_means(metrics, counted, against, confidence),
        against_baseline=against,
        failure=_last_failure(place, trials),
        serve_command=facts.get("serve_command"),
        request_fields=facts.get("request_fields", {}),
    )


def _effects(evaluation: Evaluation, candidate: int) -> Sequence[Effect]:
    """Return the effects of a candidate of which there are two rounds or more; none of the baseline."""
    standing = evaluation.standing
    if candidate == BASELINE or standing.rounds < FEWEST_PAIRS:
        return ()
    return standing.candidates[candidate - 1].effects


def _counted(evaluation: Evaluation, candidate: int, runs: Runs) -> Sequence[Outcome]:
    """Return the outcomes that the comparison rests on, so that means and differences agree."""
    used = {block.slot.round for block in evaluation.counted if block.slot.candidate == candidate}
    return [outcome for repeat, outcome in runs.items() if repeat in used or not used]


def _means(
    metrics: Sequence[str], runs: Sequence[Outcome], against: Mapping[str, Effect], confidence: float
) -> dict[str, MetricMean]:
    means = {}
    for name in metrics:
        metric = find_metric(name)
        known = [outcome for outcome in runs if name in outcome.metrics]
        if known:
            span = level(metric, known, confidence=confidence) if len(known) >= FEWEST_PAIRS else None
            middle, low, high = span or (mean(metric, known), None, None)
            found = MetricMean(middle, low, high, len(known))
            means[name] = found if name not in against else found.moved(against[name])
    return means


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
    evaluation: Evaluation,
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
        return _leading(leader, comparison, objective, compared, evaluation, missing)
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
    evaluation: Evaluation,
    missing: str,
) -> _Judgement:
    """Return the judgement that `leader`, which is better than the baseline, wins."""
    names, plan = [candidate.name for candidate in comparison.candidates], evaluation.plan
    level_with = []
    for rival in compared:
        if rival != leader:
            lead = evaluation.between(candidate_of(plan, leader), candidate_of(plan, rival), objective.metric)
            if lead is None or not lead.effect.better:
                level_with.append(names[rival])
    gain = compared[leader]
    span = gain.change_interval
    within = f" [{_change_text(span.low, gain)} to {_change_text(span.high, gain)}]" if span else ""
    text = (
        f"{names[leader]} wins: {objective.metric} {_change_text(gain.change, gain)}{within} "
        f"over {comparison.baseline}"
    )
    if level_with:
        text += f"; not shown to be better than {', '.join(level_with)}"
    return _Judgement(names[leader], text + missing, tuple(level_with))


def _change_text(change: float, effect: Effect) -> str:
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
