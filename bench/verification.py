"""How well finalists are verified: simulated studies whose truth is known.

Each study has twelve searched configurations, measured once with noise by the search. From these the
finalists are chosen, verified, and judged by the functions that runners call: the plan, the order of its
repeats, what is measured again, when a candidate stops and what is reported. For comparison the same
configurations are verified by a fixed number of repeats: the best three and the default, five times, judged
once by Student's intervals of the pairs. Prints Markdown, or writes it with --output. All seeds are fixed.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from llmopt_core.analysis.blocks import Block, ComparedMetric, Slot
from llmopt_core.analysis.effects import Effect, Interval, difference_effect, ratio_effect
from llmopt_core.analysis.finalists import Contender, choose_finalists
from llmopt_core.analysis.intervals import corrected, mean_interval
from llmopt_core.analysis.sequential import boundary
from llmopt_core.analysis.student import quantile
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

ACCURACY, SPEED, LATENCY, MEMORY = "accuracy", "requests_per_second", "ttft_ms_p95", "peak_memory_mib"
BASE = {SPEED: 4.0, LATENCY: 300.0, MEMORY: 2000.0}
CONFIGURATIONS = 12
TODAY_REPEATS, TODAY_TOP, TODAY_CONFIDENCE = 5, 3, 0.95
ITEMS = 48
# The share of items on which a candidate's answer does not follow the baseline's.
FRESH = 0.3
# An answer that comes out differently when it is given again.
UNSTEADY = 0.03


@dataclass(frozen=True)
class Scenario:
    """A kind of study. `truth` of a configuration: differences for accuracy, logarithms of quotients else."""

    name: str
    metrics: tuple[str, ...]
    truth: tuple[dict[str, float], ...] = ()  # of the first configurations; all others change nothing
    start_spread: float = 0.01
    score_spread: float = 0.0  # of what a start adds to the share of right answers
    block_spread: float = 0.015
    drift: float = 0.0  # of the logarithm of speeds, a round
    disturbed: float = 0.0
    uneven: float = 1.0  # times the noise, of every second configuration
    start_seconds: float = 10.0
    block_seconds: float = 20.0
    repeats: int = 10
    forced: int = 0  # verify the best so many, however alike
    stops: bool = True  # else all rounds are measured
    shared: bool = False  # one engine serves all: configurations differ by what requests say

    def engine(self, configuration: int) -> str:
        """Return what names the engine of a configuration."""
        return "" if self.shared else str(configuration)

    def effect(self, configuration: int, metric: str) -> float:
        """Return the true effect of a configuration, of which the baseline is number -1."""
        if not 0 <= configuration < len(self.truth):
            return 0.0
        return self.truth[configuration].get(metric, 0.0)


@dataclass
class Measured:
    """What one study came to."""

    false_claim: bool = False
    verified: bool = False
    covered: int = 0
    intervals: int = 0
    held: bool = True  # the intervals of all looks hold the truth
    seconds: float = 0.0
    starts: int = 0
    rounds: int = 0
    finalists: int = 0


@dataclass
class World:
    """The machine, the engines and the items of one simulated study."""

    scenario: Scenario
    generator: np.random.Generator
    drifts: np.ndarray = field(init=False)
    baseline_answers: np.ndarray = field(init=False)
    answers: dict[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        most = self.scenario.repeats + 1
        steps = self.generator.normal(1.0, 1.0, most)  # on average downwards, and wandering
        self.drifts = -np.cumsum(steps) * self.scenario.drift
        self.baseline_answers = self.generator.random(ITEMS) < 0.5

    def steady_answers(self, configuration: int) -> np.ndarray:
        """Return which items a configuration answers rightly when nothing varies."""
        if configuration < 0:
            return self.baseline_answers
        if configuration not in self.answers:
            rate = 0.5 + self.scenario.effect(configuration, ACCURACY) / FRESH
            fresh = self.generator.random(ITEMS) < FRESH
            drawn = self.generator.random(ITEMS) < rate
            self.answers[configuration] = np.where(fresh, drawn, self.baseline_answers)
        return self.answers[configuration]

    def scores(self, configuration: int, shift: float) -> np.ndarray:
        """Return one score an item, as one repeat gives them; `shift` is the start's."""
        steady = self.steady_answers(configuration).astype(float)
        answers = np.abs(steady - (self.generator.random(ITEMS) < UNSTEADY))
        turned = self.generator.random(ITEMS) < 2 * abs(shift)  # half of the answers can turn this way
        return np.where(turned, float(shift > 0), answers)

    def noise(self, configuration: int) -> float:
        """Return how much noisier than others a configuration is."""
        return self.scenario.uneven if configuration >= 0 and configuration % 2 == 0 else 1.0

    def start(self, configuration: int) -> dict[str, float]:
        """Return what an engine start adds to scores and to the logarithms of other metrics."""
        spread = self.scenario.start_spread * self.noise(configuration)
        return {
            name: self.generator.normal(0, self.scenario.score_spread if name == ACCURACY else spread)
            for name in self.scenario.metrics
        }

    def measure(
        self, configuration: int, start: dict[str, float], when: float
    ) -> tuple[dict[str, float], dict[str, float], bool]:
        """Return metrics, scores and whether the block was seen to be disturbed; `when` in rounds."""
        slow = 1.0
        if self.generator.random() < self.scenario.disturbed:
            slow = self.generator.uniform(0.2, 0.97)
        drift = float(np.interp(when, np.arange(len(self.drifts)), self.drifts))
        known = ACCURACY in self.scenario.metrics
        scores = self.scores(configuration, start[ACCURACY]) if known else np.array([])
        metrics = {ACCURACY: float(scores.mean())} if scores.size else {}
        for name in self.scenario.metrics:
            if name != ACCURACY:
                noise = self.generator.normal(0, self.scenario.block_spread * self.noise(configuration))
                change = self.scenario.effect(configuration, name) + start[name] + noise
                sign = 0 if name == MEMORY else 1 if find_metric(name).direction == "maximize" else -1
                metrics[name] = BASE[name] * math.exp(change + sign * (drift + math.log(slow)))
        return metrics, {f"i{place}": score for place, score in enumerate(scores)}, slow < 0.9


def compared(name: str) -> ComparedMetric:
    metric = find_metric(name)
    return ComparedMetric(name, metric.direction, metric.scale, per_item=name == ACCURACY)


def better(name: str, change: float) -> bool:
    return change > 0 if find_metric(name).direction == "maximize" else change < 0


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


GAIN = math.log(1.05)
NEIGHBOURS = ({SPEED: GAIN}, {SPEED: GAIN}, {SPEED: GAIN}, {SPEED: -0.05}, {SPEED: -0.1})
TRADE = ({ACCURACY: 0.14, SPEED: -0.1}, {ACCURACY: -0.1, SPEED: 0.15}, {ACCURACY: 0.05, SPEED: 0.05})
TWO, FOUR = (ACCURACY, SPEED), (ACCURACY, SPEED, LATENCY, MEMORY)
PLAIN_GAIN = Scenario("+5 % speed, one objective", (SPEED,), NEIGHBOURS)
EXPENSIVE = {"start_seconds": 142.0, "block_seconds": 60.0}
SCENARIOS = (
    Scenario("no effect, two objectives", TWO),
    Scenario("no effect, four objectives", FOUR),
    Scenario("no effect, two objectives, three finalists", TWO, forced=3),
    Scenario("no effect, four objectives, four finalists", FOUR, forced=4),
    Scenario("no effect, start spread 5 %", TWO, start_spread=0.05, forced=3),
    Scenario("no effect, start spread of the accuracy 0.03", TWO, score_spread=0.03, forced=3),
    Scenario("no effect, drifting speed", TWO, drift=0.03, forced=3),
    Scenario("no effect, 20 % of blocks disturbed", TWO, disturbed=0.2, forced=3),
    Scenario("no effect, every second configuration three times as noisy", TWO, uneven=3.0, forced=3),
    Scenario("no effect, one objective, never stopped early", (SPEED,), forced=3, stops=False),
    Scenario("no effect, two objectives, never stopped early", TWO, forced=3, stops=False),
    Scenario("no effect, four objectives, never stopped early", FOUR, forced=4, stops=False),
    PLAIN_GAIN,
    replace(PLAIN_GAIN, name="+5 % speed, one objective, up to 5 repeats", repeats=5),
    replace(PLAIN_GAIN, name="+5 % speed, one objective, one engine for all", shared=True),
    replace(PLAIN_GAIN, name="+5 % speed, one objective, the same three finalists", forced=3),
    replace(PLAIN_GAIN, name="+5 % speed, two objectives", metrics=TWO),
    replace(PLAIN_GAIN, name="+5 % speed, half the noise", start_spread=0.005, block_spread=0.0075),
    replace(PLAIN_GAIN, name="+5 % speed, twice the noise", start_spread=0.02, block_spread=0.03),
    replace(PLAIN_GAIN, name="+5 % speed, start spread 5 %", start_spread=0.05),
    replace(PLAIN_GAIN, name="+5 % speed, start spread 5 %, up to 15 repeats", start_spread=0.05, repeats=15),
    replace(PLAIN_GAIN, name="+5 % speed, drifting speed", drift=0.03),
    replace(PLAIN_GAIN, name="+5 % speed, 20 % of blocks disturbed", disturbed=0.2),
    replace(PLAIN_GAIN, name="+5 % speed, a start of 142 s", **EXPENSIVE),
    Scenario("trade-off: accuracy +0.14 and speed -10 %, or -0.10 and +16 %", TWO, TRADE),
)


def many(
    rule: Callable[[Scenario, int], Measured], scenario: Scenario, seeds: Sequence[int]
) -> list[Measured]:
    return [rule(scenario, seed) for seed in seeds]


def simulate(
    pool: ProcessPoolExecutor, rule: Callable[[Scenario, int], Measured], scenario: Scenario, count: int
) -> list[Measured]:
    chunks = [range(start, min(start + 100, count)) for start in range(0, count, 100)]
    return [each for part in pool.map(partial(many, rule, scenario), chunks) for each in part]


def share(values: Sequence[bool]) -> str:
    """Return a share in percent with the standard error of the simulation."""
    rate = float(np.mean(values)) if len(values) else math.nan
    return f"{100 * rate:.1f} ± {100 * math.sqrt(rate * (1 - rate) / max(1, len(values))):.1f}"


def row(name: str, rule: str, studies: Sequence[Measured]) -> str:
    judged = [each for each in studies if each.intervals]
    single = sum(each.covered for each in judged) / max(1, sum(each.intervals for each in judged))
    seconds = np.array([each.seconds for each in studies])
    verified = np.mean([each.verified for each in studies])
    cells = (
        name,
        rule,
        share([each.false_claim for each in studies]),
        share([each.covered == each.intervals for each in judged]),
        share([each.held for each in judged]),
        f"{100 * single:.1f}",
        share([each.verified for each in studies]),
        f"{np.mean([each.finalists for each in studies]):.1f}",
        f"{np.mean([each.rounds for each in studies]):.1f}",
        f"{np.mean([each.starts for each in studies]):.1f}",
        f"{seconds.mean():.0f} ± {seconds.std() / math.sqrt(len(seconds)):.0f}",
        f"{seconds.mean() / verified:.0f}" if verified else "",
    )
    return "| " + " | ".join(cells) + " |"


def boundary_rows(count: int) -> Iterator[str]:
    """Compare boundaries: mean rounds until +5 % is decided to be better, and how often within the limit."""
    generator = np.random.default_rng(11)
    for candidates, objectives, rounds, spread in (
        (1, 1, 10, 0.02),
        (1, 2, 10, 0.02),
        (3, 2, 10, 0.02),
        (3, 2, 5, 0.01),
    ):
        values = generator.normal(0, spread, (rounds, count, candidates + 1))
        values[..., 1] += GAIN
        found = boundary(candidates, objectives, rounds, shared=True)
        family = candidates * objectives
        rules: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {
            "simulated": partial(crosses, found.level, found.first_look),
            "Bonferroni over looks": partial(crosses, 0.05 / family / (rounds - 1), 2),
            "mixture martingale (e-values)": partial(evidence, family / 0.05),
        }
        for name, rule in rules.items():
            decided = np.full(count, rounds + 1)
            for seen in range(rounds, 1, -1):
                degrees = candidates * (seen - 1)
                decided[rule(statistics(values[:seen], degrees), seen, degrees)] = seen
            inside = decided <= rounds
            mean = np.minimum(decided, rounds).mean()
            yield (
                f"| {candidates} | {objectives} | {rounds} | {100 * spread:.0f} % | {name} | {mean:.2f} | "
                f"{share(list(inside))} |"
            )


def statistics(values: np.ndarray, degrees: int) -> np.ndarray:
    """Return the first candidate's t statistic; `values`: (rounds, studies, 1 + candidates)."""
    means = values.mean(axis=0)
    residual = values - means - values.mean(axis=-1, keepdims=True) + means.mean(axis=-1)[None, :, None]
    error = np.sqrt(2 * (residual**2).sum(axis=(0, -1)) / degrees / len(values))
    return (means[:, 1] - means[:, 0]) / error


def crosses(level: float, first: int, t: np.ndarray, look: int, degrees: int) -> np.ndarray:
    return (t > quantile(1 - level / 2, degrees)) & (look >= first)


def evidence(threshold: float, t: np.ndarray, look: int, degrees: int) -> np.ndarray:
    """Compare the Bayes factor of the t statistic with a threshold: Wang and Ramdas 2024.

    The mixture is a normal one over standardised effects with a standard deviation of 2.
    """
    spread = 1 + look / 2 * 4.0
    power = (degrees + 1) / 2
    factor = spread**-0.5 * ((1 + t**2 / degrees) / (1 + t**2 / degrees / spread)) ** power
    return (factor > threshold) & (t > 0)


COLUMNS = (
    "study",
    "rule",
    "false claims, %",
    "coverage of a study, %",
    "at all looks, %",
    "of one interval, %",
    "verified, %",
    "finalists",
    "rounds",
    "starts",
    "seconds",
    "seconds per verified gain",
)
HEADER = """# Verification of finalists, simulated

Written by `bench/verification.py` ({count:,} studies a row, seeds 0 to {last}; {minutes:.0f} minutes).

Each study has {configurations} searched configurations and a baseline. Unless a row says otherwise:
start-to-start spread 1 %, spread of a block 1.5 %, a start of 10 s, a block of 20 s with {items} items, up to
10 repeats, smallest relevant gain 2 % or 0.02. The sequential rule is what runners do: the same functions
give the plan, the order of the repeats, what is measured again, when a candidate stops and what is reported.
"5 repeats" is the fixed rule of release 0.1.0: the best three of the search and the default, 5 repeats, one
look; it reports intervals of the winner only.

- False claims: studies that call anything better that is not, in percent (goal: at most 5).
- Coverage of a study: studies all of whose reported intervals hold the truth, in percent; they are stated at
  95 % for a study as a whole (goal: 93 to 97). At all looks: studies in which the intervals by which looks
  decide, which are wider, hold it at every look that was taken. Of one interval: share of single intervals.
- Verified: studies that find a true gain. Seconds: engine time, starts included, in the mean; per verified
  gain: divided by the share verified (goal: half of the fixed rule's).
- ± is the standard error of the simulation.

"""
BOUNDARY_HEADER = """

## Boundaries

Rounds until a gain of 5 % of one candidate is decided, by what is used for repeated looks (the spread of one
measurement as given, compared round by round; {count:,} studies).

| candidates | objectives | largest number of rounds | spread | boundary | rounds | decided, % |
| --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Compared:
    """The studies of one scenario by both rules."""

    scenario: Scenario
    sequential: Sequence[Measured]
    fixed: Sequence[Measured]


def goals(found: Sequence[Compared]) -> Iterator[str]:
    """Yield how the sequential rule stands to each goal."""
    false = {each.scenario.name: np.mean([one.false_claim for one in each.sequential]) for each in found}
    worst = max(false, key=lambda name: false[name])
    yield f"- False claims: at most {100 * false[worst]:.1f} of 100 ({worst})."
    coverage = {each.scenario.name: 100 * whole_coverage(each.sequential) for each in found}
    whole = {
        each.scenario.name: 100 * np.mean([one.held for one in each.sequential])
        for each in found
        if not each.scenario.stops
    }
    inside = [name for name, rate in coverage.items() if 93 <= rate <= 97]
    yield (
        f"- Coverage of a study: {min(coverage.values()):.1f} to {max(coverage.values()):.1f} %; within 93"
        f" to 97 in {len(inside)} of {len(coverage)} rows. Above 97 are studies that give up early: in the"
        " looks that are left chance would have shown some more effects. Never stopped, it is"
        f" {' and '.join(each.split(',')[1].strip() + f' {rate:.1f} %' for each, rate in whole.items())}"
        " at all looks together."
    )
    for each in found:
        if any(one.verified for one in each.fixed) and "trade" not in each.scenario.name:
            now, before = (mean_seconds(studies) for studies in (each.sequential, each.fixed))
            per_gain = [value / mean_verified(studies) for value, studies in
                        ((now, each.sequential), (before, each.fixed))]  # fmt: skip
            yield (
                f"- Engine time, {each.scenario.name}: {now / before:.2f} of the fixed rule's in the mean,"
                f" {per_gain[0] / per_gain[1]:.2f} per verified gain."
            )


def whole_coverage(studies: Sequence[Measured]) -> float:
    return float(np.mean([each.covered == each.intervals for each in studies if each.intervals]))


def mean_seconds(studies: Sequence[Measured]) -> float:
    return float(np.mean([each.seconds for each in studies]))


def mean_verified(studies: Sequence[Measured]) -> float:
    return float(np.mean([each.verified for each in studies]))


def table(count: int, workers: int) -> str:
    began = time.monotonic()
    found, rows = [], []
    with ProcessPoolExecutor(workers) as pool:
        for scenario in SCENARIOS:
            both = [simulate(pool, rule, scenario, count) for rule in (verify, today)]
            found.append(Compared(scenario, *both))
            rows += [
                row(scenario.name, *each) for each in zip(("sequential", "5 repeats"), both, strict=True)
            ]
            print(*rows[-2:], f"{time.monotonic() - began:.0f} s", sep="\n", file=sys.stderr)
    header = HEADER.format(
        count=count,
        last=count - 1,
        minutes=(time.monotonic() - began) / 60,
        configurations=CONFIGURATIONS,
        items=ITEMS,
    )
    heads = ("| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS))
    parts = (*heads, *rows, "\n## Goals\n", *goals(found))
    return header + "\n".join(parts) + BOUNDARY_HEADER.format(count=count) + "\n".join(boundary_rows(count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="a row")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    text = table(arguments.studies, arguments.workers) + "\n"
    if arguments.output:
        arguments.output.write_text(text)
    else:
        print(text)


if __name__ == "__main__":
    main()
