"""What the framework itself costs per trial: claim, report and finish, without any measurement.

Runs fake trials in studies of 0, 500 and 2,000 finished ones and prints, per database, sampler and number of
objectives: milliseconds of a claim and of a finish (median and 10th to 90th percentile), the share of it that
is ours (all but the sampler's own thinking), and statements and commits per trial. With `--runners 8
--think 5`, eight processes share the study and each finishes a trial every five seconds.

    python bench/framework_overhead.py [--postgres URL] [--runners N] [--think SECONDS] [--trials N]
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from llmopt_core.sampling.history import OptunaSampler
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.search.spaces import (
    ChoiceDimension,
    Condition,
    FloatDimension,
    IntDimension,
    SearchSpace,
    SpaceParameter,
)
from llmopt_core.storage.methods import Proposal, Request
from llmopt_core.storage.records import Claim, ObjectiveDefinition, Outcome, OutcomeKind, StudyDefinition
from llmopt_core.storage.snapshot import Snapshot
from llmopt_core.storage.storages import Storage
from llmopt_core.storage.studies import Study

SPACE = SearchSpace(
    (
        SpaceParameter("engine.n_parallel", IntDimension(1, 64, log=True)),
        SpaceParameter("engine.n_batch", IntDimension(64, 4096, step=64)),
        SpaceParameter("engine.kv", ChoiceDimension(("f16", "q8_0", "q4_0"))),
        SpaceParameter("sampling.temperature", FloatDimension(0.0, 1.5)),
        SpaceParameter(
            "sampling.top_p", FloatDimension(0.1, 1.0), (Condition("sampling.temperature", above=0.1),)
        ),
        SpaceParameter("prompt.few_shot", IntDimension(0, 4)),
    )
)
OBJECTIVES = (
    ObjectiveDefinition("accuracy", "maximize"),
    ObjectiveDefinition("ttft_ms_p95", "minimize"),
)
SAMPLES = 60


@dataclass
class Costs:
    """Milliseconds per trial; `thinking` is the sampler's part of the claim."""

    claim: list[float] = field(default_factory=list)
    finish: list[float] = field(default_factory=list)
    thinking: list[float] = field(default_factory=list)
    statements: int = 0
    commits: int = 0


def main() -> None:
    """Print the table."""
    arguments = _arguments()
    table = Table(
        "database", "sampler", "obj.", "finished", "claim ms", "finish ms", "both", "ours", "stmts", "commits"
    )
    with tempfile.TemporaryDirectory() as folder:
        for url in filter(None, [f"sqlite:///{folder}/bench.db", arguments.postgres]):
            for sampler, objectives in (("random", 1), ("tpe", 1), ("tpe", 2)):
                if sampler not in arguments.samplers:
                    continue
                for finished in arguments.finished:
                    costs = _measure(url, sampler, objectives, finished, arguments)
                    table.add_row(url.split(":")[0], sampler, str(objectives), str(finished), *_cells(costs))
    Console(width=140).print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--postgres", help="address of an empty Postgres database")
    parser.add_argument("--runners", type=int, default=1)
    parser.add_argument("--think", type=float, default=0.0, help="seconds between a runner's trials")
    parser.add_argument("--trials", type=int, default=30, help="measured trials per runner")
    parser.add_argument("--samplers", nargs="*", default=["random", "tpe"])
    parser.add_argument("--finished", type=int, nargs="*", default=[0, 500, 2000])
    return parser.parse_args()


def _measure(url: str, sampler: str, objectives: int, finished: int, arguments: argparse.Namespace) -> Costs:
    name = f"{sampler}-{objectives}-{finished}-{arguments.runners}"
    definition = StudyDefinition(
        name,
        "bench",
        SPACE,
        OBJECTIVES[:objectives],
        sampler=sampler,
        pruner="none" if objectives > 1 else "wilcoxon",
    )
    with open_for_search(url) as storage:
        storage.drop_study(name)
        storage.create_study(definition)
    _fill(url, name, finished)
    if arguments.runners == 1:
        return _run(url, name, "runner-0", arguments.trials, arguments.think)
    context = multiprocessing.get_context("spawn")
    with context.Pool(arguments.runners) as pool:
        jobs = [
            (url, name, f"runner-{n}", arguments.trials, arguments.think) for n in range(arguments.runners)
        ]
        return _merged(pool.starmap(_run, jobs))


def _fill(url: str, name: str, finished: int) -> None:
    """Finish trials with random parameters: what a long search would have left, without its thinking."""
    with open_for_search(url) as storage:
        study = storage.open_study(name)
        study_id, database = study._study_id, storage._database  # noqa: SLF001 - to write into it by another sampler
        filler = Study(database, study_id, replace(study.definition, sampler="random"), "filler")
        for _ in range(finished):
            claim = filler.claim("filler", budget=10**6)
            assert claim is not None
            filler.finish(claim, _outcome(claim))


def _run(url: str, name: str, runner: str, trials: int, think: float) -> Costs:
    costs = Costs()
    with open_for_search(url) as storage, _counting(storage, costs), _timing_thought(costs):
        study = storage.open_study(name)
        warm_up = study.claim(runner, budget=10**6)  # the first claim reads the whole study
        assert warm_up is not None
        study.finish(warm_up, _outcome(warm_up))
        costs.thinking.clear()
        costs.statements = costs.commits = 0
        for _ in range(trials):
            time.sleep(think)
            _one(study, runner, costs)
    return costs


def _one(study: Study, runner: str, costs: Costs) -> None:
    began = time.perf_counter()
    claim = study.claim(runner, budget=10**6)
    assert claim is not None
    claimed = time.perf_counter()
    outcome = _outcome(claim)
    prepared = time.perf_counter()
    study.finish(claim, outcome)
    costs.claim.append((claimed - began) * 1000)
    costs.finish.append((time.perf_counter() - prepared) * 1000)


def _outcome(claim: Claim) -> Outcome:
    temperature = float(claim.parameters.get("sampling.temperature", 0.8))
    return Outcome(
        OutcomeKind.MEASURED,
        Configuration.from_flat(claim.parameters),
        metrics={
            "accuracy": 1 - abs(temperature - 0.3) / 2,
            "ttft_ms_p95": 50.0 + 10 * float(claim.parameters.get("engine.n_parallel", 8)),
        },
        samples={f"item-{index}": float(index % 2) for index in range(SAMPLES)},
    )


@contextmanager
def _counting(storage: Storage, costs: Costs) -> Iterator[None]:
    def statement(*_: object) -> None:
        costs.statements += 1

    def commit(*_: object) -> None:
        costs.commits += 1

    sa.event.listen(storage.engine, "before_cursor_execute", statement)
    sa.event.listen(storage.engine, "commit", commit)
    yield


@contextmanager
def _timing_thought(costs: Costs) -> Iterator[None]:
    propose = OptunaSampler.propose

    def timed(self: OptunaSampler, snapshot: Snapshot, request: Request) -> Proposal:
        began = time.perf_counter()
        proposal = propose(self, snapshot, request)
        costs.thinking.append((time.perf_counter() - began) * 1000)
        return proposal

    with patch.object(OptunaSampler, "propose", timed):
        yield


def _merged(parts: list[Costs]) -> Costs:
    return Costs(
        claim=[value for part in parts for value in part.claim],
        finish=[value for part in parts for value in part.finish],
        thinking=[value for part in parts for value in part.thinking],
        statements=sum(part.statements for part in parts),
        commits=sum(part.commits for part in parts),
    )


def _cells(costs: Costs) -> Iterator[str]:
    both = [claim + finish for claim, finish in zip(costs.claim, costs.finish, strict=True)]
    ours = [total - thought for total, thought in zip(both, costs.thinking, strict=False)]
    for values in (costs.claim, costs.finish, both, ours):
        low, *_, high = statistics.quantiles(values, n=10)
        yield f"{statistics.median(values):.1f} ({low:.1f} to {high:.1f})"
    yield f"{costs.statements / len(both):.1f}"
    yield f"{costs.commits / len(both):.1f}"


if __name__ == "__main__":
    main()
