import random
import time

import numpy as np
import pytest
from fakes.races import World
from fakes.studies import TWO_OBJECTIVES, definition

from llmopt_core.sampling.optuna_pruning import TrialPruning
from llmopt_core.sampling.pruning import pruning_of
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.documents import Assignment, Ending
from llmopt_core.storage.measured_items import MeasuredItem
from llmopt_core.storage.records import ConstraintDefinition, Outcome, OutcomeKind, Phase, TrialRecord
from llmopt_core.storage.snapshot import StoredTrial

SAMPLES = 60


def _finished(number, scores, *, phase=Phase.SEARCH, kind=OutcomeKind.MEASURED):
    metrics = {"accuracy": sum(scores) / len(scores)}
    outcome = Outcome(kind, Configuration(), metrics=metrics)
    record = TrialRecord(number, phase, "finished", {}, "runner", outcome, 0.0, 1.0)
    return StoredTrial(number, Assignment(phase), Ending(outcome, tuple(enumerate(scores))), record)


def _scores(rate, seed):
    chance = random.Random(seed)
    return [float(chance.random() < rate) for _ in range(SAMPLES)]


def _item(score):
    return MeasuredItem(score, e2e_ms=1.0)


def _stopped_after(pruning, scores):
    order = random.Random(0).sample(range(len(scores)), len(scores))
    for count, index in enumerate(order, start=1):
        if pruning.report(index, _item(scores[index])):
            return count
    return None


@pytest.mark.parametrize("pruner", ["wilcoxon", "median"])
def test_hopeless_trial_is_stopped_early(pruner):
    """A trial that gets everything wrong against a good one is stopped, but not before six samples."""
    before = [_finished(number, _scores(0.9, number)) for number in range(6)]
    stopped = _stopped_after(TrialPruning(definition(pruner=pruner), before), [0.0] * SAMPLES)
    assert stopped is not None
    assert 6 <= stopped <= SAMPLES // 2


@pytest.mark.parametrize("pruner", ["wilcoxon", "median"])
def test_better_trial_is_not_stopped(pruner):
    """A trial that is better than all before it runs to its end."""
    before = [_finished(number, _scores(0.3, number)) for number in range(6)]
    assert _stopped_after(TrialPruning(definition(pruner=pruner), before), [1.0] * SAMPLES) is None


def test_wilcoxon_seldom_stops_an_equal_trial():
    """Of forty trials as good as the best, most run to their end."""
    best = [_finished(0, _scores(0.6, 1))]
    stopped = [
        _stopped_after(TrialPruning(definition(pruner="wilcoxon"), best), _scores(0.65, seed))
        for seed in range(2, 42)
    ]
    assert sum(count is None for count in stopped) >= 20


def test_lower_can_be_better():
    """With an objective to minimize, high scores are the hopeless ones."""
    made = definition(pruner="wilcoxon", objectives=(type(TWO_OBJECTIVES[0])("accuracy", "minimize"),))
    before = [_finished(0, _scores(0.1, 1))]
    assert _stopped_after(TrialPruning(made, before), [1.0] * SAMPLES) is not None


def test_samples_the_best_lacks_are_passed_over():
    """Samples that the best trial has no score for, or that have none themselves, neither warn nor stop."""
    pruning = TrialPruning(definition(pruner="wilcoxon"), [_finished(0, [1.0] * 5)])
    assert not any(pruning.report(index, _item(0.0)) for index in range(SAMPLES))
    assert not pruning.report(SAMPLES, _item(float("nan")))


def test_reports_are_quick():
    """Sixty reports take milliseconds each, whatever ties the scores have: they come amid a measurement."""
    pruning = TrialPruning(definition(pruner="wilcoxon"), [_finished(0, _scores(0.6, 1))])
    began = time.process_time()
    for index, score in enumerate(_scores(0.65, 5)):
        pruning.report(index, _item(score))
    assert time.process_time() - began < 0.6


@pytest.mark.parametrize(
    "rival",
    [
        _finished(0, [1.0] * SAMPLES, phase=Phase.CONFIRM),
        _finished(0, [1.0] * SAMPLES, kind=OutcomeKind.PRUNED),
        _finished(0, [1.0] * SAMPLES, kind=OutcomeKind.INVALID),
    ],
)
def test_only_whole_trials_of_the_search_are_rivals(rival):
    """Repeats, pruned and invalid trials are nothing to compare with."""
    assert _stopped_after(TrialPruning(definition(pruner="wilcoxon"), [rival]), [0.0] * SAMPLES) is None


def test_infeasible_trial_is_no_rival():
    """A trial that breaks a constraint must not stop one that keeps it."""
    made = definition(pruner="wilcoxon", constraints=(ConstraintDefinition("accuracy", maximum=0.9),))
    assert _stopped_after(TrialPruning(made, [_finished(0, [1.0] * SAMPLES)]), [0.0] * SAMPLES) is None


def test_several_objectives_are_not_pruned():
    """With several objectives, or without a pruner, nothing is stopped."""
    assert pruning_of(definition(pruner="wilcoxon"), ()) is not None
    assert pruning_of(definition(pruner="wilcoxon", objectives=TWO_OBJECTIVES), ()) is None
    assert pruning_of(definition(pruner="none"), ()) is None


def _raced(objectives=TWO_OBJECTIVES):
    """Return the pruning of a trial after four good ones of sixty items, and what a hopeless one measures."""
    world, chance = World(), np.random.default_rng(1)
    lengths = world.lengths(chance)
    records = [world.record(number, world.trial(chance, lengths)) for number in range(4)]
    before = [
        StoredTrial(each.number, Assignment(each.phase), Ending(each.outcome), each) for each in records
    ]
    hopeless = world.trial(chance, lengths, quality=0.0, speed=0.2)
    return pruning_of(definition(pruner="auto", objectives=objectives), before), hopeless


def test_auto_stops_a_hopeless_trial_with_several_objectives():
    """It is stopped at the end of a block; what is there after that is not looked at."""
    pruning, hopeless = _raced()
    stops = [pruning.report(place, item) for place, item in enumerate(hopeless)]
    assert stops.index(True) + 1 in {12, 24, 36, 48}
    assert pruning.scores == ()


def test_auto_waits_for_items_that_are_under_way():
    """Without its first item no block is whole: the slowest answers of a trial come last."""
    pruning, hopeless = _raced()
    assert not any(pruning.report(place, hopeless[place]) for place in range(1, 60))
    assert pruning.report(0, hopeless[0])


def test_auto_begins_with_the_fifth_trial():
    """Before four trials are measured none is stopped."""
    assert pruning_of(definition(pruner="auto", objectives=TWO_OBJECTIVES), ()) is None


def test_scores_are_kept_in_order():
    """What was reported is kept to be stored with the trial's end."""
    pruning = TrialPruning(definition(pruner="wilcoxon"), [])
    for index in (3, 0, 2):
        pruning.report(index, _item(1.0))
    assert pruning.scores == ((3, 1.0), (0, 1.0), (2, 1.0))
