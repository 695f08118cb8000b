"""What a search found, in exact numbers, read from its study. `statuses` turns it into what is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from llmopt_core.analysis.confirmation import Choice, Confirmation, compared_metrics, confirmation
from llmopt_core.analysis.effects import Effect, unproved_effect
from llmopt_core.analysis.summary import ErrorCount, StudySummary
from llmopt_core.analysis.variances import VarianceSplit
from llmopt_core.analysis.verification import Note, weighted_gain
from llmopt_core.engines.arguments import ServeArguments
from llmopt_core.metrics.catalog import CATALOG, Direction, find_metric
from llmopt_core.results.constraints import Standing, standings
from llmopt_core.search.configurations import GROUPS, Configuration, Value
from llmopt_core.storage.records import TrialRecord
from llmopt_core.storage.repeats import measured_repeats
from llmopt_core.storage.views import StudyView

# Shown beside the objectives and constraints, where they were measured.
SHOWN_METRICS = (
    "accuracy",
    "score",
    "good_answers_per_second",
    "requests_per_second",
    "output_tokens_per_second",
    "ttft_ms_p95",
    "peak_memory_mib",
)


@dataclass(frozen=True)
class ServedChoice:
    """A verified configuration, the weighted gain that it is ranked by, and how to serve it."""

    choice: Choice
    weighted_gain: float
    serve_command: str | None = None
    request_fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OptimizationFinding:
    """What a study found, in exact numbers.

    `trial` is the best one (None: nothing was measured yet), `parameters` its parameters by group, `metrics`
    what the search measured of it. `effects` are its metrics against the reference, the `objectives` first.
    `serve_command` starts a server of that configuration, or of the baseline where `keep_default`,
    `serve_arguments` makes one elsewhere behave so, and `request_fields` go with each request. `confirmed`
    says that the gains come from repeats on items that the search never saw. `constraints` say how the best
    stands to each. `default_failure` is why the baseline cannot run, None where it can. `reference` is the
    trial that gains are over: the baseline, or else the best that was found. `choices` are all configurations
    that were verified and keep the constraints, the best first. `notes` on the repeats come before their
    numbers; `variances` say of each objective where its variance comes from.
    """

    trial: int | None = None
    default_is_best: bool = False
    default_failure: ErrorCount | None = None
    reference: int | None = None
    parameters: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    objectives: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = ()
    constraints: tuple[Standing, ...] = ()
    confirmed: bool = False
    repeats: int = 0
    significant: bool = False
    choices: tuple[ServedChoice, ...] = ()
    notes: tuple[Note, ...] = ()
    variances: tuple[VarianceSplit, ...] = ()
    serve_command: str | None = None
    serve_arguments: ServeArguments | None = None
    request_fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keep_default(self) -> bool:
        """Whether the repeats proved nothing that is worth serving: then the baseline is what to serve.

        That is where no objective is proved better, where the losses of the best outweigh that by the
        weights, and where it breaks a constraint. Not where the baseline breaks one.
        """
        if self.default_failure is not None or not all(each.baseline_kept for each in self.constraints):
            return False
        worth = any(each.weighted_gain > 0 for each in self.choices[:1])
        return self.confirmed and not (worth and any(one.better for one in self.objective_effects))

    @property
    def objective_effects(self) -> tuple[Effect, ...]:
        """The effects in the objectives."""
        return tuple(one for one in self.effects if one.metric in self.objectives)


def finding_of(study: StudyView, summary: StudySummary) -> OptimizationFinding:
    """Return what `study`, of which `summary` is the summary, has found so far."""
    trials, proved = study.trials(), confirmation(study)
    bare = OptimizationFinding(default_failure=summary.default_failure)
    reference = _reference(trials, summary, proved)
    best = _winner(trials, summary, proved, reference)
    return bare if best is None else _with_best(bare, study, best, reference, proved)


def _reference(
    trials: Sequence[TrialRecord], summary: StudySummary, proved: Confirmation | None
) -> TrialRecord | None:
    """Return what gains are over: the baseline, or the best configuration where that cannot run."""
    if summary.baseline is not None or summary.default_failure is None:
        return summary.baseline
    return summary.best if proved is None else _numbered(trials, proved.reference_trial, summary.best)


def _winner(
    trials: Sequence[TrialRecord],
    summary: StudySummary,
    proved: Confirmation | None,
    reference: TrialRecord | None,
) -> TrialRecord | None:
    """Return the best trial: a reference that is no default stays it until another is proved to be better."""
    if proved is None:
        return summary.best
    better = proved.choices and any(effect.better for effect in proved.winner.effects)
    if summary.default_failure is not None and not better:
        return reference
    return _numbered(trials, proved.winner.source_trial, summary.best)


def _numbered(
    trials: Sequence[TrialRecord], number: int, otherwise: TrialRecord | None
) -> TrialRecord | None:
    return next((trial for trial in trials if trial.number == number), otherwise)


def _with_best(
    bare: OptimizationFinding,
    study: StudyView,
    best: TrialRecord,
    reference: TrialRecord | None,
    proved: Confirmation | None,
) -> OptimizationFinding:
    measured, compared = _metrics(best), _metrics(reference)
    runs = bare.default_failure is None
    effects = _effects(study, measured, compared, proved)
    itself = reference is not None and best.number == reference.number
    groups = Configuration.from_flat(best.parameters)
    found = replace(
        bare,
        trial=best.number,
        default_is_best=runs and itself,
        reference=None if reference is None else reference.number,
        parameters={group: dict(getattr(groups, group)) for group in GROUPS},
        metrics=measured,
        objectives=tuple(objective.metric for objective in study.definition.objectives),
        effects=() if itself and not runs else effects,
        constraints=_standings(study, effects, runs=runs),
        confirmed=proved is not None,
        repeats=proved.winner.repeats if proved else 0,
        significant=proved.significant if proved else False,
    )
    found = _verified(found, study, proved)
    facts = _facts(reference if found.keep_default else best)
    return replace(
        found,
        serve_command=facts.get("serve_command"),
        serve_arguments=ServeArguments.of(facts["serve_arguments"]) if "serve_arguments" in facts else None,
        request_fields=facts.get("request_fields", {}),
    )


def _facts(trial: TrialRecord | None) -> Mapping[str, Any]:
    return trial.outcome.facts if trial and trial.outcome else {}


def _verified(
    found: OptimizationFinding, study: StudyView, proved: Confirmation | None
) -> OptimizationFinding:
    """Return `found` with what the repeats say beside the winner's gains."""
    plan = study.confirm_plan
    if proved is None or plan is None:
        return found
    trials = study.trials()
    metrics = compared_metrics(study.definition, plan.smallest_gain)
    choices = []
    for choice in proved.choices:
        facts = _facts(_numbered(trials, choice.source_trial, None))
        served = facts.get("serve_command"), facts.get("request_fields", {})
        choices.append(ServedChoice(choice, weighted_gain(choice.effects, metrics), *served))
    return replace(found, choices=tuple(choices), notes=proved.notes, variances=proved.variances)


def _standings(study: StudyView, effects: Sequence[Effect], *, runs: bool) -> tuple[Standing, ...]:
    """Return how the best stands to the constraints; `runs`: what it is compared with is the baseline."""
    values = {one.metric: (one.baseline if runs else None, one.value) for one in effects}
    return tuple(standings(study.definition, values))


def _metrics(trial: TrialRecord | None) -> dict[str, float]:
    return dict(trial.outcome.metrics) if trial and trial.outcome else {}


def _effects(
    study: StudyView, best: Mapping[str, float], default: Mapping[str, float], proved: Confirmation | None
) -> tuple[Effect, ...]:
    """Compare the objectives first, proved where they are, then what else was measured of both."""
    directions = {each.metric: each.direction for each in study.definition.objectives}
    others = (*(bound.metric for bound in study.definition.constraints), *SHOWN_METRICS)
    known = {effect.metric: effect for effect in proved.winner.effects} if proved else {}
    repeated = _means_of_repeats(study, proved)
    effects = []
    for metric in dict.fromkeys((*directions, *others)):
        direction = directions.get(metric)
        if metric in known:
            effects.append(known[metric])
        elif metric in repeated:
            effects.append(compare(metric, *repeated[metric], direction=direction))
        elif metric in best and metric in default:
            effects.append(compare(metric, default[metric], best[metric], direction=direction))
    return tuple(effects)


def compare(metric: str, default: float, best: float, *, direction: Direction | None = None) -> Effect:
    """Return how `best` compares with `default`; without a `direction` the metric's own."""
    return unproved_effect(metric, direction or find_metric(metric).direction, default, best)


def _means_of_repeats(study: StudyView, proved: Confirmation | None) -> dict[str, tuple[float, float]]:
    """Return, for each metric that the repeats measured, the reference's and the winner's mean."""
    plan = study.confirm_plan
    if proved is None or plan is None:
        return {}
    runs = measured_repeats(study.trials(), first=plan.first)
    default, best = (
        [outcome.metrics for outcome in runs.get(candidate, {}).values()]
        for candidate in (0, proved.winner.candidate)
    )
    return {
        metric: (fmean(run[metric] for run in default), fmean(run[metric] for run in best))
        for metric in CATALOG
        if default and best and all(metric in run for run in (*default, *best))
    }
