"""Which earlier studies a new one learns from, and what of them: settled once, before its first trial.

Those that the manifest names, whatever they were measured on, and finished ones of the same engine on the
same kind of machine, of the same model first. Where it is not known what engine or machine it was, a study is
not used. Rows of other studies are read with limits; what cannot be read is left out.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from llmopt_core.analysis.summary import rank
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.sampling.checks import AUTO
from llmopt_core.storage.access import Access
from llmopt_core.storage.documents import dump, load
from llmopt_core.storage.earlier import EARLIER, MOST_STUDIES, MOST_TRIALS, EarlierStudy, EarlierTrial
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.records import OutcomeKind, Phase, Serving, StudyDefinition, TrialRecord
from llmopt_core.storage.studies import Study

log = logging.getLogger(__name__)

# Of the studies that have ended, so many of the newest are looked at.
MOST_LOOKED_AT = 20
# How much of another study is read.
LIMITS = Access(
    document_bytes=2**20,
    batch_bytes=16 * 2**20,
    most_trials=5_000,
    kept_bytes=64 * 2**20,
    answer_seconds=20.0,
    search_details=False,
)
# With fewer measured trials a study says too little.
_LEAST_TRIALS = 5
# Of many trials the best are kept, and the others evenly.
_BEST = MOST_TRIALS // 4
# Prompts can be long: studies beyond this are left out, the least alike first.
_MOST_BYTES = 2**20
Opener = Callable[[], Study]


@dataclass(frozen=True)
class Elsewhere:
    """Earlier studies that may be opened; each opener raises LlmoptError where that cannot be done.

    `named` are those that the manifest names, `finished` those that have ended, the newest first.
    """

    named: tuple[Opener, ...] = ()
    finished: tuple[Opener, ...] = ()


@dataclass(frozen=True)
class _Found:
    asked: bool
    same_model: bool
    lesson: EarlierStudy


def settle_lessons(study: Study, machine: str, elsewhere: Elsewhere) -> None:
    """Settle what `study`, of which no trial has begun, learns from: all its runners learn the same.

    `machine` is what it is measured on, empty where that is not known. Nothing happens where its sampler
    learns from no other study, or where that was settled already.
    """
    definition = study.definition
    if definition.sampler != AUTO or definition.comparison is not None:
        return
    if study.lessons.kept is not None or any(trial.state != "waiting" for trial in study.trials()):
        return
    study.lessons.keep(_bounded(_lessons(definition, machine, elsewhere)))


def _lessons(definition: StudyDefinition, machine: str, elsewhere: Elsewhere) -> list[EarlierStudy]:
    """Return what there is to learn from, what the manifest names first, then studies of the same model."""
    found: dict[str, _Found] = {}
    for opener, asked in _openers(elsewhere):
        try:
            other = opener()
            lesson = None if other.definition.name in found else _lesson(other, definition, machine, asked)
        except LlmoptError as error:
            log.warning("an earlier study is not learned from: %s", error)
            continue
        if lesson is not None:
            same = _model(other.definition) == _model(definition)
            found[other.definition.name] = _Found(asked, same, lesson)
    ordered = sorted(found.values(), key=lambda each: (not each.asked, not each.same_model))
    return [each.lesson for each in ordered[:MOST_STUDIES]]


def _openers(elsewhere: Elsewhere) -> Iterator[tuple[Opener, bool]]:
    yield from ((opener, True) for opener in elsewhere.named)
    yield from ((opener, False) for opener in elsewhere.finished[:MOST_LOOKED_AT])


def _lesson(
    other: Study,
    definition: StudyDefinition,
    machine: str,
    asked: bool,  # noqa: FBT001 - private
) -> EarlierStudy | None:
    """Return what `other` shows, None where that is too little, or not of this engine and machine."""
    theirs = other.definition
    if theirs.name == definition.name or theirs.comparison is not None:
        return None
    if not asked and not (machine and _same_engine(theirs.serving, definition.serving)):
        return None
    machines = {runner.name: runner.machine for runner in other.runners()}
    trials = [
        trial
        for trial in _best_first(other)
        if _is_usable(trial) and (asked or machines.get(trial.runner or "") == machine)
    ]
    kept = [
        earlier for trial in _spread(trials) if (earlier := _earlier_trial(trial, definition)) is not None
    ]
    return _checked(EarlierStudy(theirs.resource, tuple(kept))) if len(kept) >= _LEAST_TRIALS else None


def _checked(lesson: EarlierStudy) -> EarlierStudy:
    """Return `lesson` as every runner reads it; raises StudyUnreadable where none could.

    What another program wrote into its rows must not make this study unreadable.
    """
    name = "what an earlier study measured"
    try:
        text = dump((lesson,))
    except ValueError as error:  # no number, such as an infinite one
        raise StudyUnreadable(f"{name} cannot be kept: {error}") from None
    return load(EARLIER, text, name)[0]


def _best_first(study: Study) -> list[TrialRecord]:
    best = rank(study)
    numbers = {trial.number for trial in best}
    return [*best, *(trial for trial in study.trials() if trial.number not in numbers)]


def _is_usable(trial: TrialRecord) -> bool:
    """Say whether all of `trial` was measured; what is a copy of another adds nothing."""
    outcome = trial.outcome
    return trial.phase is not Phase.CONFIRM and outcome is not None and outcome.kind is OutcomeKind.MEASURED


def _spread(trials: list[TrialRecord]) -> list[TrialRecord]:
    """Return at most `MOST_TRIALS` of `trials`, which are sorted: the first ones, and the others evenly."""
    best, others = trials[:_BEST], trials[_BEST:]
    if not others:
        return best
    places = np.unique(np.linspace(0, len(others) - 1, MOST_TRIALS - _BEST).astype(int))
    return [*best, *(others[place] for place in places)]


def _earlier_trial(trial: TrialRecord, definition: StudyDefinition) -> EarlierTrial | None:
    """Return the searched parameters and the metrics of `trial`; None where it has none of the metrics."""
    assert trial.outcome is not None  # noqa: S101 - it was measured
    values, metrics = trial.outcome.configuration.flat(), trial.outcome.metrics
    wanted = [each.metric for each in definition.objectives]
    wanted += [each.metric for each in definition.constraints]
    known = {name: float(metrics[name]) for name in wanted if name in metrics}
    parameters = {name: values[name] for name in definition.space.names() if name in values}
    return EarlierTrial(parameters, known) if known and parameters else None


def _same_engine(one: Serving | None, other: Serving | None) -> bool:
    """Say whether both started the same engine; what runs elsewhere is on a machine that nobody knows."""
    if one is None or other is None:
        return False
    return one.engine_name == other.engine_name and not (
        one.engine.get("endpoint") or other.engine.get("endpoint")
    )


def _model(definition: StudyDefinition) -> str:
    return "" if definition.serving is None else definition.serving.model_source


def _bounded(studies: list[EarlierStudy]) -> tuple[EarlierStudy, ...]:
    """Return the first of `studies` that together are not too long."""
    while len(dump(tuple(studies))) > _MOST_BYTES:
        studies = studies[:-1]
    return tuple(studies)
