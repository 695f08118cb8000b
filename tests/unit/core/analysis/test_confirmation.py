"""What the interleaved repeats prove."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from fakes.records import outcome, trial

from llmopt_core.analysis.confirmation import confirmation, prove
from llmopt_core.analysis.verification import Note
from llmopt_core.api.verdicts import Verdict
from llmopt_core.search.spaces import SearchSpace
from llmopt_core.storage.documents import EndReason
from llmopt_core.storage.records import (
    ConfirmPlan,
    ConstraintDefinition,
    ObjectiveDefinition,
    Phase,
    StudyDefinition,
)

SPEED = ObjectiveDefinition("output_tokens_per_second", "maximize")
ACCURACY = ObjectiveDefinition("accuracy", "maximize")
TTFT = ObjectiveDefinition("ttft_ms_p50", "minimize")


def definition(*objectives, constraints=()):
    return StudyDefinition("study", "f", SearchSpace(()), objectives, constraints)


def plan(rivals, repeats):
    candidates = ({}, *({"engine.n_parallel": n} for n in range(1, rivals + 1)))
    return ConfirmPlan(candidates, tuple(range(rivals + 1)), repeats)


def repeats_of(candidate, runs):
    """Return confirm trials of one candidate; `runs` holds metrics, with `samples` taken out."""
    return [
        trial(
            candidate * 100 + number,
            outcome(metrics={k: v for k, v in run.items() if k != "samples"}, samples=run.get("samples")),
            phase=Phase.CONFIRM,
            candidate=candidate,
            repeat=number,
        )
        for number, run in enumerate(runs)
    ]


def speeds(*values):
    return [{"output_tokens_per_second": value} for value in values]


def test_a_clear_gain_in_speed_is_significant():
    """Twice as fast in every repeat is a gain of 100 %, whose interval lies above zero."""
    trials = repeats_of(0, speeds(50, 51, 49, 50, 52)) + repeats_of(1, speeds(100, 101, 99, 102, 103))
    found = prove(plan(1, 5), trials, definition(SPEED))
    (gain,) = found.winner.effects
    assert gain.relative == pytest.approx(1.0, abs=0.03)
    assert gain.absolute == pytest.approx(50, abs=1.5)
    assert 0 < gain.relative_interval.low <= gain.relative <= gain.relative_interval.high
    assert gain.better
    assert found.significant


def test_an_intermediate_look_proves_nothing():
    """However clear it looks after two repeats, it is reported as it is when the study has ended."""
    trials = repeats_of(0, speeds(50, 51)) + repeats_of(1, speeds(100, 101))
    study = SimpleNamespace(
        ended=None, confirm_plan=plan(1, 5), trials=lambda: trials, definition=definition(SPEED)
    )
    assert confirmation(study) is None
    study.ended = EndReason("DeadlineExceeded", "the time is over")
    assert confirmation(study).significant


def test_noise_is_no_gain():
    """Repeats that are now faster, now slower prove nothing, and it is said so."""
    trials = repeats_of(0, speeds(50, 60, 40, 55, 45)) + repeats_of(1, speeds(60, 42, 50, 44, 58))
    found = prove(plan(1, 5), trials, definition(SPEED))
    assert 0 in found.winner.effects[0].relative_interval
    assert not found.significant


def test_scores_are_compared_item_by_item():
    """A candidate that solves three more of the same twenty items is measured on these three."""
    items = {f"i{n}": float(n < 5) for n in range(20)}
    better = {f"i{n}": float(n < 15) for n in range(20)}
    trials = repeats_of(0, [{"accuracy": 0.25, "samples": items}] * 3)
    trials += repeats_of(1, [{"accuracy": 0.75, "samples": better}] * 3)
    (gain,) = prove(plan(1, 3), trials, definition(ACCURACY)).winner.effects
    assert gain.absolute == pytest.approx(0.5)
    assert gain.better


def test_a_lower_latency_is_better():
    """For a metric to be minimised the interval must lie below zero."""
    before = [{"ttft_ms_p50": 100.0 + n} for n in range(5)]
    after = [{"ttft_ms_p50": 50.0 + n} for n in range(5)]
    (gain,) = prove(plan(1, 5), repeats_of(0, before) + repeats_of(1, after), definition(TTFT)).winner.effects
    assert gain.absolute < 0
    assert gain.better


def test_better_in_one_and_worse_in_another_objective_is_not_called_a_gain():
    """A winner that pays for its speed with a significant loss elsewhere is not sold as a gain."""
    before = [{"output_tokens_per_second": 50.0 + n, "ttft_ms_p50": 50.0 + n} for n in range(5)]
    after = [{"output_tokens_per_second": 200.0 + n, "ttft_ms_p50": 90.0 + n} for n in range(5)]
    found = prove(plan(1, 5), repeats_of(0, before) + repeats_of(1, after), definition(SPEED, TTFT))
    assert [effect.verdict for effect in found.winner.effects] == [Verdict.BETTER, Verdict.WORSE]
    assert not found.significant


def test_the_winner_is_the_best_of_the_repeats_not_of_the_search():
    """The second candidate wins when it is the faster one where both were run again."""
    trials = repeats_of(0, speeds(50, 50, 50)) + repeats_of(1, speeds(55, 56, 55))
    trials += repeats_of(2, speeds(80, 81, 80))
    assert prove(plan(2, 3), trials, definition(SPEED)).winner.candidate == 2


def test_a_candidate_that_breaks_a_constraint_in_the_repeats_cannot_win():
    """What was fast enough in the search and is not on held-out items is no winner."""
    trials = repeats_of(0, speeds(50, 50, 50)) + repeats_of(1, speeds(55, 56, 55))
    trials += repeats_of(2, speeds(80, 81, 80))
    limit = ConstraintDefinition("output_tokens_per_second", maximum=60)
    assert prove(plan(2, 3), trials, definition(SPEED, constraints=(limit,))).winner.candidate == 1


def test_where_no_candidate_keeps_the_constraints_nothing_is_to_choose_from():
    """What was measured of the best of them is reported, and it is no gain."""
    trials = repeats_of(0, speeds(50, 50, 50)) + repeats_of(1, speeds(70, 71, 70))
    trials += repeats_of(2, speeds(80, 81, 80))
    limit = ConstraintDefinition("output_tokens_per_second", maximum=60)
    found = prove(plan(2, 3), trials, definition(SPEED, constraints=(limit,)))
    assert (found.winner.candidate, found.choices, found.significant) == (2, (), False)
    assert found.winner.significant


def test_relative_constraints_hold_against_the_baselines_own_repeats():
    """In the search the baseline was lucky; held-out items say what it really does, and bound the winner."""
    limit = ConstraintDefinition("ttft_ms_p50", maximum=0.1, relative_to="baseline")
    made = definition(SPEED, constraints=(limit,))

    def runs(speed, ttft):
        return [{"output_tokens_per_second": speed + n, "ttft_ms_p50": ttft} for n in range(3)]

    trials = repeats_of(0, runs(50, 100.0)) + repeats_of(1, runs(55, 109.0)) + repeats_of(2, runs(80, 112.0))
    assert prove(plan(2, 3), trials, made).winner.candidate == 2  # the reference is no baseline
    lucky = outcome(metrics={"output_tokens_per_second": 50.0, "ttft_ms_p50": 200.0})
    baseline = trial(0, lucky, phase=Phase.BASELINE)
    assert prove(plan(2, 3), [baseline, *trials], made).winner.candidate == 1


def test_the_interval_widens_with_the_number_of_rivals():
    """The best of several on the same repeats is lucky: its interval is corrected for their number."""
    base = repeats_of(0, speeds(50, 54, 46, 52, 48, 50, 51, 47))
    one = repeats_of(1, speeds(60, 57, 63, 61, 59, 66, 58, 60))
    noise = (2, -2, 4, -4, 1, -1, 3, -3)
    more = [t for n in (2, 3, 4) for t in repeats_of(n, speeds(*[40.0 + n + each for each in noise]))]
    alone = prove(plan(1, 8), base + one, definition(SPEED)).winner.effects[0].relative_interval
    among = prove(plan(4, 8), base + one + more, definition(SPEED)).winner.effects[0].relative_interval
    assert among.low < alone.low < alone.high < among.high


def test_a_plan_that_ended_early_reports_the_interval_of_its_looks():
    """The stored plan says at which level: narrower than by what its looks decide, with the same verdict."""
    trials = repeats_of(0, speeds(50, 51, 49)) + repeats_of(1, speeds(100, 101, 99))
    whole = replace(plan(1, 5), level=0.01, first_look=3)
    wide, narrow = (
        prove(replace(whole, spent=spent), trials, definition(SPEED)).winner.effects[0]
        for spent in ((), (0.05, 0.02, 0.01))
    )
    assert wide.relative_interval.low < narrow.relative_interval.low < narrow.relative_interval.high
    assert wide.better
    assert narrow.better


def test_disturbed_repeats_are_counted_and_named():
    """Where most were disturbed they are all that there is: they count, and the doubt is reported."""
    trials = [
        replace(each, outcome=replace(each.outcome, disturbed=True))
        for each in repeats_of(0, speeds(50, 51, 49)) + repeats_of(1, speeds(100, 101, 99))
    ]
    found = prove(plan(1, 3), trials, definition(SPEED))
    assert found.notes == (Note.NOT_QUIET,)
    assert found.winner.effects[0].better


def test_several_repeats_on_one_start_are_one_round():
    """Four repeats on two starts are two rounds: starts are what is independent."""
    runs = [speeds(50, 50.1, 53, 53.1), speeds(60, 60.1, 57, 57.1)]
    trials = repeats_of(0, runs[0]) + repeats_of(1, runs[1])
    apart, together = (
        prove(replace(plan(1, 4), per_start=each), trials, definition(SPEED)).winner for each in (1, 2)
    )
    assert apart.repeats == together.repeats == 4
    width = [each.effects[0].relative_interval.high for each in (apart, together)]
    assert width[0] < width[1]


@pytest.mark.parametrize("trials", [[], repeats_of(0, speeds(50, 50)), repeats_of(1, speeds(50, 50))])
def test_nothing_is_proved_without_both_sides(trials):
    """Without repeats of the default or of a candidate there is no comparison."""
    assert prove(plan(1, 2), trials, definition(SPEED)) is None


def test_no_plan_proves_nothing():
    """A study that was never confirmed has no proof."""
    assert prove(None, [], definition(SPEED)) is None
