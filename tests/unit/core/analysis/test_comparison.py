"""How candidates compare: who wins, who does not, and how often chance is taken for a winner."""

import dataclasses

import numpy as np
import pytest
from fakes.comparisons import FASTER, SPEED, comparison, measured, repeat
from fakes.records import outcome
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.analysis.comparison import compare
from llmopt_core.analysis.effects import Interval
from llmopt_core.analysis.verification import Note
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import ObjectiveDefinition, OutcomeKind

ACCURACY = ObjectiveDefinition("accuracy", "maximize")
GONE = outcome(OutcomeKind.FAILED, error=ErrorClass.MODEL_NOT_FOUND)


def found(asked, trials, *, objective=FASTER, ended=True):
    return compare(asked, objective, trials, ended=ended)


def scored(scores_by_candidate):
    """Return trials whose accuracy is that of `scores_by_candidate[candidate][repeat][item]`."""
    return [
        repeat(
            which * len(scores_by_candidate) + place,
            place,
            which,
            outcome(
                metrics={"accuracy": float(np.mean(scores))},
                samples={f"i{item}": float(score) for item, score in enumerate(scores)},
            ),
        )
        for place, repeats in enumerate(scores_by_candidate)
        for which, scores in enumerate(repeats)
    ]


def test_a_real_difference_is_found():
    """A candidate that is a fifth faster in every noisy repeat wins, with its interval above zero."""
    trials = measured([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62], [50.5, 50, 50, 49, 52])
    result = found(comparison("default", "slots", "other"), trials)
    difference = result.candidate("slots").against_baseline[SPEED]
    assert result.winner == "slots"
    assert difference.relative == pytest.approx(0.2, abs=0.01)
    assert 0 < difference.relative_interval.low < difference.relative < difference.relative_interval.high
    assert result.verdict.startswith(f"slots wins: {SPEED} +20.")
    assert not result.candidate("other").against_baseline[SPEED].significant


def test_no_difference_is_said_so():
    """Repeats that are now faster, now slower name no winner."""
    result = found(comparison("default", "slots"), measured([50, 60, 40, 55, 45], [60, 42, 50, 44, 58]))
    assert result.winner is None
    assert result.verdict == f"no significant difference in {SPEED}"


def test_the_baseline_wins_where_all_others_are_worse():
    """That no candidate is better than the baseline is a result too, when every other one is shown worse."""
    slow = [20, 21, 20, 19, 20]
    result = found(comparison("default", "a", "b"), measured([50, 51, 49, 50, 52], slow, slow))
    assert result.winner == "default"
    assert "significantly worse" in result.verdict


def test_one_that_is_worse_does_not_make_the_baseline_the_winner():
    """Where another candidate cannot be distinguished from the baseline, neither of the two wins."""
    result = found(comparison("default", "a", "b"), measured([50, 51, 49], [20, 21, 20], [50, 50, 50]))
    assert result.winner is None
    assert result.verdict == f"no significant gain in {SPEED} over default; significantly worse: a"


def test_a_winner_that_another_comes_near_to_says_so():
    """Two candidates that are equally better than the baseline: the faster leads, and is not the only one."""
    trials = measured([50, 51, 49, 50, 52], [80, 83, 79, 81, 80], [81, 82, 78, 82, 81], [52, 51, 50, 49, 50])
    result = found(comparison("default", "a", "b", "c"), trials)
    assert result.winner == "b"
    assert result.level_with == ("a",)
    assert result.verdict.endswith("; not shown to be better than a")


def test_a_latency_is_won_by_the_lower():
    """The objective's goal decides, not the sign."""
    trials = [
        repeat(number, place, which, ttft_ms_p50=value + which)
        for number, (place, which, value) in enumerate(
            (p, r, v) for r in range(4) for p, v in ((0, 90), (1, 50))
        )
    ]
    result = found(
        comparison("default", "a"), trials, objective=ObjectiveDefinition("ttft_ms_p50", "minimize")
    )
    assert result.winner == "a"
    assert result.candidate("a").against_baseline["ttft_ms_p50"].absolute < 0


def test_quality_is_compared_on_the_same_items():
    """Twelve more of twenty items solved are significant, though each candidate's own interval is wide."""
    easy, hard = [1] * 4 + [0] * 16, [1] * 16 + [0] * 4
    result = found(comparison("default", "a"), scored([[easy] * 3, [hard] * 3]), objective=ACCURACY)
    means = result.candidate("a").metrics["accuracy"]
    assert result.winner == "a"
    assert (means.mean, means.repeats) == (pytest.approx(0.8), 3)
    assert means.low < 0.7
    assert means.high > 0.9


@pytest.mark.parametrize(("rivals", "most"), [(1, 0.05 + 3 * 0.011), (15, 0.05)])
@pytest.mark.parametrize("repeats", [2, 5])
def test_chance_is_seldom_taken_for_a_winner_in_speed(rivals, most, repeats):
    """Without any difference, 95 % confidence names a winner in under 5 of 100, with 15 rivals too.

    With one rival it is 5 of 100, half of them the baseline: three standard deviations more are let pass.
    """
    generator = np.random.default_rng(12)
    asked = comparison(*(f"c{place}" for place in range(rivals + 1)), repeats=repeats)
    benchmarks = 400
    won = sum(
        found(asked, measured(*generator.lognormal(4.0, 0.05, size=(rivals + 1, repeats)))).winner is not None
        for _ in range(benchmarks)
    )
    assert won / benchmarks < most


@pytest.mark.parametrize("accuracy", [0.1, 0.5])
def test_chance_is_seldom_taken_for_a_winner_in_quality(accuracy):
    """The same for right and wrong answers to 24 items, whose differences are far from normal."""
    generator = np.random.default_rng(12)
    asked = comparison(*(f"c{place}" for place in range(16)), repeats=2)
    benchmarks = 200
    won = 0
    for _ in range(benchmarks):
        right = generator.random((16, 2, 24)) < accuracy
        won += found(asked, scored(right), objective=ACCURACY).winner is not None
    assert won / benchmarks < 0.05


def test_reporting_more_metrics_hardly_makes_it_harder_to_win():
    """The objective keeps four fifths of the error rate, however many metrics share the rest."""
    trials = [
        dataclasses.replace(
            each,
            outcome=dataclasses.replace(
                each.outcome, metrics=dict(each.outcome.metrics) | {"ttft_ms_p50": 9.0 + each.number}
            ),
        )
        for each in measured([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 62])
    ]

    def widths(*metrics):
        result = found(comparison("default", "a", metrics=metrics), trials).candidate("a").against_baseline
        return [each.relative_interval.high - each.relative_interval.low for each in result.values()]

    alone, single, beside = widths(), widths("ttft_ms_p50"), widths("ttft_ms_p50", "e2e_ms_p50")
    assert single[0] == beside[0] < 1.15 * alone[0]
    assert single[1] < beside[1]


def test_no_difference_is_proved_while_repeats_are_missing():
    """A user who looks early sees values without an interval, which no look can take for a gain."""
    trials = measured([50, 51, 49, 50], [60, 61.5, 59, 60.5])
    effect = found(comparison("default", "a"), trials, ended=False).candidate("a").against_baseline[SPEED]
    assert effect.relative == pytest.approx(0.2, abs=0.01)
    assert effect.relative_interval is None


@pytest.mark.parametrize(("rivals", "repeats"), [(1, 5), (3, 4)])
def test_all_intervals_hold_the_truth_together(rivals, repeats):
    """Of 400 benchmarks of noisy candidates, one in twenty or fewer has an interval that misses."""
    generator = np.random.default_rng(9)
    asked = comparison(*(f"c{place}" for place in range(rivals + 1)), repeats=repeats)
    gains = np.linspace(0, 0.3, rivals + 1)
    missed, benchmarks = 0, 400
    for _ in range(benchmarks):
        noise = generator.normal(0, 0.05, size=(rivals + 1, repeats))
        result = found(asked, measured(*(50 * np.exp(gains[:, None] + noise))))
        missed += any(
            np.expm1(gains[place]) not in result.candidates[place].against_baseline[SPEED].relative_interval
            for place in range(1, rivals + 1)
        )
    assert missed / benchmarks < 0.05 + 3 * np.sqrt(0.05 * 0.95 / benchmarks)


def test_a_disturbed_repeat_does_not_count():
    """What others took the processors from is left out of means and differences alike."""
    trials = measured([50, 51, 49, 50, 52], [60, 61.5, 59, 60.5, 20])
    slow = trials[-1].outcome
    trials[-1] = dataclasses.replace(trials[-1], outcome=dataclasses.replace(slow, disturbed=True))
    result = found(comparison("default", "a"), trials)
    assert result.winner == "a"
    assert result.candidate("a").metrics[SPEED].mean == pytest.approx(60.2, abs=0.5)
    assert result.notes == ()


def test_a_machine_that_was_never_quiet_is_named():
    """The finding says it; its numbers are those that there are."""
    trials = [
        dataclasses.replace(each, outcome=dataclasses.replace(each.outcome, disturbed=True))
        for each in measured([50, 51, 49], [60, 61.5, 59])
    ]
    result = found(comparison("default", "a", repeats=3), trials)
    assert result.notes == (Note.NOT_QUIET,)
    assert result.candidate("a").against_baseline[SPEED].relative == pytest.approx(0.2, abs=0.01)


def test_means_and_differences_agree():
    """What is shown beside each other is one set of numbers."""
    result = found(
        comparison("default", "a", "b"), measured([50, 51, 49, 50], [60, 61, 59, 58], [40, 41, 42, 45])
    )
    for name in ("a", "b"):
        effect, mean = result.candidate(name).against_baseline[SPEED], result.candidate(name).metrics[SPEED]
        assert effect.baseline == pytest.approx(result.candidate("default").metrics[SPEED].mean)
        assert effect.value == pytest.approx(mean.mean)
        assert mean.low < mean.mean < mean.high


def test_the_baseline_may_be_any_candidate():
    """Where the last is the baseline, gains are over it."""
    asked = dataclasses.replace(comparison("a", "b", "default", repeats=3), baseline="default")
    result = found(asked, measured([60, 61, 59], [40, 41, 39], [50, 51, 49]))
    changes = [result.candidate(name).against_baseline[SPEED].relative for name in ("a", "b")]
    assert changes == [pytest.approx(0.2, abs=0.02), pytest.approx(-0.2, abs=0.02)]
    assert result.winner == "a"
    assert result.candidate("default").against_baseline == {}


def test_nothing_is_decided_while_repeats_are_missing():
    """An early look shows means and intervals, but no winner: repeated looks would find one by chance."""
    trials = measured([50, 51, 49, 50], [60, 61.5, 59, 60.5])
    early = found(comparison("default", "a"), trials, ended=False)
    assert early.winner is None
    assert early.verdict == "undecided: 8 of 10 repeats are done"
    assert found(comparison("default", "a"), trials, ended=True).winner == "a"


def test_a_candidate_that_was_never_measured_is_named_with_its_failure():
    """The comparison of the others stands; the one that is missing is said, and why."""
    trials = measured([50, 51, 49], [60, 61, 60], [GONE] * 3)
    result = found(comparison("default", "a", "lost", repeats=3), trials)
    assert result.winner == "a"
    assert result.verdict.endswith("; not measured: lost (ModelNotFound)")
    assert result.candidate("lost").failure.error_class is ErrorClass.MODEL_NOT_FOUND
    assert (result.finished, result.measured, result.planned) == (9, 6, 9)


@pytest.mark.parametrize(
    ("names", "trials", "verdict"),
    [
        (("default",), measured([50, 51]), "one candidate"),
        (("default", "a"), measured([GONE] * 2, [50, 51]), "the baseline default was not measured"),
        (("default", "a"), measured([50, 51], [GONE] * 2), "no candidate beside default was measured"),
    ],
)
def test_what_cannot_be_compared_says_why(names, trials, verdict):
    """Without a baseline, or without anything beside it, there is no winner and no empty table."""
    result = found(comparison(*names, repeats=2), trials)
    assert result.winner is None
    assert verdict in result.verdict


def test_a_repeat_that_was_run_again_counts_once():
    """A failure that was fixed is forgotten: the repeat stands by its last trial."""
    trials = [*measured([50, 51], [GONE, 61]), repeat(9, 1, 0, **{SPEED: 60.0})]
    result = found(comparison("default", "a", repeats=2), trials)
    assert result.candidate("a").repeats == 2
    assert result.candidate("a").failure is None


def test_differences_are_reported_in_the_metrics_own_unit_too():
    """A fifth more than 50 tokens a second are 10 tokens a second."""
    result = found(comparison("default", "a"), measured([50, 50, 50], [60, 60, 60]))
    effect = result.candidate("a").against_baseline[SPEED]
    assert effect.absolute == pytest.approx(10.0)
    assert effect.absolute_interval == Interval(pytest.approx(10.0), pytest.approx(10.0))


def test_a_metric_that_was_not_measured_is_left_out():
    """Asking for GPU memory on a machine without a GPU costs nothing else."""
    result = found(comparison("default", "a", metrics=("peak_gpu_memory_mib",)), measured([50, 51], [60, 61]))
    assert result.metrics == (SPEED, "peak_gpu_memory_mib")
    assert set(result.candidate("a").metrics) == {SPEED}


@given(
    st.lists(
        st.lists(st.floats(1e-3, 1e6), min_size=3, max_size=3),
        min_size=2,
        max_size=5,
    )
)
@settings(max_examples=60)
def test_significance_and_interval_never_disagree(speeds):
    """A difference is significant exactly when its interval leaves zero out, and a winner is significant."""
    names = tuple(f"c{place}" for place in range(len(speeds)))
    result = found(comparison(*names, repeats=3), measured(*speeds))
    for each in result.candidates[1:]:
        difference = each.against_baseline[SPEED]
        assert difference.significant == (0 not in difference.absolute_interval)
        assert difference.absolute in difference.absolute_interval
        assert difference.relative in difference.relative_interval
    if result.winner in names[1:]:
        assert result.candidate(result.winner).against_baseline[SPEED].better
