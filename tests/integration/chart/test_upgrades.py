"""An upgrade of the chart while studies run: what the runners do must not be noticed by them.

The chart and the operator of a later version come in, with new fields that have a default, in the order in
which Helm brings them: first the definitions, under the former operator, then the operator. Runners are
stand-ins, everything else is real.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster.control_plane import ControlPlane
from cluster.databases import Database
from fakes.api_client import ApiClient
from fakes.charts import CHART
from fakes.kubelet import Kubelet
from fakes.manifests import benchmark
from fakes.tenants import OperatorProcess, Tenant, eventually, give_secret
from releases.next_release import MOST_TRIALS
from releases.recorded import TESTS

# The first test waits for the whole upgrade.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
NAMESPACE, TEAM = "llmopt-system", "team-a"
OPTIMIZATIONS, BENCHMARKS = "llmoptimizations", "llmbenchmarks"
RUNNING = (("running", OPTIMIZATIONS), ("excessive", OPTIMIZATIONS), ("comparing", BENCHMARKS))
MANY = {"trials": 500}
LATER_IMAGE = "registry.example.com/llamacpp:2"
SETTINGS = {"namespaces": [TEAM], "leaderElection": {"enabled": False}}


@dataclass(frozen=True)
class Upgrade:
    """A namespace in which studies went on through an upgrade, and what was there before it."""

    tenant: Tenant
    node: Kubelet
    jobs: dict[str, str]
    resources: dict[str, Any]
    roll_back: Callable[[], None]

    def jobs_now(self) -> dict[str, str]:
        return _jobs(self.tenant)


@pytest.fixture(scope="module")
def later_chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart of a later version, with its definitions."""
    folder = tmp_path_factory.mktemp("later")
    chart = folder / "helm" / "llmopt"
    shutil.copytree(CHART, chart)
    command = (sys.executable, "-m", "releases.next_release", "generate", str(folder))
    subprocess.run(command, check=True, env={"PYTHONPATH": str(TESTS)})
    return chart


@pytest.fixture(scope="module")
def upgrade(
    helm: Path, later_chart: Path, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgrade]:
    """Studies of every state, the chart upgraded, then the operator replaced while they went on."""
    folder = tmp_path_factory.mktemp("upgrade")
    with ControlPlane(folder / "plane") as plane:
        for name in (NAMESPACE, TEAM):
            plane.kubectl("create", "namespace", name)
        _helm(helm, plane, "install", CHART)
        kubeconfig = plane.service_account_kubeconfig(NAMESPACE, "llmopt")
        tenant = Tenant(ApiClient(plane.kubeconfig), TEAM, database.create("upgrade"), folder)
        give_secret(tenant)
        former = OperatorProcess(kubeconfig, folder / "former", SETTINGS)
        images = {"images": {"llamacpp": LATER_IMAGE}}
        later = OperatorProcess(
            kubeconfig, folder / "later", SETTINGS | images, program=("releases.next_release", "operator")
        )
        with tenant.kubelet("--trial-seconds", "1") as node, _run(former):
            _start_studies(tenant)
            # A study is complete a moment before its runner has ended.
            eventually(lambda: len(node.exits) == 2)
            before = {name: tenant.resource(name) for name in ("finished", "suspended")}
            jobs = _jobs(tenant)
            _helm(helm, plane, "upgrade", later_chart)
            eventually(lambda: "safety" in tenant.resource("running")["spec"])
            _wait_for_progress(tenant)
            former.stop()
            with _run(later):
                _wait_for_progress(tenant)
                assert len(node.exits) == 2, "an upgrade ended a runner"

                def roll_back() -> None:
                    later.stop()
                    _helm(helm, plane, "rollback")
                    former.start()

                yield Upgrade(tenant, node, jobs, before, roll_back)


@contextmanager
def _run(operator: OperatorProcess) -> Iterator[None]:
    operator.start()
    try:
        yield
    finally:
        if operator.process.poll() is None:
            operator.stop()


def _helm(helm: Path, plane: ControlPlane, verb: str, *chart: Path) -> None:
    options = ("--namespace", NAMESPACE, "--kubeconfig", str(plane.kubeconfig), "--no-hooks")
    command = (helm, verb, "llmopt", *chart, *options)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _start_studies(tenant: Tenant) -> None:
    """Leave one study finished, one suspended, and one of each kind running."""
    tenant.apply("finished")
    tenant.apply("suspended", budget=MANY)
    eventually(lambda: _finished(tenant, "suspended") >= 2)
    tenant.edit("suspended", {"spec": {"suspend": True}})
    tenant.apply("running", budget=MANY)
    tenant.apply("excessive", budget={"trials": MOST_TRIALS + 1})
    candidates = [{"name": f"candidate-{number}"} for number in range(10)]
    tenant.apply(
        "comparing", plural=BENCHMARKS, document=benchmark(), budget={}, confirm=None, repeats=50,
        baseline=None, candidates=candidates,
    )  # fmt: skip
    tenant.until("finished", "Complete", "True")
    tenant.until("suspended", "Suspended", "True")
    eventually(lambda: "ended" in tenant.status("suspended")["runners"][0])
    eventually(lambda: tenant.condition("suspended", "Running")["message"] == "the runners have ended")
    for name, plural in RUNNING:
        eventually(lambda: _finished(tenant, name, plural) >= 2)  # noqa: B023 - asked for at once
    eventually(lambda: not any("deletionTimestamp" in job["metadata"] for job in tenant.jobs()))


def _wait_for_progress(tenant: Tenant) -> None:
    """Return once the status of each running study was written anew."""
    for name, plural in RUNNING:
        before = _finished(tenant, name, plural)
        eventually(lambda: _finished(tenant, name, plural) >= before + 2)  # noqa: B023 - asked for at once


def _finished(tenant: Tenant, name: str, plural: str = OPTIMIZATIONS) -> int:
    return int(tenant.status(name, plural=plural).get("progress", {}).get("finished", 0))


def _job_of(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["labels"]["batch.kubernetes.io/job-name"])


def _jobs(tenant: Tenant) -> dict[str, str]:
    return {job["metadata"]["name"]: job["metadata"]["uid"] for job in tenant.jobs()}


def test_running_studies_keep_their_jobs(upgrade: Upgrade) -> None:
    """No Job is replaced and none is added: definitions and operator changed under the same runners."""
    assert upgrade.jobs_now() == upgrade.jobs
    for name, plural in RUNNING:
        resource = upgrade.tenant.resource(name, plural=plural)
        assert resource["status"]["phase"] == "Running"
        assert resource["spec"]["safety"] == {"level": "normal", "words": []}
        assert resource["status"]["study"] == resource["metadata"]["uid"]


def test_a_stricter_rule_judges_what_is_started(upgrade: Upgrade) -> None:
    """What breaks a later rule goes on where it ran before, and is rejected where it is new."""
    tenant = upgrade.tenant
    assert tenant.condition("excessive", "Accepted")["status"] == "True"
    tenant.apply("late", budget={"trials": MOST_TRIALS + 1})
    condition = tenant.until("late", "Accepted", "False", "InvalidSpec")
    assert f"at most {MOST_TRIALS}" in condition["message"]


@pytest.mark.parametrize("name", ["finished", "suspended"])
def test_what_does_not_run_is_not_touched(upgrade: Upgrade, name: str) -> None:
    """Nothing is written about what has ended or waits, and no runner is started for it."""
    before, now = upgrade.resources[name], upgrade.tenant.resource(name)
    assert now["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert now["status"] == before["status"]


def test_a_suspended_study_goes_on_under_the_later_version(upgrade: Upgrade) -> None:
    """Resumed, it gets the later image, its former Job name and a manifest that former runners can read."""
    tenant, former = upgrade.tenant, upgrade.resources["suspended"]["status"]
    tenant.edit("suspended", {"spec": {"suspend": False}})
    eventually(lambda: _finished(tenant, "suspended") > former["progress"]["finished"])
    (job,) = {name for name in upgrade.jobs_now() if name.startswith("suspended-")}
    assert job == f"suspended-{former['manifestHash']}"
    (image,) = {each["spec"]["containers"][0]["image"] for each in tenant.pods() if _job_of(each) == job}
    assert image == LATER_IMAGE
    config_map = tenant.api.get(tenant.path("", "configmaps", job))
    assert config_map is not None
    assert "safety" not in config_map["data"]["manifest.yaml"]


def test_a_new_field_that_is_set_takes_effect(upgrade: Upgrade) -> None:
    """A later field that differs from its default starts new runners, as any change of the spec does."""
    tenant = upgrade.tenant
    upgrade.node.held = True
    former = {name for name in upgrade.jobs_now() if name.startswith("running-")}
    tenant.edit("running", {"spec": {"runners": {"template": {"priority": 3}}}})
    (job,) = eventually(lambda: {name for name in upgrade.jobs_now() if name.startswith("running-")} - former)
    config_map = tenant.api.get(tenant.path("", "configmaps", job))
    assert config_map is not None
    template = yaml.safe_load(config_map["data"]["manifest.yaml"])["spec"]["runners"]["template"]
    assert template["priority"] == 3


def test_a_rollback_keeps_the_jobs_too(upgrade: Upgrade) -> None:
    """The former definitions and the former operator come back, and what never used a new field goes on."""
    tenant = upgrade.tenant
    (job,) = {name for name in upgrade.jobs if name.startswith("comparing-")}
    upgrade.roll_back()
    eventually(lambda: "safety" not in tenant.resource("comparing", plural=BENCHMARKS)["spec"])
    before = _finished(tenant, "comparing", BENCHMARKS)
    eventually(lambda: _finished(tenant, "comparing", BENCHMARKS) >= before + 2)
    assert upgrade.jobs_now()[job] == upgrade.jobs[job]
    assert not [pod for pod, _ in upgrade.node.exits if pod.startswith("comparing-")]
