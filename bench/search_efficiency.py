"""How much engine time search strategies need on recorded surfaces, by a simulated clock.

A surface is a folder with `surface.json` and `trials.csv`. All strategies run with the same seeds and see
the same noise. The budget is the engine seconds of `--trials` usual trials with a start each. A run ends
with it, after `--trials` trials (twice as many where the engine is kept between trials), or once the
best measured configuration is the best of all (surfaces of more than 70 rows: within 5 %). Where a surface
recorded no start times, a start takes 0.1, 1 and 5 usual measurements. Without SURFACES, those in `recorded`
beside the program are used.

    python bench/search_efficiency.py SURFACES... [--seeds N] [--slow-seeds N] [--trials N] [--jobs N]
        [--rivals NAME...] [--disturbed KIND] [--endings N] [--head FILE.md] [--output FILE.md]
        [--runs FILE.jsonl]

With `--disturbed KIND`, the machine of the search is slow at times, and no strategy knows when: `burst` all
measurements of one early time, `single` a tenth of them at random, `value` those of one early time that have
the best value of the most important engine parameter. All strategies see the same.

With `--endings N`, N searches with `auto` on each surface go on until they end for want of gain, and what is
truly left then is compared with what they say.

With `--runs`, each run is kept in FILE.jsonl, trial by trial, and what is in it is not run again: delete the
lines of a strategy after a change of it.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from surfaces import tables
from surfaces.disturbances import DisturbanceKind
from surfaces.endings import ending, ending_tasks, endings_table
from surfaces.figures import CaseFigures, RunFigures, run_figures
from surfaces.proposals import proposal_seconds
from surfaces.recorded import DESCRIPTION, SurfaceInvalid
from surfaces.rivals import RivalKind
from surfaces.run_file import RunFile
from surfaces.running import Prepared, Run, Task, run_all, run_one, tasks
from surfaces.simulation import Case
from surfaces.strategies import AUTO, GROUPED, KINDS, missing

# Finished trials, parameters, studies: what a proposal of `auto` is timed with.
PROPOSAL = (500, 25, 9)
PROPOSAL_TEXT = (
    "{:,} finished trials, {} parameters, one objective, one constraint: {{median:.0f}} ms on one core,"
    " median of {} studies (longest {{longest:.0f}} ms)."
).format(*PROPOSAL)
RECORDED = Path(__file__).parent / "recorded"


def main() -> int:
    """Run what is asked and write the tables."""
    asked = _arguments()
    folders = asked.surfaces or sorted(path.parent for path in RECORDED.glob(f"*/{DESCRIPTION}"))
    if not folders:
        print("no surfaces: give the folders that hold them")
        return 0
    if lacking := [text for name in asked.rivals if (text := missing(name))]:
        print("\n".join(lacking), file=sys.stderr)
        return 2
    try:
        prepared = [Prepared.of(folder) for folder in folders]
    except SurfaceInvalid as error:
        print(error, file=sys.stderr)
        return 2
    began = time.monotonic()
    kept = RunFile(asked.runs, folders)
    runs, left = kept.split(_todo(prepared, asked))
    for run in _counted(run_all(run_one, left, asked.jobs), len(left)):
        kept.add(run)
        runs.append(run)
    found = [_result(one, case, runs, asked) for one in prepared for case in one.cases()]
    surfaces = tables.surfaces_table(one.answers for one in prepared)
    parts = [
        *([asked.head.read_text(encoding="utf-8").strip()] if asked.head else []),
        _report(found, runs, asked, time.monotonic() - began).strip(),
        *_own(folders, asked),
        f"## Surfaces\n\n{surfaces}",
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if asked.output is not None:
        asked.output.write_text(text, encoding="utf-8")
    return 0


def _todo(prepared: Sequence[Prepared], asked: argparse.Namespace) -> list[Task]:
    """Return all runs; a slow strategy may have fewer seeds, the first ones of the others."""
    fewer = asked.slow_seeds or asked.seeds
    return [
        task
        for task in tasks(prepared, asked.rivals, asked.seeds, asked.trials, asked.disturbed)
        if task.seed < fewer or not KINDS[task.rival].slow
    ]


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("surfaces", nargs="*", type=Path, metavar="SURFACES")
    parser.add_argument("--seeds", type=_positive, default=30, help="runs of each strategy on each surface")
    parser.add_argument("--slow-seeds", type=_positive, help="of gp and smac; the same if not given")
    parser.add_argument("--trials", type=_positive, default=100, help="the budget of a run")
    parser.add_argument("--jobs", type=_positive, default=2, help="processes")
    parser.add_argument("--rivals", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    parser.add_argument(
        "--disturbed", type=DisturbanceKind, choices=list(DisturbanceKind), default=DisturbanceKind.NONE
    )
    parser.add_argument(
        "--endings", type=int, default=0, help="searches on each surface that end by themselves"
    )
    parser.add_argument("--head", type=Path, metavar="FILE.md", help="text for the top of the output")
    parser.add_argument("--output", type=Path, metavar="FILE.md")
    parser.add_argument("--runs", type=Path, metavar="FILE.jsonl")
    return parser.parse_args()


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _counted(runs: Iterable[Run], total: int) -> Iterable[Run]:
    """Yield `runs`, and say now and then how many there were."""
    last = time.monotonic()
    for count, run in enumerate(runs, 1):
        if time.monotonic() - last > 30:
            last = time.monotonic()
            print(f"{count} of {total} runs; {run.task.rival} on {run.task.folder.name}", file=sys.stderr)
        yield run


def _result(one: Prepared, case: Case, runs: Sequence[Run], asked: argparse.Namespace) -> tables.CaseResult:
    budget = asked.trials * case.trial_seconds
    figures, kept = {}, {}
    for name in asked.rivals:
        mine = [run for run in runs if _of_case(run, one, case, name)]
        figures[name] = CaseFigures.of([_figures(run, case, budget) for run in mine])
        kept[name] = CaseFigures.of([_figures(run, case, budget, start_each=False) for run in mine])
    return tables.CaseResult(case, budget, figures, kept)


def _of_case(run: Run, one: Prepared, case: Case, name: str) -> bool:
    if run.task.folder != one.folder or run.task.rival != name:
        return False
    return KINDS[name].one_start or run.task.factor == case.start_factor


def _figures(run: Run, case: Case, budget: float, *, start_each: bool | None = None) -> RunFigures:
    each = KINDS[run.task.rival].one_start if start_each is None else start_each
    return run_figures(case, run.steps, budget, start_each=each)


def _report(
    found: Sequence[tables.CaseResult], runs: Sequence[Run], asked: argparse.Namespace, seconds: float
) -> str:
    kinds = [KINDS[name] for name in asked.rivals]
    parts = [
        f"{asked.seeds} seeds{_fewer(asked)}, a budget of {asked.trials} trials: {len(runs)} runs.",
        *([f"Disturbed: {asked.disturbed}."] if asked.disturbed is not DisturbanceKind.NONE else ()),
        f"The runs that were not kept from before took {seconds / 60:.0f} min on {asked.jobs} processes.",
        *(_goals(found, kinds) if AUTO in asked.rivals else ()),
        "## Engine seconds to within 5 % of the best: median (quartiles), share of runs where not all",
        tables.seconds_table(found, kinds),
        "## Median regret, %",
        tables.regret_table(found, kinds),
        "## Trials / starts / failed starts / trials that broke a constraint, mean of a run",
        tables.starts_table(found, kinds),
        "## Trials until the best, small surfaces: median (quartiles)",
        tables.best_table(found, kinds),
        "## Processor time of a trial, strategy and simulation",
        tables.table(["strategy", "ms"], [_processor_time(kind, runs) for kind in kinds]),
    ]
    return "\n\n".join(parts) + "\n"


def _own(folders: Sequence[Path], asked: argparse.Namespace) -> Iterable[str]:
    """Yield what is measured of `auto` alone: where it ends, and how long it thinks."""
    if AUTO not in asked.rivals:
        return
    if asked.endings:
        ends = list(run_all(ending, ending_tasks(folders, asked.endings), asked.jobs))
        yield "## Where a search ends for want of gain"
        yield endings_table(ends)
    median, longest = proposal_seconds(*PROPOSAL)
    yield f"## Processor time of a proposal of {KINDS[AUTO].title}"
    yield PROPOSAL_TEXT.format(median=1000 * median, longest=1000 * longest)


def _goals(found: Sequence[tables.CaseResult], kinds: Sequence[RivalKind]) -> list[str]:
    one_start = [kind.name for kind in kinds if kind.one_start]
    return [
        "## Goals",
        tables.summary_table(found, AUTO, one_start, GROUPED),
        tables.slower_cases(found, AUTO),
        "## Each strategy over `auto`: ratio of the median engine seconds, median over surfaces",
        tables.strategies_table(found, AUTO, kinds),
        "## Ratios of the median engine seconds",
        tables.ratio_table(found, AUTO, one_start, GROUPED),
    ]


def _fewer(asked: argparse.Namespace) -> str:
    names = [name for name in asked.rivals if KINDS[name].slow]
    return f" ({asked.slow_seeds} for {', '.join(names)})" if asked.slow_seeds and names else ""


def _processor_time(kind: RivalKind, runs: Sequence[Run]) -> list[str]:
    mine = [run for run in runs if run.task.rival == kind.name]
    seconds, trials = sum(run.processor_seconds for run in mine), sum(len(run.steps) for run in mine)
    return [kind.title, f"{1000 * seconds / max(1, trials):.0f}"]


if __name__ == "__main__":
    sys.exit(main())
