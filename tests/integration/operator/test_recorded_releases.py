"""What an earlier release left in a cluster, under the definitions and the operator of this version.

Its objects lie in etcd as its API server stored them, its studies in a Postgres. Nothing may be ended,
started or rewritten: what has ended stays so, what runs goes on with its Job, what is suspended waits.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cluster.control_plane import OWN_CLUSTER_VARIABLE, ControlPlane
from fakes.api_client import ApiClient
from fakes.cluster_commands import Commands
from fakes.tenants import OperatorProcess, Tenant, eventually, give_secret
from releases.recorded import RECORDED, objects, resources
from releases.restored import restore_database, restore_objects

from llmopt_core.api.exit_codes import Exit
from llmopt_core.storage.storages import open_storage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(OWN_CLUSTER_VARIABLE in os.environ, reason="it writes into the cluster's etcd"),
]
OPTIMIZATIONS, BENCHMARKS = "llmoptimizations", "llmbenchmarks"
CRDS = Path(__file__).parents[3] / "crds"
NAMESPACE = "team-a"
RUNNING = (("running", OPTIMIZATIONS), ("benchmark-running", BENCHMARKS))
SUSPENDED = (("suspended", OPTIMIZATIONS), ("benchmark-suspended", BENCHMARKS))
ENDED = (("finished", OPTIMIZATIONS), ("failed", OPTIMIZATIONS), ("benchmark", BENCHMARKS))


@dataclass(frozen=True)
class Upgraded:
    """A namespace whose objects are of `release`, and this version's operator in charge of it."""

    release: Path
    tenant: Tenant
    kubeconfig: Path

    def recorded(self, name: str, plural: str) -> Any:
        return resources(self.release)[f"cluster/{plural}/{name}.json"]

    def jobs_of(self, name: str) -> dict[str, str]:
        """Return the Jobs of a resource: identity by name."""
        jobs = {job["metadata"]["name"]: job["metadata"] for job in self.tenant.jobs()}
        return {
            job: each["uid"] for job, each in jobs.items() if each["labels"]["llmopt.dev/resource"] == name
        }

    def recorded_jobs_of(self, name: str) -> dict[str, str]:
        metadata = [job["metadata"] for job in objects(self.release, "jobs")]
        return {
            each["name"]: each["uid"] for each in metadata if each["labels"]["llmopt.dev/resource"] == name
        }


@pytest.fixture(scope="module", params=RECORDED, ids=lambda release: release.name)
def upgraded(request, tmp_path_factory, database):
    """The release's cluster after an upgrade: its runners run again, this version's operator has looked."""
    release, folder = request.param, tmp_path_factory.mktemp("upgrade")
    url = database.create(f"recorded-{release.name}")
    restore_database(url, release)
    with ControlPlane(folder / "plane") as plane:
        plane.apply(release / "crds")
        api = ApiClient(plane.kubeconfig)
        plane.kubectl("create", "namespace", NAMESPACE)
        tenant = Tenant(api, NAMESPACE, url, folder)
        give_secret(tenant)
        restore_objects(plane.etcd_url, release)
        plane.apply(CRDS)
        settings = {"namespaces": [NAMESPACE], "leaderElection": {"enabled": False}}
        operator = OperatorProcess(plane.kubeconfig, folder / "operator", settings)
        operator.start()
        try:
            with tenant.kubelet("--trial-seconds", "0.5"):
                yield Upgraded(release, tenant, plane.kubeconfig)
        finally:
            operator.stop()


@pytest.fixture(autouse=True)
def _looked_at(upgraded):
    """The operator has seen every resource: those that run have got further."""
    for name, plural in RUNNING:
        before = upgraded.recorded(name, plural)["status"]["progress"]["finished"]
        eventually(
            lambda: upgraded.tenant.status(name, plural=plural)["progress"]["finished"] > before + 1  # noqa: B023 - asked for at once
        )


@pytest.mark.parametrize(("name", "plural"), ENDED)
def test_what_has_ended_stays_as_it_is(upgraded, name, plural):
    """No runner starts, no study is opened again, and not a word of the status is written."""
    recorded = upgraded.recorded(name, plural)
    assert upgraded.tenant.status(name, plural=plural) == recorded["status"]
    assert upgraded.jobs_of(name) == upgraded.recorded_jobs_of(name)
    with open_storage(upgraded.tenant.url) as storage:
        assert storage.open_study(recorded["status"]["study"]).ended is not None


@pytest.mark.parametrize("name", ["llmo/finished", "llmo/running", "llmb/benchmark"])
def test_it_is_reported(upgraded, tmp_path, name):
    """The command writes the report of a recorded resource's study, ended or not."""
    llmopt, page = Commands(upgraded.kubeconfig, tmp_path), tmp_path / "report.html"
    done = llmopt("report", name, "--namespace", NAMESPACE, "--output", page)
    assert done.exit_code == Exit.FINISHED, done.output
    assert "</html>" in page.read_text()


@pytest.mark.parametrize(("name", "plural"), RUNNING)
def test_what_runs_goes_on_with_its_job(upgraded, name, plural):
    """The Job is the recorded one, and the study goes on from the trials that it had."""
    recorded = upgraded.recorded(name, plural)
    assert upgraded.jobs_of(name) == upgraded.recorded_jobs_of(name)
    status = upgraded.tenant.status(name, plural=plural)
    assert status["phase"] == "Running"
    assert status["manifestHash"] == recorded["status"]["manifestHash"]
    assert status["study"] == recorded["metadata"]["uid"]
    assert upgraded.tenant.until(name, "Running", "True", plural=plural)


@pytest.mark.parametrize(("name", "plural"), SUSPENDED)
def test_what_is_suspended_waits_and_goes_on(upgraded, name, plural):
    """It stays suspended with what it has found; resumed, new runners go on with its study."""
    tenant, recorded = upgraded.tenant, upgraded.recorded(name, plural)
    status = tenant.status(name, plural=plural)
    assert status["phase"] == "Suspended"
    assert status["progress"].items() >= recorded["status"]["progress"].items()
    assert upgraded.jobs_of(name) == {}
    tenant.edit(name, {"spec": {"suspend": False}}, plural=plural)
    before = status["progress"]["finished"]
    eventually(lambda: tenant.status(name, plural=plural)["progress"]["finished"] > before)
    (job,) = upgraded.jobs_of(name)
    assert job == f"{name}-{recorded['status']['manifestHash']}"
    config_map = tenant.api.get(tenant.path("", "configmaps", job))
    assert json.loads(config_map["data"]["manifest.yaml"])["metadata"]["uid"] == recorded["metadata"]["uid"]
