"""How often racing stops a trial, and how many of its items it saves: simulated trials whose truth is known.

After a number of equal trials another one with a planted quality and speed is measured in blocks, as a runner
does. Starts differ by 5 %, the machine drifts, items differ in length. Prints Markdown, or writes it with
--output. All seeds are fixed.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fakes.races import ACCURACY, GOOD_ANSWERS, REQUESTS, TTFT, World, asked_before_the_stop, study

from llmopt_core.sampling.racing.races import race_of
from llmopt_core.storage.records import ObjectiveDefinition

QUALITY = 0.6
WORLDS = (World(count=24, clients=2), World(count=60, clients=4), World(count=200, clients=8))
BEFORE = (4, 30)
OBJECTIVES: tuple[tuple[ObjectiveDefinition, ...], ...] = (
    (ACCURACY,),
    (REQUESTS,),
    (GOOD_ANSWERS,),
    (TTFT,),
    (ACCURACY, REQUESTS),
)


@dataclass(frozen=True)
class Planted:
    """What is true of the trial: a difference in quality, and its speed as a share of the others'."""

    name: str
    quality: float
    speed: float


PLANTED = (
    Planted("equal", 0.0, 1.0),
    Planted("better by 0.02 and 2 %", 0.02, 1.02),
    Planted("quality 0.2 lower", -0.2, 1.0),
    Planted("20 % slower", 0.0, 0.8),
    Planted("half as fast", 0.0, 0.5),
    Planted("0.2 lower, 30 % slower", -0.2, 0.7),
    Planted("0.4 lower, half as fast", -0.4, 0.5),
    Planted("trade-off: 0.3 better, half as fast", 0.3, 0.5),
)


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    objectives: tuple[ObjectiveDefinition, ...]
    world: World
    before: int
    planted: Planted


@dataclass(frozen=True)
class Result:
    """The share of runs that were stopped, the mean share of items asked, milliseconds per look."""

    stopped: float
    asked: float
    look_ms: float


def simulate(case: Case, runs: int) -> Result:
    """Return what racing did to `runs` trials of `case`."""
    chance, asked, looked = np.random.default_rng(20_261_126), [], []
    for _ in range(runs):
        lengths = case.world.lengths(chance)
        records = [
            case.world.record(number, case.world.trial(chance, lengths, quality=QUALITY))
            for number in range(case.before)
        ]
        race = race_of(study(*case.objectives), records)
        assert race is not None, "the world is too small for a look"
        race.prepare()
        items = case.world.trial(
            chance, lengths, quality=QUALITY + case.planted.quality, speed=case.planted.speed
        )
        began = time.perf_counter()
        count = asked_before_the_stop(race, items)
        looked.append((time.perf_counter() - began) / sum(look <= count for look in race.looks))
        asked.append(count / case.world.count)
    shares = np.array(asked)
    return Result(float((shares < 1).mean()), float(shares.mean()), 1000 * float(np.median(looked)))


def table(runs: int) -> str:
    """Return all cases as Markdown."""
    cases = [
        Case(objectives, world, before, planted)
        for objectives in OBJECTIVES
        for world in WORLDS
        for before in BEFORE
        for planted in PLANTED
    ]
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(partial(simulate, runs=runs), cases))
    lines = [
        f'{runs} runs a row; "before" is the number of equal trials that were measured before.',
        "",
        "| objectives | items, clients | before | the trial is | stopped | items asked | ms per look |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(case, result) for case, result in zip(cases, results, strict=True)]
    return "\n".join(lines) + "\n"


def _row(case: Case, result: Result) -> str:
    metrics = ", ".join(each.metric for each in case.objectives)
    cells = (
        metrics,
        f"{case.world.count}, {case.world.clients}",
        str(case.before),
        case.planted.name,
        f"{result.stopped:.1%}",
        f"{result.asked:.0%}",
        f"{result.look_ms:.2f}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    text = f"# Racing in blocks, simulated\n\n{table(given.runs)}"
    if given.output is None:
        print(text)
    else:
        given.output.write_text(text)


if __name__ == "__main__":
    main()
