"""The verification of finalists: what is measured next, when it stops, and what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_core.analysis.blocks import Block, ComparedMetric, Slot
from llmopt_core.analysis.two_level import Remedy
from llmopt_core.analysis.verification import (
    Finished,
    MeasureBlock,
    Note,
    Stop,
    Wait,
    best_of,
    next_action,
    plan_verification,
    stand,
)
from llmopt_core.api.verdicts import Verdict

SPEED = ComparedMetric("requests_per_second", "maximize", "ratio")
TTFT = ComparedMetric("ttft_ms_p50", "minimize", "ratio")


def plan(*engines, metrics=(SPEED,), repeats=6, start_seconds=10.0, block_seconds=20.0):
    return plan_verification(
        engines, metrics, repeats=repeats, start_seconds=start_seconds, block_seconds=block_seconds
    )


def measure(todo, speeds, noise=0.0, generator=None, *, disturbed=False):
    """Return the block that was asked for."""
    value = speeds[todo.slot.candidate]
    if generator is not None:
        value *= float(np.exp(generator.normal(0, noise)))
    return Block(todo.slot, 0, {SPEED.metric: value}, disturbed=disturbed)


def carry_out(verification, speeds, *, noise=0.01, seed=1, **options):
    """Do what is asked until nothing is left; return the actions, the blocks and the standing."""
    generator, blocks, actions = np.random.default_rng(seed), [], []
    while not isinstance(todo := next_action(verification, blocks, **options), Finished):
        assert isinstance(todo, MeasureBlock)
        actions.append(todo)
        blocks.append(measure(todo, speeds, noise, generator))
    return actions, blocks, todo.standing


def test_a_clear_gain_and_a_clear_loss_are_decided_early():
    """Both stop long before the last round, with their verdicts."""
    _, blocks, standing = carry_out(plan("a", "b", "c", repeats=10), (10, 13, 8))
    better, worse = standing.candidates
    assert (better.effects[0].verdict, worse.effects[0].verdict) == (Verdict.BETTER, Verdict.WORSE)
    assert {better.stopped, worse.stopped} == {Stop.DECIDED}
    assert standing.rounds < 5
    assert len(blocks) <= 15


def test_a_decided_candidate_is_not_measured_again():
    """Rounds go on for the one that is still open."""
    actions, _, standing = carry_out(plan("a", "b", "c", repeats=10), (10, 20, 10.3), noise=0.02)
    stopped = standing.candidates[0].rounds
    assert stopped < standing.candidates[1].rounds
    assert max(each.slot.round for each in actions if each.slot.candidate == 1) == stopped - 1


def test_what_cannot_be_decided_is_given_up():
    """A gain far below the noise does not cost all rounds."""
    _, _, standing = carry_out(plan("a", "b", "c", "d", repeats=20), (10, 10, 10, 10), noise=0.3)
    assert Stop.HOPELESS in {each.stopped for each in standing.candidates}
    assert standing.rounds < 20


def test_the_last_round_ends_what_is_open():
    """With few rounds and noise the verdict stays open, and the study ends."""
    _, _, standing = carry_out(plan("a", "b", repeats=3), (10, 10.6), noise=0.05)
    assert standing.candidates[0].stopped in {Stop.LAST_ROUND, Stop.DECIDED}
    assert standing.rounds == 3


def test_every_round_starts_each_engine_once_and_every_second_runs_backwards():
    """Drift within a round cancels, and each value comes from a start of its own."""
    actions, _, _ = carry_out(plan("a", "b", repeats=4), (10, 10), noise=0.05)
    assert [each.engine for each in actions[:6]] == ["a", "b", "b", "a", "a", "b"]
    assert all(each.new_start for each in actions)


def test_candidates_on_one_engine_need_one_start_for_several_rounds():
    """Requests differ, the engine does not: 6 rounds are measured without 12 starts."""
    shared = plan("a", "a", repeats=9, start_seconds=400.0)
    actions, _, _ = carry_out(shared, (10, 10.2), noise=0.1)
    assert shared.rounds == 9
    assert sum(each.new_start for each in actions) <= 3


def test_expensive_starts_are_few():
    """Starts of 142 s are not made fifteen times each; several blocks are measured on each."""
    dear = plan("a", "b", "c", repeats=15, start_seconds=142.0, block_seconds=30.0)
    assert dear.rounds == 3
    assert dear.blocks_per_round == 2
    assert plan("a", "b", "c", repeats=15, start_seconds=2.0).rounds == 15


def test_a_disturbed_block_is_repeated_a_bounded_number_of_times():
    """Three attempts, then the round goes on."""
    verification, blocks = plan("a", "b"), []
    for _ in range(verification.attempts):
        todo = next_action(verification, blocks)
        assert todo.slot == Slot(0, 0)
        assert todo.attempt == len(blocks)
        assert todo.new_start == (not blocks)
        blocks.append(measure(todo, (10, 10), disturbed=True))
    assert next_action(verification, blocks).slot == Slot(0, 1)


def test_a_machine_that_never_is_quiet_is_named_first():
    """The note stands before the numbers."""
    verification, blocks = plan("a", "b", repeats=3), []
    while isinstance(todo := next_action(verification, blocks), MeasureBlock):
        blocks.append(measure(todo, (10, 10), disturbed=True))
    assert todo.standing.notes == (Note.NOT_QUIET,)


def test_what_others_measure_is_not_measured_twice():
    """With all slots of a round taken there is nothing to do but wait."""
    verification = plan("a", "b")
    first = next_action(verification, [])
    second = next_action(verification, [], taken={first.slot})
    assert second.slot == Slot(0, 1)
    assert isinstance(next_action(verification, [], taken={first.slot, second.slot}), Wait)


def test_a_failed_candidate_holds_nobody_up():
    """The others are verified without it."""
    actions, _, standing = carry_out(plan("a", "b", "c"), (10, 13, 8), failed={1})
    assert all(each.slot.candidate != 1 for each in actions)
    assert standing.candidates[0].stopped is Stop.FAILED
    assert standing.candidates[1].effects[0].verdict is Verdict.WORSE


def test_without_a_baseline_nothing_can_be_compared():
    """It is said, and nothing more is measured."""
    ended = next_action(plan("a", "b"), [], failed={0})
    assert isinstance(ended, Finished)
    assert ended.standing.notes == (Note.NO_BASELINE,)


def test_an_incomplete_round_does_not_count():
    """An interim value of one candidate decides nothing."""
    verification = plan("a", "b")
    half = [Block(Slot(0, 0), 0, {SPEED.metric: 10.0})]
    assert stand(verification, half).rounds == 0


def test_starts_that_differ_are_said_to_need_more_starts():
    """Blocks of one start agree, starts do not."""
    generator, blocks = np.random.default_rng(4), []
    verification = plan("a", "b", repeats=3, start_seconds=400.0, block_seconds=20.0)
    for round_ in range(3):
        for candidate in range(2):
            start = generator.normal(0, 0.1)
            for number in range(verification.blocks_per_round):
                value = 10 * float(np.exp(start + generator.normal(0, 0.001)))
                blocks.append(Block(Slot(round_, candidate, number), round_, {SPEED.metric: value}))
    (found,) = stand(verification, blocks).variances
    assert found.remedy is Remedy.MORE_STARTS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(8, 13), min_size=2, max_size=4), st.integers(0, 1000))
def test_blocks_after_a_stop_change_nothing(speeds, seed):
    """Looking at all blocks at once says what looking after each said: stopping is part of the reading."""
    verification = plan(*"abcd"[: len(speeds)], repeats=5)
    _, blocks, standing = carry_out(verification, speeds, noise=0.03, seed=seed)
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
    _, _, standing = carry_out(verification, (10, 13, 16))
    assert best_of(standing, verification.metrics, feasible={1, 2}).candidate == 2
    assert best_of(standing, verification.metrics, feasible={1}).candidate == 1
    assert best_of(standing, verification.metrics, feasible=set()) is None


def test_no_effect_is_rarely_called_one():
    """Of 80 studies of three candidates that change nothing, few claim a gain."""
    verification = plan("a", "b", "c", "d", repeats=5)
    claims = 0
    for seed in range(80):
        _, _, standing = carry_out(verification, (10, 10, 10, 10), noise=0.02, seed=seed)
        claims += any(each.effects[0].verdict is Verdict.BETTER for each in standing.candidates)
    assert claims / 80 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 80)


def test_a_plan_needs_two_rounds():
    """One round has no spread."""
    with pytest.raises(ValueError, match="no boundary"):
        plan("a", "b", repeats=1)
