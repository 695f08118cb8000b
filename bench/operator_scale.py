"""What the operator costs: 1,000 resources at once, a restart, rest, and how soon a trial shows in a status.

    .venv/bin/python bench/operator_scale.py [--resources 1000] [--active 50] [--rounds 1]
        [--operator-python [NAME=]PYTHON]... [--record FILE]

PYTHON runs the operator, and has its packages; let it be built as the image's is. One that was built without
profile-guided optimisation, as version managers do by default, needs a seventh more CPU. Several are
measured in turn, in each of the rounds; the table holds the medians, with the least and the greatest. Figures
are added to those in FILE, so that rounds may be run one by one.

A real API server and Postgres; Jobs wait in a queue, so no runner is started. The active studies' trials are
measured by nobody: a thread claims and ends them as a runner would.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cluster.control_plane import ControlPlane
from cluster.databases import Database
from fakes.api_client import ApiClient
from fakes.manifests import optimization

from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind, RunnerRecord
from llmopt_core.storage.studies import Study
from llmopt_operator.loops.watch_audit import AUDIT_SECONDS
from llmopt_operator.specs.names import labels_of
from llmopt_runner.engines.ports import free_port

RESOURCES = "/apis/llmopt.dev/v1alpha1/namespaces/{}/llmoptimizations"
JOBS = "/apis/batch/v1/namespaces/{}/jobs"
PATIENCE_SECONDS = 300.0
# Once a minute the operator compares what it knows with a list of all resources: one such look is in it.
REST_SECONDS = AUDIT_SECONDS + 10.0
_FAULT = "Traceback"
_WRITES = re.compile(
    r'llmopt_operator_api_requests_total\{code="2\d\d",verb="(?:POST|PATCH|PUT|DELETE)"\} (\S+)'
)


# What was measured, by the words of its row in the table.
Figures = dict[str, float]


def until(look: Callable[[], bool], pause: float = 0.25) -> float:
    """Return how many seconds it took until `look` was true."""
    began = time.monotonic()
    while not look():
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError("the operator did not get there")
        time.sleep(pause)
    return time.monotonic() - began


class Operator:
    """One operator process and what it says of itself."""

    def __init__(self, kubeconfig: Path, folder: Path, python: str, namespaces: Sequence[str] = ()) -> None:
        self._python = python
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
        self._folder = folder
        self.port = free_port("127.0.0.1")
        config = {
            "metricsPort": self.port,
            "healthPort": 0,
            "leaderElection": {"enabled": False},
            "namespaces": list(namespaces),
        }
        self._config = folder / "operator.yaml"
        self._config.write_text(yaml.safe_dump(config))

    @contextmanager
    def running(self) -> Iterator[psutil.Process]:
        """Run the operator while the context is open."""
        with (self._folder / "operator.log").open("ab") as log:
            process = subprocess.Popen(
                [self._python, "-m", "llmopt_operator.main", "--config", str(self._config)],
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        self._process = process
        try:
            yield psutil.Process(process.pid)
        except TimeoutError:
            print((self._folder / "operator.log").read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            process.terminate()
            process.wait()

    def text(self) -> str:
        """Return the metrics page, empty while there is none; raises TimeoutError where it has ended."""
        if self._process.poll() is not None:
            raise TimeoutError(f"the operator ended by itself: {self._process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def writes(self) -> int:
        """Return how often it wrote to the API server."""
        return int(sum(float(count) for count in _WRITES.findall(self.text())))

    def reconciled(self) -> int:
        """Return how often it looked at a resource to the end."""
        found = re.findall(r'llmopt_operator_reconciles_total\{[^}]*result="done"\} (\S+)', self.text())
        return int(sum(float(count) for count in found))

    def queue_is_empty(self) -> bool:
        """Whether no resource waits to be looked at."""
        return re.search(r"^llmopt_operator_queue_length 0\.0$", self.text(), re.MULTILINE) is not None


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def memory_of(process: psutil.Process, when: str) -> Figures:
    """Return how much memory `process` holds, and the most that it has held."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    now, most = (int(re.findall(rf"{field}:\s+(\d+)", status)[0]) / 1024 for field in ("VmRSS", "VmHWM"))
    return {f"memory {when}, MiB": now, f"most memory until then ({when}), MiB": most}


def resource(name: str, namespace: str) -> dict[str, Any]:
    document = optimization()
    document["metadata"] = {"name": name, "namespace": namespace}
    document["spec"]["runners"] = {"queueName": "none"}
    document["spec"]["budget"] = {"trials": 1000}
    # The operator is measured here, not what a sampler thinks in the threads that stand for runners.
    document["spec"]["search"]["sampler"] = {"name": "random"}
    return document


def apply(api: ApiClient, namespaces: Sequence[str], count: int, pause: float = 0.5) -> tuple[float, float]:
    """Apply all at once and wait for the Jobs; return the seconds until all were applied, and had a Job."""
    began = time.monotonic()
    names = [(f"r{number:04}", namespaces[number % len(namespaces)]) for number in range(count)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: api.create(RESOURCES.format(each[1]), resource(*each)), names))
    applied = time.monotonic() - began
    until(lambda: sum(len(api.list(JOBS.format(name))) for name in namespaces) >= count, pause)
    return applied, time.monotonic() - began


def make_tenant(api: ApiClient, name: str, url: str) -> None:
    """Make a namespace whose studies are kept at `url`."""
    metadata = {"name": name}
    api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "llmopt-storage"}}
    api.create(f"/api/v1/namespaces/{name}/secrets", {**secret, "stringData": {"url": url}})


def begin(api: ApiClient, operator: Operator, namespaces: list[str], count: int) -> Figures:
    """Apply all at once and return what that cost."""
    with operator.running() as process:
        until(lambda: bool(operator.text()))
        time.sleep(3)
        before = cpu_seconds(process)
        applied, there = apply(api, namespaces, count)
        settled = [-1, operator.writes()]
        while settled[-1] != settled[-2]:
            time.sleep(3)
            settled.append(operator.writes())
        return {
            "CPU of the operator, s": cpu_seconds(process) - before,
            **memory_of(process, "with all resources"),
            "writes of the operator for each resource": settled[-1] / count,
            "all Jobs exist after, s": there,
            "of it applying, s": applied,
        }


def restart(operator: Operator, count: int) -> Figures:
    """Return how long it takes until a new operator has looked at all of them, and what it costs at rest."""
    with operator.running() as process:
        seconds = until(lambda: operator.reconciled() >= count and operator.queue_is_empty())
        before = cpu_seconds(process)
        time.sleep(REST_SECONDS)
        return {
            "restart until all were looked at, s": seconds,
            "share of a core at rest, %": 100 * (cpu_seconds(process) - before) / REST_SECONDS,
            **memory_of(process, "at rest after the restart"),
            "writes since the restart": float(operator.writes()),
        }


class Measurer:
    """Ends trials of one study as a runner would, and waits until the status says so."""

    def __init__(self, api: ApiClient, study: Study, path: str) -> None:
        self._api, self._study, self._path = api, study, path
        self.delays: list[float] = []

    def run(self, stop: threading.Event, *, observed: bool) -> None:
        """Measure until `stop`; `observed`: take the time until each end shows."""
        heartbeats = 0
        while not stop.is_set():
            heartbeats += 1
            claim = self._study.claim("bench", budget=1000)
            if claim is None:
                return
            self._study.heartbeat(RunnerRecord("bench", 0, heartbeats, float(heartbeats), trial=claim.number))
            stop.wait(1.0)
            metrics = {"accuracy": 0.5}
            self._study.finish(
                claim,
                Outcome(OutcomeKind.MEASURED, Configuration.from_flat(claim.parameters), metrics=metrics),
            )
            if observed:
                self._observe(stop)

    def _observe(self, stop: threading.Event) -> None:
        """Wait until the status has counted the trial that has just ended."""
        wanted = sum(trial.outcome is not None for trial in self._study.trials())
        began = time.monotonic()
        while not stop.is_set():
            status = (self._api.get(self._path) or {}).get("status", {})
            if status.get("progress", {}).get("finished", 0) >= wanted:
                self.delays.append(time.monotonic() - began)
                return
            time.sleep(0.1)


def show_runner(api: ApiClient, item: dict[str, Any]) -> None:
    """Have the API server show a runner's pod that runs: only such studies are looked at."""
    metadata = item["metadata"]
    pods = f"/api/v1/namespaces/{metadata['namespace']}/pods"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": metadata["name"],
            "labels": labels_of(item["kind"], metadata["name"], item["status"]["manifestHash"]),
        },
        "spec": {"containers": [{"name": "runner", "image": "none"}], "schedulerName": "nobody"},
    }
    api.create(pods, pod)
    api.patch(f"{pods}/{metadata['name']}/status", {"status": {"phase": "Running"}})


def measure_trials(api: ApiClient, urls: Mapping[str, str], active: int, seconds: float) -> list[float]:
    """Run `active` studies for `seconds`; return how long the ends of trials took to show in a status."""
    stop = threading.Event()
    storages = {name: open_for_search(url) for name, url in urls.items()}
    chosen = [item for name in urls for item in api.list(RESOURCES.format(name))][:active]
    measurers = []
    for item in chosen:
        show_runner(api, {"kind": "LLMOptimization", **item})
        namespace, name = item["metadata"]["namespace"], item["metadata"]["name"]
        study = storages[namespace].open_study(item["metadata"]["uid"])
        measurers.append(Measurer(api, study, f"{RESOURCES.format(namespace)}/{name}"))
    threads = [
        threading.Thread(target=each.run, args=(stop,), kwargs={"observed": number < 5})
        for number, each in enumerate(measurers)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    for storage in storages.values():
        storage.close()
    return sorted(delay for each in measurers for delay in each.delays)


def follow(api: ApiClient, operator: Operator, urls: dict[str, str], active: int) -> Figures:
    """Return how soon the end of a trial shows in a status, with `active` studies at work."""
    with operator.running() as process:
        until(lambda: operator.reconciled() > 0)
        before, began = cpu_seconds(process), time.monotonic()
        delays = measure_trials(api, urls, active, 60.0)
        return {
            "a trial's end shows in the status, median, s": statistics.median(delays),
            "a trial's end shows in the status, greatest, s": delays[-1],
            "share of a core, % (active)": 100 * (cpu_seconds(process) - before) / (time.monotonic() - began),
            **memory_of(process, "with active studies"),
        }


def measure(python: str, options: argparse.Namespace) -> Figures:
    """Return what the operator costs that `python` runs, in a cluster of its own."""
    with (
        tempfile.TemporaryDirectory() as text,
        ControlPlane(Path(text) / "plane") as plane,
        Database(Path(text) / "database") as database,
    ):
        plane.apply(Path(__file__).parents[1] / "crds")
        api = ApiClient(plane.kubeconfig)
        urls = {name: database.create(name) for name in (f"team-{n}" for n in range(options.namespaces))}
        for name, url in urls.items():
            make_tenant(api, name, url)
        operator = Operator(plane.kubeconfig, Path(text), python)
        found = begin(api, operator, list(urls), options.resources)
        found |= restart(operator, options.resources)
        found |= follow(api, operator, urls, options.active)
        faults = [line for line in (Path(text) / "operator.log").read_text().splitlines() if _FAULT in line]
        return {**found, "faults in the operator's log": len(faults)}


def table(rounds: Mapping[str, Sequence[Figures]]) -> str:
    """Return the medians of all rounds as Markdown, each with the least and the greatest."""
    names = (f"{name}, {len(figures)} rounds" for name, figures in rounds.items())
    rows = [("what", *names), ("---",) * (1 + len(rounds))]
    for what in next(iter(rounds.values()))[0]:
        found = [sorted(each[what] for each in figures) for figures in rounds.values()]
        cells = (f"{statistics.median(each):.2f} ({each[0]:.2f} to {each[-1]:.2f})" for each in found)
        rows.append((what, *cells))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=int, default=1000)
    parser.add_argument("--active", type=int, default=50)
    parser.add_argument("--namespaces", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--operator-python", action="append", metavar="[NAME=]PYTHON")
    parser.add_argument("--record", type=Path, metavar="FILE")
    options = parser.parse_args()
    pythons = [each.rpartition("=") for each in options.operator_python or (sys.executable,)]
    record: Path | None = options.record
    rounds = json.loads(record.read_text()) if record is not None and record.exists() else {}
    for _ in range(options.rounds):
        for name, _, python in pythons:
            found = measure(python, options)
            print(name, found, flush=True)
            rounds.setdefault(name or "operator", []).append(found)
            if record is not None:
                record.write_text(json.dumps(rounds, indent=2))
    print(f"\nMedians, with {options.resources} resources, in brackets the least and the greatest:\n")
    print(table(rounds))


if __name__ == "__main__":
    main()
