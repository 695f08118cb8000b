from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from fakes.races import (
    ACCURACY,
    COST,
    GOOD_ANSWERS,
    REQUESTS,
    TTFT,
    World,
    asked_before_the_stop,
    study,
)

from llmopt_core.sampling.racing.races import ERROR_RATE, FIRST_TRIALS, race_of
from llmopt_core.storage.measured_items import columns
from llmopt_core.storage.records import ConstraintDefinition, ObjectiveDefinition, OutcomeKind, Phase

RUNS = 60
# More wrong stops than this are less likely than 4 % where the rate is as stated.
MOST_WRONG = round(ERROR_RATE * RUNS) + 3


def _used(definition, *, before=6, world=None, runs=RUNS, **planted):
    """Return the share of items that each of `runs` trials was asked, after `before` equal ones."""
    world, chance = world or World(), np.random.default_rng(7)
    shares = []
    for _ in range(runs):
        lengths = world.lengths(chance)
        records = [world.record(number, world.trial(chance, lengths)) for number in range(before)]
        race = race_of(definition, records)
        shares.append(asked_before_the_stop(race, world.trial(chance, lengths, **planted)) / world.count)
    return np.array(shares)


@pytest.mark.parametrize(
    "objectives", [(ACCURACY,), (REQUESTS,), (GOOD_ANSWERS,), (COST,), (TTFT,), (ACCURACY, REQUESTS)]
)
@pytest.mark.parametrize(("quality", "speed"), [(0.6, 1.0), (0.62, 1.02)])
@pytest.mark.parametrize("world", [World(), World(count=160, clients=8)])
def test_a_trial_that_is_as_good_goes_on(objectives, quality, speed, world):
    """One equal to the best of six equal trials, or better by the smallest gain, is seldom stopped."""
    used = _used(study(*objectives), world=world, quality=quality, speed=speed)
    assert (used < 1).sum() <= MOST_WRONG


@pytest.mark.parametrize("before", [4, 40])
def test_the_luck_of_the_best_stops_no_equal_trial(before):
    """The best of forty equal trials is far above their mean; an equal one is still seldom stopped."""
    assert (_used(study(REQUESTS), before=before) < 1).sum() <= MOST_WRONG


@pytest.mark.parametrize(
    ("objectives", "quality", "speed", "most"),
    [
        ((ACCURACY,), 0.1, 1.0, 0.55),
        ((REQUESTS,), 0.6, 0.5, 0.5),
        ((GOOD_ANSWERS,), 0.3, 0.5, 0.65),
        ((COST,), 0.6, 0.5, 0.5),
        ((ACCURACY, REQUESTS), 0.1, 0.5, 0.5),
        ((ACCURACY, REQUESTS), 0.3, 0.7, 0.75),
    ],
)
def test_a_clearly_worse_trial_is_stopped_early(objectives, quality, speed, most):
    """On average it is asked at most this share of the items."""
    assert _used(study(*objectives), quality=quality, speed=speed).mean() <= most


def test_a_trade_off_is_measured_whole():
    """Half the speed for much better answers is a new part of the front, not a loss."""
    used = _used(study(ACCURACY, REQUESTS), quality=0.95, speed=0.5)
    assert (used == 1).all()


def test_what_will_show_a_gain_is_not_stopped():
    """Of slower trials, those whose whole measurement shows better answers are measured whole."""
    world, chance, wrong = World(), np.random.default_rng(3), 0
    for _ in range(RUNS):
        lengths = world.lengths(chance)
        records = [world.record(number, world.trial(chance, lengths)) for number in range(6)]
        race = race_of(study(ACCURACY, REQUESTS), records)
        items = world.trial(chance, lengths, quality=0.65, speed=0.5)
        best = max(record.outcome.metrics["accuracy"] for record in records)
        gains = np.mean([item.score for item in items]) >= best + 0.02
        wrong += gains and asked_before_the_stop(race, items) < world.count
    assert wrong <= MOST_WRONG


def _race(definition, *, world=None, records=None):
    world, chance = world or World(), np.random.default_rng(1)
    lengths = world.lengths(chance)
    kept = [world.record(number, world.trial(chance, lengths)) for number in range(FIRST_TRIALS)]
    return race_of(definition, kept if records is None else records(kept)), world.trial(
        chance, lengths, quality=0.0, speed=0.2
    )


@pytest.mark.parametrize(
    "records",
    [
        lambda kept: kept[1:],
        lambda kept: [replace(kept[0], phase=Phase.CONFIRM), *kept[1:]],
        lambda kept: [
            replace(kept[0], outcome=replace(kept[0].outcome, kind=OutcomeKind.PRUNED)),
            *kept[1:],
        ],
        lambda kept: [replace(kept[0], outcome=replace(kept[0].outcome, items=None)), *kept[1:]],
    ],
)
def test_the_first_trials_are_never_stopped(records):
    """Without four whole trials of the search there is no race: repeats and stopped trials are none."""
    assert _race(study(ACCURACY), records=records)[0] is None


@pytest.mark.parametrize(
    "metric",
    ["goodput_ratio", "peak_memory_mib", "itl_ms_mean", "energy_joules_per_token", "distinct_1", "score"],
)
def test_a_metric_that_a_part_does_not_show_stops_nothing(metric):
    """With such an objective beside others a trial may always matter."""
    objective = ObjectiveDefinition(metric, "maximize")
    race, worst = _race(
        study(ACCURACY, objective),
        records=lambda kept: [
            replace(each, outcome=replace(each.outcome, metrics={**each.outcome.metrics, metric: 1.0}))
            for each in kept
        ],
    )
    assert asked_before_the_stop(race, worst) == len(worst)


def _scheduled(record):
    items = replace(record.outcome.items, concurrency=None)
    return replace(record, outcome=replace(record.outcome, items=items))


@pytest.mark.parametrize(("objective", "stopped"), [(REQUESTS, False), (TTFT, False), (ACCURACY, True)])
def test_an_open_loop_is_judged_by_scores_only(objective, stopped):
    """Where requests arrive by a schedule, the first of them do not say the speed of all."""
    race, worst = _race(study(objective), records=lambda kept: [_scheduled(each) for each in kept])
    assert (asked_before_the_stop(race, worst) < len(worst)) is stopped


@pytest.mark.parametrize("score", [7.0, -3.0, None])
def test_scores_out_of_range_stop_nothing(score):
    """Scores of a user's own evaluator beyond 0..1, or none, are compared with nothing."""
    race, worst = _race(study(ACCURACY))
    assert not any(race.is_lost([replace(item, score=score) for item in worst[:look]]) for look in race.looks)


@pytest.mark.parametrize(
    "constraint",
    [
        ConstraintDefinition("accuracy", minimum=0.5),
        ConstraintDefinition("accuracy", minimum=-0.1, relative_to="baseline"),
        ConstraintDefinition("ttft_ms_p95", maximum=60.0),
        ConstraintDefinition("e2e_ms_mean", maximum=150.0),
        ConstraintDefinition("requests_per_second", minimum=30.0),
    ],
)
def test_a_constraint_that_is_surely_broken_stops_a_trial(constraint):
    """It does so although an objective cannot be judged, and a trial that keeps it goes on."""
    memory = ObjectiveDefinition("peak_memory_mib", "minimize")

    def with_memory(kept):
        first = replace(kept[0], phase=Phase.BASELINE)
        return [
            replace(
                each, outcome=replace(each.outcome, metrics={**each.outcome.metrics, "peak_memory_mib": 1.0})
            )
            for each in (first, *kept[1:])
        ]

    race, worst = _race(study(memory, constraints=(constraint,)), records=with_memory)
    assert asked_before_the_stop(race, worst) < len(worst)
    world, chance = World(), np.random.default_rng(5)
    good = world.trial(chance, world.lengths(chance), quality=0.9, speed=1.1)
    assert asked_before_the_stop(race, good) == len(good)


def test_a_trial_that_breaks_a_constraint_is_no_rival():
    """It may be best in everything: a trial that keeps the constraint matters beside it."""
    race, _ = _race(study(ACCURACY, constraints=(ConstraintDefinition("requests_per_second", maximum=1.0),)))
    assert race.rivals == ()


@pytest.mark.parametrize(
    ("count", "clients", "looks"),
    [(60, 4, (12, 24, 36, 48)), (12, 2, (6,)), (24, 8, ()), (600, 2, (100, 200, 300, 400, 500))],
)
def test_blocks_are_long_enough_for_a_steady_load(count, clients, looks):
    """A block is three requests per client, six at least, and none ends when the rest is under way."""
    world, chance = World(count=count, clients=clients), np.random.default_rng(1)
    lengths = world.lengths(chance)
    records = [world.record(number, world.trial(chance, lengths)) for number in range(FIRST_TRIALS)]
    race = race_of(study(ACCURACY), records)
    assert (() if race is None else race.looks) == looks


def test_a_look_takes_milliseconds():
    """It comes amid a measurement: with two objectives and 500 items it takes less than 20 ms."""
    race, worst = _race(study(ACCURACY, REQUESTS), world=World(count=500, clients=8))
    race.prepare()
    race.is_lost(worst[: race.looks[0]])
    began = perf_counter()
    for look in race.looks:
        race.is_lost(worst[:look])
    assert (perf_counter() - began) / len(race.looks) < 0.02


def test_trials_with_other_items_are_no_rivals():
    """A trial that measured another number of items is compared with nothing."""
    world, chance = World(), np.random.default_rng(1)
    lengths = world.lengths(chance)
    records = [world.record(number, world.trial(chance, lengths)) for number in range(FIRST_TRIALS)]
    best = world.trial(chance, lengths, quality=1.0)
    short = world.record(9, best)
    short = replace(short, outcome=replace(short.outcome, items=columns(best[:30], world.clients)))
    assert 9 not in [rival.number for rival in race_of(study(ACCURACY), [*records, short]).rivals]
