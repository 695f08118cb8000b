"""How simulated finalists are verified: as runners do it, and by a fixed number of repeats."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

import numpy as np

from llmopt_core.analysis.blocks import Block, Slot
from llmopt_core.analysis.effects import Effect, Interval, difference_effect, ratio_effect
from llmopt_core.analysis.finalists import Contender, choose_finalists
from llmopt_core.analysis.intervals import corrected, mean_interval
from llmopt_core.analysis.verification import (
    Standing,
    VerificationPlan,
    annotated,
    begin,
    look,
    plan_verification,
)
from llmopt_core.metrics.catalog import find_metric
from llmopt_core.storage.repeats import Turn, is_measured_again, turns
from simulated_studies.worlds import (
    ACCURACY,
    CONFIGURATIONS,
    FRESH,
    ITEMS,
    Measured,
    Scenario,
    World,
    better,
    compared,
)

TODAY_REPEATS, TODAY_TOP, TODAY_CONFIDENCE = 5, 3, 0.95


def searched(world: World) -> list[Contender]:
    """Return what the search saw: one noisy measurement of each configuration, other items for the scores."""
    scenario, found = world.scenario, []
    error = math.hypot(scenario.start_spread, scenario.block_spread) * math.sqrt(2)
    for number in range(CONFIGURATIONS):
        gains, errors = [], []
        for name in scenario.metrics:
            spread = math.sqrt(FRESH / 2 / ITEMS) if name == ACCURACY else error
            sign = 1 if find_metric(name).direction == "maximize" else -1
            gains.append(sign * (scenario.effect(number, name) + world.generator.normal(0, spread)))
            errors.append(spread)
        found.append(Contender(number, tuple(gains), tuple(errors)))
    return found


def best_by_weight(contenders: Sequence[Contender], count: int) -> list[Contender]:
    return sorted(contenders, key=lambda each: -sum(each.gains))[:count]


def finalists_of(scenario: Scenario, contenders: Sequence[Contender]) -> list[int]:
    if scenario.forced:
        return [each.trial for each in best_by_weight(contenders, scenario.forced)]
    weights, smallest = [1.0] * len(scenario.metrics), [0.02] * len(scenario.metrics)
    return [each.trial for each in choose_finalists(contenders, weights, smallest)]


@dataclass
class Runner:
    """Measures the repeats of a plan in its order, as the runner of a study does."""

    world: World
    plan: VerificationPlan
    configurations: Sequence[int]
    again: int = 0
    starts: int = 0
    seconds: float = 0.0
    running: tuple[str, int | None] | None = None
    shift: dict[str, float] = field(default_factory=dict)
    measured: int = 0

    def verify(self) -> Standing:
        """Return how the verification stands when nothing is left to be measured."""
        standing, blocks = begin(self.plan), list[Block]()
        order = list(turns(self.plan.engines, self.plan.repeats, self.plan.per_start))
        for round_ in range(self.plan.rounds):
            if standing.finished:
                break
            active = {0, *standing.active}
            for turn in order:
                if turn.repeat // self.plan.per_start == round_ and turn.candidate in active:
                    blocks.append(self.repeat(turn, round_))
            standing = look(self.plan, standing, [each for each in blocks if each.slot.round <= round_])
        return annotated(self.plan, standing, blocks)

    def repeat(self, turn: Turn, round_: int) -> Block:
        """Return the block of a repeat, measured again where it was disturbed."""
        self.start(turn)
        configuration = self.configurations[turn.candidate]
        slot = Slot(round_, turn.candidate, turn.repeat % self.plan.per_start)
        attempt, planned = 0, len(self.plan.engines) * self.plan.repeats
        while True:
            when = self.measured / len(self.configurations)
            self.measured += 1
            metrics, scores, disturbed = self.world.measure(configuration, self.shift, when)
            self.seconds += self.world.scenario.block_seconds
            if not disturbed or not is_measured_again(attempt, self.again, planned):
                return Block(slot, self.starts, metrics, scores, disturbed=disturbed)
            attempt, self.again = attempt + 1, self.again + 1

    def start(self, turn: Turn) -> None:
        """Start the engine that a repeat needs, unless it runs."""
        needed = (self.plan.engines[turn.candidate], turn.start)
        if needed != self.running:
            self.running, self.shift = needed, self.world.start(self.configurations[turn.candidate])
            self.starts += 1
            self.seconds += self.world.scenario.start_seconds


def verify(scenario: Scenario, seed: int) -> Measured:
    world = World(scenario, np.random.default_rng(seed))
    chosen = finalists_of(scenario, searched(world))
    if not chosen:
        return Measured()
    configurations = [-1, *chosen]
    plan = plan_verification(
        [scenario.engine(each) for each in configurations],
        [compared(name) for name in scenario.metrics],
        repeats=scenario.repeats,
        start_seconds=scenario.start_seconds,
        block_seconds=scenario.block_seconds,
    )
    if not scenario.stops:
        metrics = tuple(replace(each, smallest_gain=0.0) for each in plan.metrics)
        plan = replace(plan, hopeless=0.0, metrics=metrics)
    runner = Runner(world, plan, configurations)
    return judged(scenario, configurations, runner.verify(), runner)


def judged(scenario: Scenario, configurations: Sequence[int], standing: Standing, runner: Runner) -> Measured:
    claims, false, held, spans = 0, 0, True, []
    for each in standing.candidates:
        number = configurations[each.candidate]
        for seen in each.compared:
            truth = scenario.effect(number, seen.metric.metric)
            held = held and (seen.interval is None or truth in seen.interval)
        for effect in each.effects:
            claims += effect.better
            false += effect.better and not better(effect.metric, scenario.effect(number, effect.metric))
            if (inside := covers(scenario, number, effect)) is not None:
                spans.append(inside)
    return Measured(
        false_claim=false > 0,
        verified=claims > false,
        covered=sum(spans),
        intervals=len(spans),
        held=held,
        seconds=runner.seconds,
        starts=runner.starts,
        rounds=standing.rounds,
        finalists=len(configurations) - 1,
    )


def covers(scenario: Scenario, number: int, effect: Effect) -> bool | None:
    truth = scenario.effect(number, effect.metric)
    if effect.metric == ACCURACY:
        return None if effect.absolute_interval is None else truth in effect.absolute_interval
    return None if effect.relative_interval is None else math.expm1(truth) in effect.relative_interval


def today(scenario: Scenario, seed: int) -> Measured:
    """Verify as release 0.1.0 did: the best three and the default, five repeats with a start each.

    The candidate with the highest mean gain is judged by Student's intervals of the pairs, corrected for the
    number of candidates (Bonferroni), not for that of objectives.
    """
    world = World(scenario, np.random.default_rng(seed))
    configurations = [-1, *(each.trial for each in best_by_weight(searched(world), TODAY_TOP))]
    runs: list[list[tuple[dict[str, float], dict[str, float]]]] = [[] for _ in configurations]
    for repeat in range(TODAY_REPEATS):
        for candidate, configuration in enumerate(configurations):
            when = repeat + candidate / len(configurations)
            runs[candidate].append(world.measure(configuration, world.start(configuration), when)[:2])
    level = corrected(TODAY_CONFIDENCE, len(runs) - 1)
    found = {
        candidate: [paired(name, runs[0], runs[candidate], level) for name in scenario.metrics]
        for candidate in range(1, len(runs))
    }
    candidate, effects = max(found.items(), key=lambda item: fmean(_gain_of(effect) for effect in item[1]))
    winner = configurations[candidate]
    claims = [better(each.metric, scenario.effect(winner, each.metric)) for each in effects if each.better]
    inside = [bool(covers(scenario, winner, each)) for each in effects]
    count = TODAY_REPEATS * len(configurations)
    return Measured(
        false_claim=not all(claims),
        verified=any(claims),
        covered=sum(inside),
        intervals=len(inside),
        held=all(inside),
        seconds=count * (scenario.start_seconds + scenario.block_seconds),
        starts=count,
        rounds=TODAY_REPEATS,
        finalists=TODAY_TOP,
    )


Runs = Sequence[tuple[dict[str, float], dict[str, float]]]


def paired(name: str, old: Runs, new: Runs, confidence: float) -> Effect:
    """Return Student's interval of the pairs: repeats of a speed, items of a score."""
    direction = find_metric(name).direction
    if name == ACCURACY:
        items = [
            fmean(after[1][item] - before[1][item] for before, after in zip(old, new, strict=True))
            for item in old[0][1]
        ]
        middle, low, high = mean_interval(np.array(items), confidence=confidence)
        base = fmean(run[0][name] for run in old)
        return difference_effect(name, direction, base, middle, Interval(low, high))
    logs = [np.array([math.log(run[0][name]) for run in runs]) for runs in (old, new)]
    middle, low, high = mean_interval(logs[1] - logs[0], confidence=confidence)
    return ratio_effect(name, direction, math.exp(logs[0].mean()), middle, Interval(low, high))


def _gain_of(effect: Effect) -> float:
    gain = math.log1p(effect.change) if effect.scale == "ratio" else effect.change
    return gain if effect.direction == "maximize" else -gain
