"""What happens to runs on a real node: two kinds, a suspension in the middle of a trial, a runner killed."""

import contextlib
import json
from pathlib import Path

import psutil
import pytest
from fakes.sample_manifests import small_benchmark, small_optimization
from fakes.tenants import eventually

from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_core.storage.storages import open_storage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
_SECONDS = 600
# So many that a run is not over before something is done to it.
_TRIALS = 8


class Applied:
    """One resource in the tenant's namespace, as kubectl shows it."""

    def __init__(self, plane, tenant, document):
        self.plane, self.tenant = plane, tenant
        self.name = document["metadata"]["name"]
        self.where = (f"{document['kind'].lower()}/{self.name}", "-n", tenant.namespace)
        plane.kubectl("apply", "-n", tenant.namespace, "-f", "-", input=json.dumps(document))

    def resource(self):
        return json.loads(self.plane.kubectl("get", *self.where, "--output=json"))

    def progress(self):
        return self.resource().get("status", {}).get("progress", {})

    def until(self, condition):
        self.plane.kubectl(
            "wait", *self.where, f"--for=condition={condition}", f"--timeout={_SECONDS}s",
            limit_seconds=_SECONDS + 30,
        )  # fmt: skip

    def edit(self, spec):
        patch = json.dumps({"spec": spec})
        self.plane.kubectl("patch", *self.where, "--type=merge", f"--patch={patch}")

    def pods(self):
        selector = f"--selector=llmopt.dev/resource={self.name}"
        pods_json = self.plane.kubectl("get", "pods", "-n", self.tenant.namespace, selector, "--output=json")
        return json.loads(pods_json)["items"]

    def searched(self):
        """The trials that are of the budget, as the tenant's database holds them."""
        with open_storage(self.tenant.url) as storage:
            trials = storage.open_study(self.resource()["metadata"]["uid"]).trials()
        return [
            trial
            for trial in trials
            if trial.phase is not Phase.CONFIRM
            and trial.outcome is not None
            and trial.outcome.kind is not OutcomeKind.RETURNED
        ]


@pytest.fixture
def applied(operator, tenant):
    """Return what applies a document; all that was applied is deleted afterwards."""
    made = []

    def apply(document):
        made.append(Applied(operator, tenant, document))
        return made[-1]

    yield apply
    for each in made:
        operator.kubectl("delete", *each.where, "--wait=false")


def processes_of(pod):
    """The processes of `pod`, as the machine that stands for the node sees them: by their control group."""
    identity = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(OSError):  # it has ended since it was listed
            if identity in Path(f"/proc/{process.pid}/cgroup").read_text():
                found.append(process)
    return found


def test_a_benchmark_ends_with_a_verdict(applied):
    """Its candidates are measured by a real runner, so often as was asked for, and compared.

    With two repeats there is an interval only where none is left out because other tests disturbed it.
    """
    duel = applied(small_benchmark())
    duel.until("Complete")
    resource = duel.resource()
    status, objective = resource["status"], resource["spec"]["objective"]["metric"]
    assert [result["repeats"] for result in status["results"]] == [2, 2, 2]
    assert all(result["metrics"][objective]["mean"] for result in status["results"])
    assert status["verdict"]


def test_a_suspension_in_the_middle_of_a_trial_costs_no_trial(applied):
    """Suspended, the runner gives its trial back and says that it was interrupted; resumed, all is done."""
    paused = applied(small_optimization(_TRIALS, "paused"))
    eventually(lambda: paused.progress().get("finished"), seconds=_SECONDS)
    paused.edit({"suspend": True})
    paused.until("Suspended")
    eventually(lambda: not paused.pods())
    assert paused.progress()["finished"] < _TRIALS
    eventually(lambda: "ended" in paused.resource()["status"]["runners"][0])
    paused.edit({"suspend": False})
    paused.until("Complete")
    assert len(paused.searched()) == _TRIALS


def test_a_killed_runner_is_replaced(applied):
    """Killed as the kernel would, its pod fails and another takes its place; no trial is lost or too many."""
    killed = applied(small_optimization(_TRIALS, "killed"))
    eventually(lambda: killed.progress().get("finished"), seconds=_SECONDS)
    (pod,) = killed.pods()
    for process in processes_of(pod):
        process.kill()
    eventually(lambda: len(killed.pods()) == 2, seconds=_SECONDS)
    killed.until("Complete")
    assert len(killed.searched()) == _TRIALS
    first = next(each for each in killed.pods() if each["metadata"]["name"] == pod["metadata"]["name"])
    assert first["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137
