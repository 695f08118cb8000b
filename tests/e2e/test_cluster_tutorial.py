"""The whole product in a cluster: the commands of the tutorial, from the chart to the result."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import requirements
from cluster.commands import commands
from cluster.images import RECIPES, image
from cluster.running import Cluster, running_cluster
from cluster.volumes import give_volume
from documentation.pages import ROOT, blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PAGE = ROOT / "docs/tutorials/cluster.md"
COMMANDS = [command for block in blocks(PAGE) if block.cluster for command in block.commands]
REGISTRY = "registry.example.com/llmopt"
TRIALS = 4
_COMMAND_SECONDS = 900


@dataclass(frozen=True)
class Tutorial:
    """A cluster, and what each command of the page printed."""

    cluster: Cluster
    folder: Path
    programs: Path
    printed: dict[str, str]

    def type(self, command: str) -> str:
        """Run a command as a person in the clone would, with what it writes in `folder`."""
        path = f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"KUBECONFIG": str(self.cluster.plane.kubeconfig), "HOME": str(self.folder), "PATH": path}
        done = subprocess.run(
            ("bash", "-eu", "-c", command),
            cwd=self.folder, env={**os.environ, **own, "COLUMNS": "100"},
            capture_output=True, text=True, check=False, timeout=_COMMAND_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        self.printed[command] = done.stdout
        return done.stdout

    def get(self, *what: str) -> dict:
        """Return an object of the namespace."""
        return json.loads(self.cluster.plane.kubectl("get", *what, "-n", "team-a", "--output=json"))


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """A cluster of its own, which has what the page takes for granted: images in a registry, a volume."""
    requirements.provide_or_skip()
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "helm").symlink_to(ROOT / "helm")
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        _push(cluster)
        give_volume(cluster.plane, "postgres", tmp_path_factory.mktemp("volume"), cluster.node.name)
        yield Tutorial(cluster, folder, commands(folder / "bin"), {})


def _push(cluster):
    """Give the node the images under the names that the page's registry and the chart give them."""
    runner = RECIPES["runner-llamacpp"].name
    names = {
        "operator": _pushed(RECIPES["operator"].name),
        "runner-with-model": _pushed(runner),
        "postgres": "docker.io/library/postgres:18",
    }
    for target, name in names.items():
        cluster.node.load_image(image(target))
        cluster.node.tag_image(RECIPES[target].name, name)


def _pushed(name):
    return f"{REGISTRY}/{name.rpartition('/')[2]}"


@pytest.fixture(scope="module")
def finished(tutorial):
    """Every command but those that remove things was typed; the resource as it then is."""
    for command in COMMANDS[: _first("kubectl delete")]:
        tutorial.type(command)
        if command.startswith("llmopt init"):
            _shorten(tutorial.folder / "first.yaml")
    return tutorial.get("llmo", "first-study")


def _shorten(manifest):
    """Leave the study few trials, on one thread: other tests run beside it."""
    text = manifest.read_text()
    for field, few in {"trials": TRIALS, "samples": 6, "repeats": 2, "concurrency": 2}.items():
        text, found = re.subn(rf"\b{field}: \d+", f"{field}: {few}", text)
        assert found == 1, field
    manifest.write_text(text.replace("args:", "args:\n      threads: 1", 1))


def _first(start):
    (at,) = [number for number, command in enumerate(COMMANDS) if command.startswith(start)]
    return at


def _printed(tutorial, start):
    return tutorial.printed[COMMANDS[_first(start)]]


def test_resource_ends_with_best_parameters(tutorial, finished):
    """The study spent its budget; the commands that wait and list say so."""
    conditions = {condition["type"]: condition for condition in finished["status"]["conditions"]}
    assert conditions["Complete"]["reason"] == "TrialsExhausted"
    assert finished["status"]["phase"] == "Complete"
    assert finished["status"]["best"]["parameters"]
    watched = _printed(tutorial, "llmopt watch")
    assert "The study is finished (TrialsExhausted)" in watched
    assert finished["status"]["best"]["serveArgs"] in watched
    assert re.search(r"team-a +.*first-study +.*Complete", _printed(tutorial, "llmopt get"))


def test_config_map_holds_the_same_parameters(tutorial, finished):
    """What programs read is what the status shows, and belongs to the resource."""
    best = tutorial.get("configmap", "first-study-best")
    assert [owner["uid"] for owner in best["metadata"]["ownerReferences"]] == [finished["metadata"]["uid"]]
    parameters = json.loads(best["data"]["best.json"])["trial_parameters"]
    flat = {f"{kind}.{name}": value for kind, named in parameters.items() for name, value in named.items()}
    shown = finished["status"]["best"]["parameters"]
    # Kubernetes' own rule: a resource holds no floating point numbers, but their text.
    numbers = {name: float(shown[name]) for name, value in flat.items() if isinstance(value, float)}
    assert {**shown, **numbers} == pytest.approx(flat)


def test_report_is_made_from_the_database_in_the_cluster(tutorial, finished):
    """Only pods reach the chart's Postgres by its name; a port is forwarded to it."""
    (page,) = tutorial.folder.glob("*.html")
    assert finished["status"]["best"]["summary"].partition(":")[0] in page.read_text()


def test_logs_and_every_trial_are_there(tutorial, finished):
    """The runner's log comes from the kubelet, the trials from the tenant's database."""
    assert "trial 0" in tutorial.type("llmopt logs first-study -n team-a")
    reported = json.loads(tutorial.type("llmopt report first-study -n team-a --format json"))
    assert len(reported["trials"]) >= TRIALS


def test_runner_was_restricted(tutorial, finished):
    """The runner's pod ends well, and has no token for the API server."""
    selector = "--selector=llmopt.dev/resource=first-study"
    ended = ("--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
    tutorial.cluster.plane.kubectl("wait", "pods", "-n", "team-a", selector, *ended)
    (pod,) = tutorial.get("pods", selector)["items"]
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_what_was_made_is_removed_and_the_rest_stays(tutorial, finished):
    """The resource and its objects are gone, the operator too; definitions, Secret and database stay."""
    for command in COMMANDS[_first("kubectl delete") :]:
        tutorial.type(command)
    assert (
        tutorial.get("llmo,jobs,configmaps,pods", "--selector=llmopt.dev/resource=first-study")["items"] == []
    )
    kubectl = tutorial.cluster.plane.kubectl
    assert "llmoptimizations.llmopt.dev" in kubectl("get", "crds", "--output=name")
    assert kubectl("get", "secret", "llmopt-storage", "-n", "team-a", "--output=name").strip()
