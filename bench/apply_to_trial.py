"""Where the time goes from `kubectl apply` to the first measured trial: real node, real image, a 135M model.

    .venv/bin/python bench/apply_to_trial.py [--repeats 5]        (as root, after `make setup-images`)

Ours is everything but what the scheduler, the container's start, the engine's start and the model's own
answers take: the API server is polled, so every figure is some 20 ms too long at most.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from cluster.images import image
from cluster.installing import install
from cluster.running import Cluster, running_cluster
from fakes.api_client import ApiClient
from fakes.sample_manifests import small_optimization

from llmopt_core.storage.storages import Storage, open_storage

T = TypeVar("T")
NAMESPACE = "bench"
RESOURCES = f"/apis/llmopt.dev/v1alpha1/namespaces/{NAMESPACE}/llmoptimizations"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
PATIENCE_SECONDS = 300.0
PAUSE_SECONDS = 0.02
OURS = ("apply to Job (operator)", "container to first claim (runner)", "trial: our own work")


def until(look: Callable[[], T | None]) -> tuple[T, float]:
    """Return what `look` gave first, and when."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > give_up_at:
            raise TimeoutError("the cluster did not get there")
        time.sleep(PAUSE_SECONDS)
    return found, time.monotonic()


@dataclass
class Stages:
    """Seconds by stage, of one run."""

    seconds: dict[str, float]

    @property
    def ours(self) -> float:
        """What the operator and the runner themselves took."""
        return sum(self.seconds[stage] for stage in OURS)


def first(api: ApiClient, path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    return next((item for item in api.list(path) if wanted(item)), None)


def started(pod: dict[str, Any]) -> bool:
    states = pod.get("status", {}).get("containerStatuses", ())
    return any("running" in each["state"] or "terminated" in each["state"] for each in states)


def run_once(api: ApiClient, storage: Storage, name: str) -> Stages:
    """Apply one optimization and follow it until its first trial is measured; delete it then."""
    document = small_optimization(1, name)
    document["spec"]["confirm"] = {"top": 0}
    document["metadata"]["namespace"] = NAMESPACE
    began = time.monotonic()
    uid = api.create(RESOURCES, document)["metadata"]["uid"]
    _, job = until(lambda: first(api, JOBS, lambda each: each["metadata"]["name"].startswith(name)))
    mine = f"{PODS}?labelSelector=llmopt.dev%2Fresource%3D{name}"
    _, pod = until(lambda: first(api, mine, lambda _: True))
    _, bound = until(lambda: first(api, mine, lambda each: bool(each["spec"].get("nodeName"))))
    _, running = until(lambda: first(api, mine, started))
    study = storage.open_study(uid)
    _, claimed = until(lambda: (storage.pulses([uid])[uid].begun > 0) or None)
    outcome, finished = until(lambda: study.trials()[0].outcome)
    spent = outcome.seconds
    answers = spent.get("warmup", 0.0) + spent.get("measure", 0.0)
    api.delete(f"{RESOURCES}/{name}")
    until(lambda: None if api.list(mine) else True)
    return Stages(
        {
            "apply to Job (operator)": job - began,
            "Job to pod (controllers)": pod - job,
            "pod to node (scheduler)": bound - pod,
            "node to container (kubelet)": running - bound,
            "container to first claim (runner)": claimed - running,
            "engine's start": spent["load"],
            "warm-up and answers (engine)": answers,
            "trial: our own work": finished - claimed - spent["load"] - answers,
        }
    )


def prepared(cluster: Cluster) -> str:
    """Install the operator for one namespace; return the URL of its database."""
    for target in ("operator", "runner-with-model"):
        cluster.node.load_image(image(target))
    cluster.plane.kubectl("create", "namespace", NAMESPACE)
    url = cluster.database.create(NAMESPACE)
    install(cluster.plane, tenants=[{"namespace": NAMESPACE, "url": url}])
    return url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_cluster(Path(folder)) as cluster:
        url = prepared(cluster)
        api = ApiClient(cluster.plane.kubeconfig)
        with open_storage(url) as storage:
            runs = [run_once(api, storage, f"first-{number}") for number in range(options.repeats)]
    for stage in runs[0].seconds:
        each = sorted(run.seconds[stage] for run in runs)
        print(f"{stage:36} {statistics.median(each):6.2f} s   [{each[0]:.2f} to {each[-1]:.2f}]")
    ours = sorted(run.ours for run in runs)
    print(f"{'ours':36} {statistics.median(ours):6.2f} s   [{ours[0]:.2f} to {ours[-1]:.2f}]")
    print(json.dumps([run.seconds for run in runs]))


if __name__ == "__main__":
    main()
