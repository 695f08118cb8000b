"""Search strategies live: the quickstart's space on llama.cpp, the same minutes each.

llmopt's own sampler, its TPE with trials grouped by engine, random search and SMAC3 each search for the most
good answers a second. All measure by the same runner on the same items, engine starts included in the time.
Each winner and the default are then compared by one benchmark, in interleaved repeats on items that no search
has seen. Run it where nothing else runs: about 45 minutes with the defaults.

    python bench/live_search.py [--minutes N] [--seeds N] [--repeats N] [--methods NAME...] [--results FOLDER]
        [--output FILE.md]
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from live import METHODS, Search, Task, comparison, found_by
from live.tables import report

from llmopt.api import benchmark


def main() -> int:
    """Run all searches, then the benchmark of their winners."""
    asked = _arguments()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        results = asked.results or Path(folder)
        found = [_searched(task, results) for task in tasks(asked.methods, asked.seeds, asked.minutes)]
        winners = {search.name: search.parameters for search in found if search.parameters is not None}
        judged = benchmark(comparison(winners, asked.repeats), results=results, fresh=True, progress=True)
    text = report(found, judged, asked.minutes, time.monotonic() - began)
    print(text)
    if asked.output is not None:
        asked.output.write_text(text, encoding="utf-8")
    return 0


def tasks(methods: list[str], seeds: int, minutes: float) -> list[Task]:
    """Return all searches; in each round of a seed the methods have an order of their own."""
    return [
        Task(method, seed, 60 * minutes)
        for seed in range(seeds)
        for method in random.Random(seed).sample(methods, len(methods))
    ]


def _searched(task: Task, results: Path) -> Search:
    print(f"{task.name}: {task.seconds / 60:.3g} minutes", file=sys.stderr)
    search = found_by(task, results)
    print(f"{task.name}: {search.trials} trials, the best {search.value}", file=sys.stderr)
    return search


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--minutes", type=float, default=5.0, help="of each search")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5, help="of each winner in the benchmark")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), metavar="NAME")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="keep the studies here")
    parser.add_argument("--output", type=Path, metavar="FILE.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
