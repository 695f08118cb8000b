"""Measures surfaces on real servers of this machine, for `bench/search_efficiency.py`.

Each configuration is measured three times, each time on another start of its engine. All engine
configurations are measured once, in an order drawn by chance, before any is measured again. What others
disturbed is measured again, a few times. Measurements are kept in journals, so that a recording that
was killed goes on where it ended. Without a name, the program says what can be measured and what is there.

    python bench/record_surface.py [NAME...] [--journals FOLDER] [--output FOLDER] [--minutes N]

The engine has one thread. For a steady surface keep one core free of all else, and give it to the program:

    taskset -c 1 nice -n -15 python bench/record_surface.py llamacpp
"""

import argparse
import os
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from recording.folders import write_folder
from recording.journals import Journal, Measurement, latest
from recording.measuring import MOST_ATTEMPTS, Recorder, recorder
from recording.plans import Plan, Start
from recording.recipes import RECIPES, Recipe
from surfaces.recorded import DESCRIPTION, load_surface

from llmopt_runner.engines.base import Engine
from llmopt_runner.stopping import Interrupted

RECORDED = Path(__file__).parent / "recorded"
JOURNALS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "llmopt" / "recordings"


def main() -> int:
    """Measure what is asked for, and write the surfaces."""
    asked = _arguments()
    try:
        for name in asked.names:
            _record(RECIPES[name](), asked)
    except Interrupted:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    if not asked.names:
        _say_what_is_there(asked.output)
    return 0


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("names", nargs="*", type=_known, metavar="NAME", help=", ".join(RECIPES))
    parser.add_argument("--journals", type=Path, default=JOURNALS, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=RECORDED, metavar="FOLDER")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no engine after them")
    return parser.parse_args()


def _known(name: str) -> str:
    if name not in RECIPES:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(RECIPES)}")
    return name


def _record(recipe: Recipe, asked: argparse.Namespace) -> None:
    plan, ends = Plan.of(recipe), time.monotonic() + 60 * asked.minutes
    os.environ["HF_HUB_OFFLINE"] = "1"
    journal = Journal(asked.journals / f"{recipe.name}.jsonl", recipe.identity)
    with recorder(recipe, plan, asked.journals / recipe.name) as measuring:
        engine = measuring.trials.slot.engine
        for count, start in enumerate(plan.starts, 1):
            if time.monotonic() < ends:
                _run(start, left_of(start, journal.measurements()), measuring, journal)
                print(f"{recipe.name}: {count} of {len(plan.starts)} starts", file=sys.stderr)
        origin = origin_of(recipe, engine)
    rows = write_folder(asked.output / recipe.name, recipe, plan, journal.measurements(), origin)
    print(f"{recipe.name}: {rows} rows")


def left_of(start: Start, measurements: list[Measurement]) -> list[int]:
    """Return which requests of `start` are still to be measured, in its order."""
    attempts: dict[tuple[int, int, int], int] = {}
    for each in measurements:
        attempts[each.place] = attempts.get(each.place, 0) + 1
    done = {
        each.place
        for each in latest(measurements)
        if not each.disturbed or attempts[each.place] >= MOST_ATTEMPTS
    }
    return [request for request in start.requests if (start.repeat, start.engine, request) not in done]


def _run(start: Start, left: list[int], measuring: Recorder, journal: Journal) -> None:
    """Measure the requests that are `left` of one engine start."""
    for request in left:
        for measured in measuring.measure(start.repeat, start.engine, request):
            journal.add(measured)
            if not measured.served:
                fail_others(measured, left, journal)
                return


def fail_others(failed: Measurement, left: list[int], journal: Journal) -> None:
    """Note that no request can be measured on an engine that does not start."""
    for request in left[left.index(failed.request) + 1 :]:
        journal.add(replace(failed, request=request, start_seconds=None))


def origin_of(recipe: Recipe, engine: Engine) -> str:
    """Return what was measured where, by which version, and when."""
    cores = len(os.sched_getaffinity(0))
    today = datetime.now(tz=UTC).date().isoformat()
    return (
        f"measured {today} by bench/record_surface.py: {engine.installed()}, SmolLM2-135M-Instruct,"
        f" {recipe.spec.workload.dataset.samples} items, on {cores} core{'s' if cores > 1 else ''} of an"
        f" {_processor()}, one thread, nice {os.getpriority(os.PRIO_PROCESS, 0)}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "CPU")


def _say_what_is_there(output: Path) -> None:
    for name in RECIPES:
        print(f"can be measured: {name}")
    for file in sorted(output.glob(f"*/{DESCRIPTION}")):
        surface = load_surface(file.parent)
        print(f"measured: {surface.name}, {len(surface.rows)} rows ({surface.origin})")


if __name__ == "__main__":
    sys.exit(main())
