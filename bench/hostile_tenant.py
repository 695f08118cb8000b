"""What a hostile tenant costs the others: rounds with one and without, alternately, on the same machine.

    .venv/bin/python bench/hostile_tenant.py [--resources 60] [--rows 200000] [--rounds 3]

Two tenants are hostile: one holds a lock on its tables for the whole round, the other's study has `--rows`
rows of trials that nobody wrote. In rounds without them the operator does not watch their namespaces. Each
round has honest tenants of its own, applies `--resources` to them at once and then runs `--active` studies.
Compared are the medians of the rounds. The full scale is --resources 1000 --active 50 --rows 10000000.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cluster.control_plane import ControlPlane
from cluster.databases import Database
from fakes.api_client import ApiClient
from operator_scale import (
    RESOURCES,
    Operator,
    apply,
    cpu_seconds,
    make_tenant,
    measure_trials,
    show_runner,
    until,
)

HOSTILE_RESOURCES = 10
LOCKED, CROWDED = "hostile-locked", "hostile-crowded"
LIMIT = 0.10


@dataclass(frozen=True)
class Figures:
    """What one round showed of the honest tenants, and of the operator."""

    seconds_until_all_jobs: float
    seconds_until_a_trial_shows: float
    operator_cpu_seconds: float
    operator_mib: float


class Bench:
    """A cluster with a database, and the hostile tenants in it."""

    def __init__(
        self, plane: ControlPlane, database: Database, folder: Path, options: argparse.Namespace
    ) -> None:
        self._plane, self._database, self._folder, self._options = plane, database, folder, options
        self._api = ApiClient(plane.kubeconfig)
        self._hostile = {name: database.create(name) for name in (LOCKED, CROWDED)}

    def prepare(self) -> None:
        """Give the hostile tenants studies whose runners run, then do to them what they do."""
        for name, url in self._hostile.items():
            make_tenant(self._api, name, url)
        with self._operator(tuple(self._hostile)).running():
            apply(self._api, tuple(self._hostile), HOSTILE_RESOURCES * len(self._hostile))
            time.sleep(3)
        for name in self._hostile:
            for item in self._api.list(RESOURCES.format(name)):
                show_runner(self._api, {"kind": "LLMOptimization", **item})
        with self._connected(CROWDED) as connection:
            connection.execute(
                "INSERT INTO trials (study_id, number, state, datetime_start)"
                " SELECT (SELECT min(study_id) FROM studies), number, 'FAIL', now()"
                " FROM generate_series(100, 99 + %s) AS number",
                (self._options.rows,),
            )
            connection.commit()

    def round(self, number: int, *, hostile: bool) -> Figures:
        """Return the figures of one round, with the hostile tenants or without."""
        names = [f"team-{number}-{place}" for place in range(self._options.namespaces)]
        urls = {name: self._database.create(name) for name in names}
        for name, url in urls.items():
            make_tenant(self._api, name, url)
        watched = (*names, *self._hostile) if hostile else tuple(names)
        operator = self._operator(watched)
        with self._locked(hostile=hostile), operator.running() as process:
            until(lambda: bool(operator.text()))
            time.sleep(3)
            before = cpu_seconds(process)
            _, there = apply(self._api, names, self._options.resources, pause=0.1)
            delays = measure_trials(self._api, urls, self._options.active, self._options.seconds)
            spent, memory = cpu_seconds(process) - before, process.memory_info().rss / 2**20
        return Figures(there, statistics.median(delays), spent, memory)

    def _operator(self, namespaces: Sequence[str]) -> Operator:
        return Operator(self._plane.kubeconfig, self._folder, self._options.operator_python, namespaces)

    @contextmanager
    def _locked(self, *, hostile: bool) -> Iterator[None]:
        with self._connected(LOCKED) as connection:
            if hostile:
                connection.execute("LOCK TABLE studies, trials")
            yield
            connection.rollback()

    def _connected(self, name: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(self._hostile[name].replace("+psycopg", ""))


def compare(quiet: Sequence[Figures], hostile: Sequence[Figures]) -> bool:
    """Print each figure without and with the hostile tenants; say whether it stays within the limit."""
    kept = True
    for field in fields(Figures):
        without, with_them = (
            statistics.median(getattr(each, field.name) for each in rounds) for rounds in (quiet, hostile)
        )
        change = with_them / without - 1
        print(f"{field.name.replace('_', ' ')}: {without:.2f} without, {with_them:.2f} with ({change:+.1%})")
        if field.name.startswith("seconds"):
            kept = kept and change <= LIMIT
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=60)
    parser.add_argument("--active", type=int, default=10)
    parser.add_argument("--namespaces", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3, help="of each kind")
    parser.add_argument("--seconds", type=float, default=20.0, help="for which studies run in a round")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--operator-python", default=sys.executable, metavar="PYTHON")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as text,
        ControlPlane(Path(text) / "plane") as plane,
        Database(Path(text) / "database") as database,
    ):
        plane.apply(Path(__file__).parents[1] / "crds")
        bench = Bench(plane, database, Path(text), options)
        bench.prepare()
        found: dict[bool, list[Figures]] = {False: [], True: []}
        for number in range(2 * options.rounds):
            hostile = number % 2 == 1
            found[hostile].append(bench.round(number, hostile=hostile))
            print("with" if hostile else "without", found[hostile][-1], flush=True)
    kept = compare(found[False], found[True])
    print(f"the other tenants' figures are {'' if kept else 'NOT '}within {LIMIT:.0%}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
