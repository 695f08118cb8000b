import dataclasses

import numpy as np
import pytest

from llmopt_core.sampling.auto import AutoSampler
from llmopt_core.sampling.auto.encoding import Encoding
from llmopt_core.sampling.auto.transfer import Transfer, agreement
from llmopt_core.sampling.observations import Observation, ObservedState, Problem
from llmopt_core.search.spaces import (
    ChoiceDimension,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.earlier import EarlierStudy, EarlierTrial
from llmopt_core.storage.points import known_part
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition

SPACE = SearchSpace(
    (
        SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0"))),
        SpaceParameter("engine.parallel", IntDimension(1, 16)),
        SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0)),
    )
)
SPEED = ObjectiveDefinition("requests_per_second", "maximize")
PROBLEM = Problem(SPACE, frozenset({"engine.kv", "engine.parallel"}), (SPEED,))


def speed(point):
    """The best has 11 streams and f16; the temperature does not matter."""
    return (10 - 0.5 * abs(point["engine.parallel"] - 11)) * (1.0 if point["engine.kv"] == "f16" else 0.8)


def points(count, seed=0):
    chance = np.random.default_rng(seed)
    return [
        {
            "engine.kv": ("f16", "q8_0")[int(chance.integers(2))],
            "engine.parallel": int(chance.integers(1, 17)),
            "sampling.temperature": float(chance.random()),
        }
        for _ in range(count)
    ]


def earlier(of, name="team/before", count=40, seed=1):
    """An earlier study that measured `of` at random points."""
    trials = (EarlierTrial(point, {"requests_per_second": of(point)}) for point in points(count, seed))
    return EarlierStudy(name, tuple(trials))


def observed(count, seed=2):
    return [
        Observation(point, ObservedState.MEASURED, {"requests_per_second": speed(point)}, seconds=10.0)
        for point in points(count, seed)
    ]


def other_machine(point):
    """The same shape at a third of the speed, with smaller differences."""
    return 3.0 * speed(point) ** 0.7


def inverted(point):
    return 50.0 / speed(point)


def prior_of(transfer, count):
    seen = observed(count)
    rows = Encoding(SPACE).rows([each.parameters for each in seen])
    values = [each.metrics["requests_per_second"] for each in seen]
    return transfer.prior("requests_per_second", rows, values, logarithmic=True)


def test_another_machine_predicts_at_the_level_of_this_one():
    """A study of a slower machine predicts the values that are measured here, up to a tenth."""
    prior = prior_of(Transfer(SPACE, (earlier(other_machine),)), 6)
    new = points(200, seed=9)
    predicted = np.exp(prior.mean_at(Encoding(SPACE).rows(new)))
    wrong = np.abs(predicted / np.array([speed(point) for point in new]) - 1)
    assert np.median(wrong) < 0.1


def test_a_study_that_misleads_is_dropped():
    """An earlier study that orders the trials wrongly has no part in the prior, and the result says so."""
    transfer = Transfer(SPACE, (earlier(other_machine, "team/good"), earlier(inverted, "team/bad")))
    prior = prior_of(transfer, 8)
    good, bad = transfer.learned([prior])
    assert (good.resource, good.trials) == ("team/good", 40)
    assert good.weight is not None
    assert good.weight >= 0.7
    assert bad.weight == 0.0
    assert len(prior.parts) == 1


def test_a_study_that_says_nothing_of_the_space_is_not_used():
    """Too few trials, and parameters that never varied there, give no weight at all."""
    one_engine = dataclasses.replace(
        earlier(speed),
        trials=tuple(EarlierTrial({"engine.kv": "f16"}, each.metrics) for each in earlier(speed).trials),
    )
    transfer = Transfer(SPACE, (earlier(speed, count=4), one_engine))
    assert [each.weight for each in transfer.learned([prior_of(transfer, 8)])] == [None, None]


def test_trials_outside_the_space_are_left_out():
    """A value that this space does not have cannot be placed, so its trial is not used."""
    wide = earlier(speed)
    outside = EarlierTrial(
        {**wide.trials[0].parameters, "engine.parallel": 64}, {"requests_per_second": 99.0}
    )
    transfer = Transfer(SPACE, (dataclasses.replace(wide, trials=(*wide.trials, outside)),))
    (learned,) = transfer.learned([prior_of(transfer, 8)])
    assert learned.trials == 40
    assert next(transfer.leaders(PROBLEM))["engine.parallel"] <= 16


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [([1, 2, 3, 4, 5, 6], 1.0), ([6, 5, 4, 3, 2, 1], 0.0), ([4, 5, 1, 6, 2, 3], 0.0)],
)
def test_agreement_is_about_order(predicted, expected):
    """The right order is trusted, the wrong one and one that is hardly better than chance are not."""
    found = agreement(np.array(predicted, dtype=float), np.arange(6.0))
    assert found == pytest.approx(expected, abs=0.2)


def test_agreement_is_assumed_before_anything_was_measured():
    """One trial has no order: until there are two, an earlier study is believed to some extent."""
    assert 0 < agreement(np.array([1.0]), np.array([2.0])) < 1


def test_the_best_of_earlier_studies_are_tried_first():
    """The first trials are the best configurations of each earlier study that keep the constraints."""
    transfer = Transfer(SPACE, (earlier(speed),))
    best = max(earlier(speed).trials, key=lambda trial: trial.metrics["requests_per_second"])
    advice = AutoSampler(PROBLEM, 0, transfer).propose([], None)
    assert advice is not None
    assert advice.parameters == best.parameters
    slower = dataclasses.replace(
        PROBLEM, constraints=(ConstraintDefinition("requests_per_second", maximum=8.0),)
    )
    kept = AutoSampler(slower, 0, transfer).propose([], None)
    assert kept is not None
    assert speed(kept.parameters) <= 8.0


def test_the_best_of_an_earlier_study_is_moved_to_the_grid():
    """What lies between the values of this space would count as a trial outside it."""
    coarse = SearchSpace(
        (
            SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0"))),
            SpaceParameter("engine.parallel", IntDimension(1, 16, step=5)),
            SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.0, step=0.5)),
        )
    )
    asked = dataclasses.replace(PROBLEM, space=coarse)
    advice = AutoSampler(asked, 0, Transfer(coarse, (earlier(speed),))).propose([], None)
    assert advice is not None
    assert known_part(coarse, advice.parameters) == advice.parameters
    assert abs(advice.parameters["engine.parallel"] - 11) <= 5


def _trials_until(transfer, seed, enough=9.9):
    sampler, seen = AutoSampler(PROBLEM, seed, transfer), []
    for number in range(1, 60):
        advice = sampler.propose(seen, None)
        assert advice is not None
        point = advice.parameters
        seen.append(
            Observation(point, ObservedState.MEASURED, {"requests_per_second": speed(point)}, seconds=10.0)
        )
        if speed(point) >= enough:
            return number
    return 60


def test_a_helpful_study_saves_trials_and_a_misleading_one_costs_few():
    """With the shape known the best is found at once; an inverted study costs at most two trials more."""
    alone = [_trials_until(None, seed) for seed in range(3)]
    # Few trials far from the best: they show the shape, not the best itself.
    few = dataclasses.replace(
        earlier(other_machine),
        trials=tuple(t for t in earlier(other_machine).trials if speed(t.parameters) < 9),
    )
    helped = [_trials_until(Transfer(SPACE, (few,)), seed) for seed in range(3)]
    misled = [_trials_until(Transfer(SPACE, (earlier(inverted),)), seed) for seed in range(3)]
    assert np.median(helped) < np.median(alone)
    assert np.median(misled) <= np.median(alone) + 2


def test_the_same_observations_give_the_same_proposal():
    """What is learned from other studies is the same in every runner."""
    transfers = [Transfer(SPACE, (earlier(other_machine), earlier(inverted, "team/bad"))) for _ in range(2)]
    first, second = (AutoSampler(PROBLEM, 3, each).propose(observed(9), None) for each in transfers)
    assert first == second


def test_many_trials_of_its_own_need_no_other_study():
    """With 101 measured trials a proposal spends no time on earlier studies, and says nothing new of them."""
    transfer = Transfer(SPACE, (earlier(other_machine),))
    few, many = (AutoSampler(PROBLEM, 0, transfer).propose(observed(count), None) for count in (20, 101))
    assert few is not None
    assert [each.resource for each in few.learned] == ["team/before"]
    assert many is not None
    assert many.learned == ()
    assert many == AutoSampler(PROBLEM, 0).propose(observed(101), None)
