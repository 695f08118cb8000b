"""What measured blocks say of candidates against the baseline."""

import pytest

from llmopt_core.analysis.blocks import (
    Block,
    ComparedMetric,
    Slot,
    compare_blocks,
    components_of,
    quiet_share,
    usable,
)
from llmopt_core.analysis.sequential import Boundary
from llmopt_core.api.verdicts import Verdict

SPEED = ComparedMetric("requests_per_second", "maximize", "ratio")
ACCURACY = ComparedMetric("accuracy", "maximize", "bounded", per_item=True)
GOODPUT = ComparedMetric("goodput_ratio", "maximize", "bounded")
ORDINARY = Boundary(0.05, 2)
ENGINES = ("a", "b", "c")


def block(candidate, round_, value=1.0, *, metric=SPEED.metric, scores=(), disturbed=False):
    named = {f"i{place}": score for place, score in enumerate(scores)}
    return Block(Slot(round_, candidate), 0, {metric: value}, named, disturbed=disturbed)


def speeds(**runs):
    """Return the blocks in the order of a plan: every second round backwards."""
    return [
        block(int(name[1:]), round_, values[round_])
        for round_ in range(len(runs["c0"]))
        for name, values in (reversed(runs.items()) if round_ % 2 else runs.items())
    ]


def test_speeds_are_compared_as_quotients():
    """Twice as fast in every round is +100 %."""
    found = compare_blocks(SPEED, speeds(c0=(40, 41, 40), c1=(80, 82, 80)), ENGINES, ORDINARY, look=3)[1]
    assert found.effect.relative == pytest.approx(1.0, abs=0.01)
    assert found.effect.verdict is Verdict.BETTER


def test_a_zero_is_compared_as_a_difference():
    """A speed of 0 has no quotient; the difference still says what is better."""
    found = compare_blocks(SPEED, speeds(c0=(0, 0.1, 0), c1=(5, 5.1, 4.9)), ENGINES, ORDINARY, look=3)[1]
    assert found.effect.absolute == pytest.approx(5, abs=0.1)
    assert found.effect.verdict is Verdict.BETTER


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_what_cannot_be_below_zero_loses_at_most_all_of_itself(direction):
    """A trend is taken off the estimate, and few rounds have wide intervals; a speed stays one."""
    metric = ComparedMetric(SPEED.metric, direction, "ratio")
    found = compare_blocks(metric, speeds(c0=(9, 2, 0.5), c1=(0, 0.1, 0)), ENGINES, ORDINARY, look=3)[1]
    assert found.interval.low < -found.base  # before it is bounded
    assert found.effect.relative_interval.low == pytest.approx(-1)
    assert found.effect.value >= 0


def test_before_the_first_look_there_is_a_value_but_no_interval():
    """One round measures, but proves nothing."""
    found = compare_blocks(SPEED, speeds(c0=(10,), c1=(20,)), ENGINES, ORDINARY, look=1)[1]
    assert found.effect.relative == pytest.approx(1.0)
    assert found.effect.verdict is Verdict.UNDECIDED


def test_scores_are_compared_item_by_item():
    """Twenty of forty items gained, in two rounds, are significant; the baseline is of the same items."""
    blocks = [
        block(candidate, round_, scores=scores)
        for round_ in range(2)
        for candidate, scores in ((0, [0] * 20 + [1] * 20), (1, [1] * 40))
    ]
    effect = compare_blocks(ACCURACY, blocks, ENGINES, ORDINARY, look=2)[1].effect
    assert (effect.baseline, effect.value) == (pytest.approx(0.5), pytest.approx(1.0))
    assert effect.verdict is Verdict.BETTER


def test_a_score_without_items_is_compared_by_round():
    """A share that a block has but once is one value a block."""
    blocks = [
        block(candidate, round_, value + round_ % 2 / 100, metric=GOODPUT.metric)
        for round_ in range(3)
        for candidate, value in ((0, 0.5), (1, 0.7))
    ]
    effect = compare_blocks(GOODPUT, blocks, ENGINES, ORDINARY, look=3)[1].effect
    assert effect.absolute == pytest.approx(0.2, abs=0.01)
    assert effect.verdict is Verdict.BETTER


def test_a_candidate_that_shares_a_start_lends_no_certainty_to_others():
    """Differences between starts are not learnt from candidates on one and the same start."""
    together = {(0, 0): 10, (0, 1): 11, (0, 2): 9, (1, 0): 10, (1, 1): 11, (1, 2): 9}
    apart = {(2, 0): 10, (2, 1): 9, (2, 2): 12}
    blocks = [block(*cell, value) for cell, value in (together | apart).items()]
    alone = [each for each in blocks if each.slot.candidate != 1]
    shared = compare_blocks(SPEED, blocks, ("a", "a", "b"), ORDINARY, look=3)[2]
    expected = compare_blocks(SPEED, alone, ("a", "a", "b"), ORDINARY, look=3)[2]
    assert shared.estimate.degrees == expected.estimate.degrees == 3


def test_disturbed_blocks_are_left_out():
    """While most are quiet, what was disturbed does not count."""
    calm, noisy = [block(0, round_) for round_ in range(3)], block(1, 0, 0.2, disturbed=True)
    assert usable([*calm, noisy]) == calm


def test_items_that_a_start_answers_several_times_count_once():
    """Two repeats on one start give one answer an item, their mean."""
    blocks = [
        Block(Slot(round_, candidate, number), 0, {}, {f"i{n}": float(n < right + number) for n in range(9)})
        for round_ in range(2)
        for candidate, right in ((0, 2), (1, 4))
        for number in range(2)
    ]
    effect = compare_blocks(ACCURACY, blocks, ENGINES, ORDINARY, look=2)[1].effect
    assert (effect.baseline, effect.value) == (pytest.approx(2.5 / 9), pytest.approx(4.5 / 9))


def test_where_candidates_vary_unlike_each_has_its_own_error():
    """A noisy candidate does not widen the interval of a steady one."""
    blocks = speeds(c0=(10, 10.1, 9.9), c1=(11, 11.1, 10.9), c2=(5, 20, 9))
    apart = compare_blocks(SPEED, blocks, ENGINES, ORDINARY, look=3, pooled=False)
    assert apart[1].estimate.standard_error < 0.05 < apart[2].estimate.standard_error
    assert compare_blocks(SPEED, blocks, ENGINES, ORDINARY, look=3)[1].estimate.standard_error > 0.05


def test_where_the_machine_never_is_quiet_all_slots_count():
    """Otherwise there would be nothing to compare."""
    blocks = [block(0, 0), *(block(1, round_, disturbed=True) for round_ in range(3))]
    assert quiet_share(blocks) == 0.25
    assert usable(blocks) == blocks
    assert quiet_share([]) == 1.0


def test_looks_narrow_an_interval_and_keep_the_estimate_inside():
    """What two looks leave possible together is reported."""
    early = compare_blocks(SPEED, speeds(c0=(10, 10, 10), c1=(11, 11.01, 11)), ENGINES, ORDINARY, look=3)[1]
    late = compare_blocks(SPEED, speeds(c0=(10, 10, 10), c1=(11, 11.4, 10.9)), ENGINES, ORDINARY, look=3)[1]
    both = late.narrowed(early)
    assert both.interval == early.interval
    assert both.estimate.value in both.interval
    assert late.narrowed(None) == late


def test_what_ends_reports_the_interval_of_the_looks_taken():
    """It is narrower than the one that decided, around the estimate, with the same verdict."""
    strict = Boundary(0.01, 3, spent=(0.05, 0.02))
    decided = compare_blocks(SPEED, speeds(c0=(10, 10.1, 10), c1=(12, 12.1, 12)), ENGINES, strict, look=3)[1]
    ended = decided.ended(decided, strict, 3)
    assert decided.interval.low < ended.interval.low < ended.estimate.value < ended.interval.high
    assert ended.effect.verdict is decided.effect.verdict is Verdict.BETTER


def test_an_interval_that_would_contradict_the_verdict_is_not_reported():
    """What no look decided stays undecided, however narrow an interval for fewer looks would be."""
    strict = Boundary(0.0001, 3, spent=(0.05,))
    open_one = compare_blocks(SPEED, speeds(c0=(10, 10.4, 10), c1=(11, 11.6, 11)), ENGINES, strict, look=3)[1]
    assert open_one.effect.verdict is Verdict.UNDECIDED
    assert open_one.ended(open_one, strict, 3) == open_one


def test_the_variance_of_scores_is_of_their_differences():
    """Where no item differs between repeats, starts add nothing."""
    blocks = [
        block(candidate, round_, scores=scores)
        for round_ in range(3)
        for candidate, scores in ((0, [0, 1, 0, 1]), (1, [0, 1, 1, 1]))
    ]
    found = components_of(ACCURACY, blocks)
    assert found.start == 0
    assert found.item > 0
    assert components_of(ACCURACY, []) is None
