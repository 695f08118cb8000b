"""How near the search for the highest load comes to a capacity that is known.

    python bench/max_rate.py --out bench/results/FILE.md

The server is a fake with a number of slots and a fixed time per answer, so its capacity is slots / time. At
constant gaps the highest rate is the capacity. Poisson arrivals cluster, so that requests wait before the
server is full: there the truth is the rate at which as many simulated loads of the same length keep the level
as do not. Each row is one search, with its probes, the burst included.
"""

import argparse
import heapq
import math
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.resources.load import MaxRate
from llmopt_core.resources.serving import ServiceLevel
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.max_rate import MaxRateSearch

ANSWER_SECONDS = 0.2
TOKENS, GAP_MS = 4, 5.0
ATTAINMENT = 0.95
LEVEL_SHARE = 2.0
SIMULATIONS = 31
FEWEST_REQUESTS = 16


@dataclass(frozen=True)
class Row:
    """One search against one server."""

    slots: int
    arrivals: str
    seed: int
    truth: float
    found: float
    low: float
    high: float | None
    probes: int
    requests: int

    def cells(self) -> list[str]:
        """Return the row as texts."""
        error = self.found / self.truth - 1
        top = "-" if self.high is None else f"{self.high:.2f}"
        return [
            str(self.slots),
            self.arrivals,
            str(self.seed),
            f"{self.truth:.2f}",
            f"{self.found:.2f}",
            f"{error:+.1%}".replace("%", " %"),
            f"{self.low:.2f} to {top}",
            str(self.probes),
            str(self.requests),
        ]


HEADER = ("slots", "arrivals", "seed", "truth /s", "found /s", "error", "interval /s", "probes", "requests")


def truth_of(slots: int, arrivals: str, seconds: int) -> float:
    """Return the highest rate by the queue itself: its capacity, or what half of the simulated loads keep."""
    capacity = slots / ANSWER_SECONDS
    if arrivals == "constant":
        return capacity
    low, high = 0.3 * capacity, 1.1 * capacity
    for _ in range(12):
        middle = (low + high) / 2
        kept = sum(keeps(middle, slots, seconds, seed) for seed in range(SIMULATIONS))
        low, high = (middle, high) if kept > SIMULATIONS / 2 else (low, middle)
    return low


def keeps(rate: float, slots: int, seconds: int, seed: int) -> bool:
    """Say whether a simulated queue keeps the level at `rate`."""
    generator, at, free, broken = random.Random(seed), 0.0, [0.0] * slots, 0
    number = max(FEWEST_REQUESTS, math.ceil(rate * seconds))
    for _ in range(number):
        at += generator.expovariate(rate)
        end = max(at, heapq.heappop(free)) + ANSWER_SECONDS
        heapq.heappush(free, end)
        broken += end - at > LEVEL_SHARE * ANSWER_SECONDS
    return broken <= (1 - ATTAINMENT) * number


def search(slots: int, arrivals: str, seed: int, seconds: int, truth: float) -> Row:
    """Search once, against a server of its own."""
    ttft_ms = 1000 * ANSWER_SECONDS - GAP_MS * (TOKENS - 1)
    options = FakeOptions(slots=slots, ttft_ms=ttft_ms, gap_ms=GAP_MS, tokens=TOKENS)
    requests = [
        ChatRequest(str(i), ({"role": "user", "content": str(i)},), 16) for i in range(FEWEST_REQUESTS)
    ]
    level = ServiceLevel(e2e_ms=round(1000 * LEVEL_SHARE * ANSWER_SECONDS))
    spec = MaxRate(probe_duration=f"{seconds}s", arrivals=arrivals, attainment=str(ATTAINMENT))
    with FakeServer(options) as server:
        endpoint = Endpoint(server.base_url, "fake-model")
        found = MaxRateSearch(endpoint, requests, spec, level, seed, StopSignal(), 600.0).run()
        sent = len(server.truth())
    curve = found.curve
    return Row(slots, arrivals, seed, truth, curve.value, curve.low, curve.high, len(curve.probes) + 1, sent)


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the rows as Markdown."""
    yield "| " + " | ".join(HEADER) + " |"
    yield "|" + "---|" * len(HEADER)
    for row in rows:
        yield "| " + " | ".join(row.cells()) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--slots", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--arrivals", nargs="+", default=["constant", "poisson"])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--out", type=Path, help="write the table there too")
    given = parser.parse_args()
    rows = []
    for slots, arrivals in product(given.slots, given.arrivals):
        truth = truth_of(slots, arrivals, given.seconds)
        for seed in range(given.repeats):
            rows.append(search(slots, arrivals, seed, given.seconds, truth))
            sys.stderr.write(f"{' '.join(rows[-1].cells())}\n")
    text = "\n".join(table(rows)) + "\n"
    sys.stdout.write(text)
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
