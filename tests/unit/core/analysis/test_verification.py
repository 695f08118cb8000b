"""The verification of candidates: how much is measured, when it stops, and what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.analysis.blocks import Block, ComparedMetric, Slot
from llmopt_core.analysis.variances import Remedy
from llmopt_core.analysis.verification import Note, Stop, best_of, plan_verification, stand
from llmopt_core.api.verdicts import Verdict
from llmopt_core.storage.repeats import turns

SPEED = ComparedMetric("requests_per_second", "maximize", "ratio")
TTFT = ComparedMetric("ttft_ms_p50", "minimize", "ratio")


def plan(*engines, metrics=(SPEED,), repeats=6, start_seconds=10.0, block_seconds=20.0):
    return plan_verification(
        engines, metrics, repeats=repeats, start_seconds=start_seconds, block_seconds=block_seconds
    )


def carry_out(verification, speeds, *, noise=0.01, seed=1, disturbed=(), **options):
    """Measure in the plan's order what is not decided yet; return the blocks and the standing."""
    generator, blocks = np.random.default_rng(seed), []
    for turn in turns(verification.engines, verification.repeats, verification.per_start):
        standing = stand(verification, blocks, **options)
        number = len(blocks)
        if standing.finished:
            break
        if turn.candidate in (0, *standing.active):
            value = speeds[turn.candidate] * float(np.exp(generator.normal(0, noise)))
            slot = Slot(
                turn.repeat // verification.per_start, turn.candidate, turn.repeat % verification.per_start
            )
            blocks.append(Block(slot, number, {SPEED.metric: value}, disturbed=turn.repeat in disturbed))
    return blocks, stand(verification, blocks, **options)


def test_a_clear_gain_and_a_clear_loss_are_decided_early():
    """Both stop long before the last round, with their verdicts."""
    blocks, standing = carry_out(plan("a", "b", "c", repeats=10), (10, 13, 8))
    better, worse = standing.candidates
    assert (better.effects[0].verdict, worse.effects[0].verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert {better.stopped, worse.stopped} == {Stop.DECIDED}
    assert standing.rounds < 5
    assert len(blocks) <= 15


def test_a_decided_candidate_is_not_measured_again():
    """Rounds go on for the one that is still open."""
    blocks, standing = carry_out(plan("a", "b", "c", repeats=10), (10, 20, 10.3), noise=0.02)
    stopped = standing.candidates[0].rounds
    assert stopped < standing.candidates[1].rounds
    assert max(each.slot.round for each in blocks if each.slot.candidate == 1) == stopped - 1


def test_what_cannot_be_decided_is_given_up():
    """A gain far below the noise does not cost all rounds."""
    _, standing = carry_out(plan("a", "b", "c", "d", repeats=20), (10, 10, 10, 10), noise=0.3)
    assert Stop.HOPELESS in {each.stopped for each in standing.candidates}
    assert standing.rounds < 20


def test_the_last_round_ends_what_is_open():
    """With few rounds and noise the verdict stays open, and the study ends."""
    _, standing = carry_out(plan("a", "b", repeats=3), (10, 10.6), noise=0.05)
    assert standing.candidates[0].stopped in {Stop.LAST_ROUND, Stop.DECIDED}
    assert standing.rounds == 3


def test_expensive_starts_are_few():
    """Starts of 142 s are not made fifteen times each; two repeats are measured on each."""
    dear = plan("a", "b", "c", repeats=15, start_seconds=142.0, block_seconds=30.0)
    assert (dear.rounds, dear.per_start, dear.repeats) == (3, 2, 6)
    assert plan("a", "b", "c", repeats=15, start_seconds=2.0).rounds == 15


def test_a_start_serves_several_repeats_only_where_rounds_are_left():
    """Of five repeats each has its start: two rounds would say nothing of starts."""
    few = plan("a", "b", repeats=5, start_seconds=142.0, block_seconds=30.0)
    assert (few.rounds, few.per_start) == (4, 1)


def test_candidates_on_one_engine_need_no_start():
    """Requests differ, the engine does not: long starts cost no round."""
    shared = plan("a", "a", repeats=9, start_seconds=400.0)
    assert (shared.rounds, shared.per_start) == (9, 1)


def test_a_machine_that_never_is_quiet_is_named_first():
    """The note stands before the numbers, and what was measured counts."""
    _, standing = carry_out(plan("a", "b", repeats=3), (10, 10), disturbed=(0, 1, 2))
    assert standing.notes == (Note.NOT_QUIET,)
    assert standing.rounds == 3
    assert standing.candidates[0].effects


def test_a_failed_candidate_holds_nobody_up():
    """The others are verified without it."""
    blocks, standing = carry_out(plan("a", "b", "c"), (10, 13, 8), failed={1})
    assert all(each.slot.candidate != 1 for each in blocks)
    assert standing.candidates[0].stopped is Stop.FAILED
    assert standing.candidates[1].effects[0].verdict is Verdict.WORSE


def test_without_a_baseline_nothing_can_be_compared():
    """It is said, and nothing more is measured."""
    standing = stand(plan("a", "b"), [], failed={0})
    assert standing.finished
    assert standing.notes == (Note.NO_BASELINE,)


def test_an_incomplete_round_does_not_count():
    """An interim value of one candidate decides nothing."""
    verification = plan("a", "b")
    half = [Block(Slot(0, 0), 0, {SPEED.metric: 10.0})]
    assert stand(verification, half).rounds == 0


def test_starts_that_differ_are_said_to_need_more_starts():
    """Blocks of one start agree, starts do not."""
    generator, blocks = np.random.default_rng(4), []
    verification = plan("a", "b", repeats=9, start_seconds=400.0, block_seconds=20.0)
    for round_ in range(3):
        for candidate in range(2):
            start = generator.normal(0, 0.1)
            for number in range(verification.per_start):
                value = 10 * float(np.exp(start + generator.normal(0, 0.001)))
                place = round_ * 2 + candidate
                blocks.append(Block(Slot(round_, candidate, number), place, {SPEED.metric: value}))
    (found,) = stand(verification, blocks).variances
    assert found.remedy is Remedy.MORE_STARTS


@settings(max_examples=25)
@given(st.lists(st.floats(8, 13), min_size=2, max_size=4), st.integers(0, 1000))
def test_blocks_after_a_stop_change_nothing(speeds, seed):
    """Looking at all blocks at once says what looking after each said: stopping is part of the reading."""
    verification = plan(*"abcd"[: len(speeds)], repeats=5)
    blocks, standing = carry_out(verification, speeds, noise=0.03, seed=seed)
    seen = {block.slot for block in blocks}
    more = [
        Block(Slot(round_, candidate), 0, {SPEED.metric: 99.0})
        for round_ in range(verification.rounds)
        for candidate in range(1, len(speeds))
        if Slot(round_, candidate) not in seen
    ]
    assert stand(verification, [*blocks, *more]).candidates == standing.candidates


def test_the_best_is_verified_feasible_and_gains_by_the_weights():
    """Of two that are better, the one with the higher weighted gain; none where all are infeasible."""
    verification = plan("a", "b", "c", repeats=10)
    _, standing = carry_out(verification, (10, 13, 16))
    assert best_of(standing, verification.metrics, feasible={1, 2}).candidate == 2
    assert best_of(standing, verification.metrics, feasible={1}).candidate == 1
    assert best_of(standing, verification.metrics, feasible=set()) is None


def test_no_effect_is_rarely_called_one():
    """Of 80 studies of three candidates that change nothing, few claim a gain."""
    verification = plan("a", "b", "c", "d", repeats=5)
    claims = 0
    for seed in range(80):
        _, standing = carry_out(verification, (10, 10, 10, 10), noise=0.02, seed=seed)
        claims += any(each.effects[0].verdict is Verdict.BETTER for each in standing.candidates)
    assert claims / 80 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)


def test_a_plan_needs_two_rounds():
    """One round has no spread."""
    with pytest.raises(ValueError, match="no boundary"):
        plan("a", "b", repeats=1)
