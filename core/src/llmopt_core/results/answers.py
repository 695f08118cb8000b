"""Answers of two configurations side by side: of which trials, and what each item was answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.resources.status import BenchmarkStatus, OptimizationStatus, Status
from llmopt_core.storage.answers import Question
from llmopt_core.storage.records import Answer, TrialRecord
from llmopt_core.storage.repeats import measured_repeats
from llmopt_core.storage.studies import Study
from llmopt_core.storage.views import StudyView


class NoAnswers(LlmoptError):
    """There are no answers to show; the message says why and what to do."""


@dataclass(frozen=True)
class Side:
    """A configuration whose answers are shown: what to call it, and the trial that they are of."""

    title: str
    trial: int


@dataclass(frozen=True)
class AnswerPair:
    """One item, and what both configurations answered; None where that is not stored."""

    question: Question
    first: Answer | None
    second: Answer | None

    @property
    def change(self) -> float:
        """The second's score less the first's, 0 where one of them has none."""
        scores = [None if answer is None else answer.score for answer in (self.first, self.second)]
        return 0.0 if scores[0] is None or scores[1] is None else scores[1] - scores[0]


@dataclass(frozen=True)
class AnswerComparison:
    """The answers of two configurations to the same items, in the order of the items."""

    first: Side
    second: Side
    pairs: tuple[AnswerPair, ...]

    def mean_score(self, side: Side) -> float | None:
        """Return the mean score of the shown answers of `side`; None where nothing scored them."""
        answers = (pair.first if side == self.first else pair.second for pair in self.pairs)
        scores = [answer.score for answer in answers if answer is not None and answer.score is not None]
        return fmean(scores) if scores else None

    def changed_first(self) -> tuple[AnswerPair, ...]:
        """Return the pairs, those whose scores differ before the others."""
        return tuple(sorted(self.pairs, key=lambda pair: pair.change == 0.0))


def compared_sides(study: StudyView, status: Status) -> tuple[Side, Side]:
    """Return what is compared unless a person says otherwise: the baseline, and what the study found.

    Where both were measured again on held-out items, these are their first such repeats, else the trials of
    the search. Raises NoAnswers.
    """
    sides = _candidates(study, status) if isinstance(status, BenchmarkStatus) else _searched(study, status)
    if sides is None:
        raise NoAnswers("fewer than two configurations were measured: there is nothing to compare yet")
    return sides


def chosen_sides(study: StudyView, first: int, second: int) -> tuple[Side, Side]:
    """Return trials `first` and `second` as sides; raises NoAnswers where one of them is not measured."""
    known = {trial.number: trial for trial in study.trials()}
    for number in (first, second):
        if number not in known or known[number].outcome is None:
            raise NoAnswers(
                f"--trials: trial {number} has not ended or is not there; `llmopt report` lists them"
            )
    return Side(f"trial {first}", first), Side(f"trial {second}", second)


def compare_answers(study: Study, sides: tuple[Side, Side]) -> AnswerComparison:
    """Return the stored answers of both `sides`; raises NoAnswers where one of them has none."""
    copied = {trial.number: _source(trial) for trial in study.trials()}
    answers = [{each.item: each for each in study.answers.of(copied[side.trial])} for side in sides]
    for side, found in zip(sides, answers, strict=True):
        if not found:
            raise NoAnswers(
                f"no answers of trial {side.trial} ({side.title}) are stored: release 0.1.0 measured it, it"
                " was not measured whole, or nothing scores its answers (workload.outputTokens)"
            )
    questions = study.answers.questions()
    first, second = answers
    pairs = tuple(
        AnswerPair(questions.get(item, Question(item, "")), first.get(item), second.get(item))
        for item in dict.fromkeys((*first, *second))
    )
    return AnswerComparison(*sides, pairs)


def _source(trial: TrialRecord) -> int:
    """Return the trial whose measurement this one shows: another one where it was copied."""
    copied = None if trial.outcome is None else trial.outcome.copied_from
    return trial.number if copied is None else copied


def _searched(study: StudyView, status: OptimizationStatus) -> tuple[Side, Side] | None:
    best = status.best
    if best is None or best.reference is None:
        return None
    reference, other = best.reference, best.trial
    if other == reference:  # nothing is better: then what came next
        other = next((trial.trial for trial in status.top if trial.trial != reference), reference)
    if other == reference:
        return None
    runs = status.baseline_failure is None
    title = "baseline" if runs else f"reference (trial {reference})"
    titles = (title, f"best (trial {other})" if other == best.trial else f"trial {other}")
    trials = _repeats(study, (reference, other)) or (reference, other)
    return Side(titles[0], trials[0]), Side(titles[1], trials[1])


def _repeats(study: StudyView, sources: tuple[int, int]) -> tuple[int, int] | None:
    """Return the first repeats of two trials of the search, None where they were not both repeated."""
    plan = study.confirm_plan
    if plan is None or not set(sources) <= set(plan.source_trials):
        return None
    places = [plan.first + plan.source_trials.index(source) for source in sources]
    return _first_repeats(study.trials(), places)


def _candidates(study: StudyView, status: BenchmarkStatus) -> tuple[Side, Side] | None:
    names = [each.candidate for each in status.results]
    if status.baseline not in names:
        return None
    rivals = [each.candidate for each in status.results if each.candidate != status.baseline and each.repeats]
    second = status.winner if status.winner in rivals else next(iter(rivals), None)
    if second is None:
        return None
    trials = _first_repeats(study.trials(), [names.index(status.baseline), names.index(second)])
    return None if trials is None else (Side(status.baseline, trials[0]), Side(second, trials[1]))


def _first_repeats(trials: Sequence[TrialRecord], candidates: Sequence[int]) -> tuple[int, int] | None:
    """Return the trials of the first repeat that was measured of both `candidates`."""
    runs = measured_repeats(trials)
    shared = set.intersection(*(set(runs.get(candidate, {})) for candidate in candidates))
    if not shared:
        return None
    outcomes = [runs[candidate][min(shared)] for candidate in candidates]
    return _number(trials, outcomes[0]), _number(trials, outcomes[1])


def _number(trials: Iterable[TrialRecord], outcome: object) -> int:
    return next(trial.number for trial in trials if trial.outcome is outcome)
