"""How well finalists are verified: simulated studies whose truth is known.

Each study has twelve searched configurations, measured once with noise by the search. From these the
finalists are chosen, verified, and judged by the functions that runners call: the plan, the order of its
repeats, what is measured again, when a candidate stops and what is reported. For comparison the same
configurations are verified by a fixed number of repeats: the best three and the default, five times, judged
once by Student's intervals of the pairs. Prints Markdown, or writes it with --output. All seeds are fixed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from simulated_studies.boundaries import BOUNDARY_HEADER, boundary_rows
from simulated_studies.scenarios import SCENARIOS
from simulated_studies.tables import COLUMNS, row
from simulated_studies.verifications import today, verify
from simulated_studies.worlds import CONFIGURATIONS, ITEMS, Measured, Scenario


def many(
    rule: Callable[[Scenario, int], Measured], scenario: Scenario, seeds: Sequence[int]
) -> list[Measured]:
    return [rule(scenario, seed) for seed in seeds]


def simulate(
    pool: ProcessPoolExecutor, rule: Callable[[Scenario, int], Measured], scenario: Scenario, count: int
) -> list[Measured]:
    chunks = [range(start, min(start + 100, count)) for start in range(0, count, 100)]
    return [each for part in pool.map(partial(many, rule, scenario), chunks) for each in part]


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
