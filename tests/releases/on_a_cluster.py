"""Resources with what belongs to them, as a real operator left them on a real API server, and their studies.

Everything is seen at one moment: the operator has stopped, the runners were killed in the middle of a trial.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster.control_plane import ControlPlane
from fakes.api_client import ApiClient
from fakes.manifests import benchmark
from fakes.postgres import PostgresServer
from fakes.tenants import OperatorProcess, Tenant, eventually, give_secret
from releases.documents import wide_benchmark, wide_optimization

NAMESPACE = "team-a"
OPTIMIZATIONS, BENCHMARKS = "llmoptimizations", "llmbenchmarks"
# Folders of the record by what the API server calls their objects.
RECORDED = {
    OPTIMIZATIONS: "llmopt.dev/v1alpha1",
    BENCHMARKS: "llmopt.dev/v1alpha1",
    "jobs": "batch/v1",
    "configmaps": "",
}
_CRDS = Path(__file__).parents[2] / "crds"
_DATABASE = "studies"
_MANY = {"trials": 500}


def record_cluster(folder: Path, target: Path) -> None:
    """Run studies on a control plane in `folder`; write the objects and the database's dump to `target`."""
    with ControlPlane(folder / "plane") as plane, _postgres() as server:
        plane.apply(_CRDS)
        api = ApiClient(plane.kubeconfig)
        api.create(
            "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        )
        tenant = Tenant(api, NAMESPACE, server.create_database(_DATABASE), folder)
        give_secret(tenant)
        settings = {"namespaces": [NAMESPACE], "leaderElection": {"enabled": False}}
        operator = OperatorProcess(plane.kubeconfig, folder / "operator", settings)
        operator.start()
        try:
            _end(tenant)
            _suspend(tenant)
            _run(tenant, operator)
        finally:
            operator.process.kill()
        # What only the API server has completed, with all that can be asked for.
        tenant.apply("wide", document=wide_optimization(), **wide_optimization()["spec"])
        tenant.apply(
            "wide-duel", plural=BENCHMARKS, document=wide_benchmark(), confirm=None,
            budget=wide_benchmark()["spec"]["budget"],
        )  # fmt: skip
        _write_objects(tenant, target)
        (target / "studies.sql").write_text(_dumped(server))


def _end(tenant: Tenant) -> None:
    """Let an optimization and a benchmark finish, and an optimization fail."""
    tenant.apply("finished", runners={"count": 2})
    with tenant.kubelet("--warn", "# of 9 answers were cut"):
        tenant.until("finished", "Complete", "True")
        tenant.apply("benchmark", plural=BENCHMARKS, document=_duel(), budget={}, confirm=None, repeats=3)
        tenant.until("benchmark", "Complete", "True", plural=BENCHMARKS)
    tenant.apply("failed")
    with tenant.kubelet("--fail", "ModelNotFound"):
        tenant.until("failed", "Failed", "True")


def _suspend(tenant: Tenant) -> None:
    """Suspend one of each kind after some trials."""
    tenant.apply("suspended", budget=_MANY)
    tenant.apply("benchmark-suspended", plural=BENCHMARKS, document=_duel(), budget={}, confirm=None)
    with tenant.kubelet("--trial-seconds", "1"):
        for name, plural in (("suspended", OPTIMIZATIONS), ("benchmark-suspended", BENCHMARKS)):
            eventually(lambda: _finished(tenant, name, plural) >= 2)  # noqa: B023 - asked for at once
            tenant.edit(name, {"spec": {"suspend": True}}, plural=plural)
            tenant.until(name, "Suspended", "True", plural=plural)
            eventually(lambda: "ended" in tenant.status(name, plural=plural)["runners"][0])  # noqa: B023 - as above
        eventually(lambda: not [job for job in tenant.jobs() if "deletionTimestamp" in job["metadata"]])


def _run(tenant: Tenant, operator: OperatorProcess) -> None:
    """Stop everything while one of each kind runs: first the operator, then the runners."""
    tenant.apply("running", budget=_MANY)
    tenant.apply(
        "benchmark-running", plural=BENCHMARKS, document=_duel(), budget={}, confirm=None, repeats=50
    )
    with tenant.kubelet("--trial-seconds", "1"):
        for name, plural in (("running", OPTIMIZATIONS), ("benchmark-running", BENCHMARKS)):
            tenant.until(name, "Running", "True", plural=plural)
            eventually(lambda: _finished(tenant, name, plural) >= 2)  # noqa: B023 - asked for at once
        operator.stop()


def _duel() -> dict[str, Any]:
    document = benchmark()
    document["spec"] |= {
        "candidates": [
            {"name": "default"},
            {"name": "cold", "parameters": {"sampling.temperature": "0"}},
            {"name": "found", "optimizationRef": {"name": "finished"}},
        ],
        "objective": {"metric": "accuracy"},
    }
    return document


def _finished(tenant: Tenant, name: str, plural: str) -> int:
    return tenant.status(name, plural=plural).get("progress", {}).get("finished", 0)


def _write_objects(tenant: Tenant, target: Path) -> None:
    for plural, group in RECORDED.items():
        (target / plural).mkdir(parents=True)
        version = group or "v1"
        for body in tenant.api.list(tenant.path(group, plural)):
            if plural == "configmaps" and "labels" not in body["metadata"]:
                continue  # Kubernetes' own, such as the certificate of its authority
            body.setdefault("apiVersion", version)
            body.setdefault("kind", {"jobs": "Job", "configmaps": "ConfigMap"}.get(plural))
            del body["metadata"]["managedFields"]  # three times as long as the object, and nobody's matter
            name = body["metadata"]["name"]
            (target / plural / f"{name}.json").write_text(json.dumps(body, indent=1, sort_keys=True) + "\n")


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    server.create()
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.remove()


def _dumped(server: PostgresServer) -> str:
    """Return the database as SQL that its own client and any other can carry out."""
    command = server.as_its_account(
        str(server.binaries / "pg_dump"), "--no-owner", "--no-privileges", "--inserts",
        "--rows-per-insert=100", server.url(_DATABASE).replace("postgresql+psycopg://", "postgresql://"),
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    # psql's own commands, against dumps that were tampered with; no other client knows them.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.startswith("\\"))
