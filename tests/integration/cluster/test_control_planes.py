"""The control plane that other tests stand on: it starts, serves our resources, and leaves nothing behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from cluster.control_plane import ControlPlane, KubectlFailed
from cluster.processes import ClusterFailed

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[3]
_SAMPLES = sorted((_ROOT / "config" / "samples").glob("*.yaml"))
_DEATH_SECONDS = 20.0
_OWNER = """
import sys
from pathlib import Path
from cluster.control_plane import ControlPlane
with ControlPlane(Path(sys.argv[1])):
    print("started", flush=True)
    sys.stdin.read()
"""


def test_definitions_are_established(plane):
    """Both of our resources are served as soon as their definitions were applied."""
    served = plane.kubectl("api-resources", "--api-group=llmopt.dev", "--output=name").split()
    assert sorted(served) == ["llmbenchmarks.llmopt.dev", "llmoptimizations.llmopt.dev"]


@pytest.mark.parametrize("sample", _SAMPLES, ids=lambda path: path.stem)
def test_samples_are_accepted(plane, sample):
    """The API server accepts every sample by the schema and the rules in its definition."""
    plane.kubectl("create", "--dry-run=server", "--validate=strict", "-f", str(sample))


def test_refusals_say_what_kubectl_said(plane):
    """A manifest that the API server refuses comes back as its own words."""
    sample = (_ROOT / "config" / "samples" / "quickstart.yaml").read_text()
    wrong = re.sub(r"trials: \d+", "trials: 0", sample)
    with pytest.raises(KubectlFailed, match=r"spec\.budget\.trials"):
        plane.kubectl("create", "--dry-run=server", "-f", "-", input=wrong)


def test_controllers_work(plane):
    """A Job gets its pods made, under the service account that its namespace was given."""
    plane.kubectl("create", "namespace", "controllers")
    plane.kubectl("create", "job", "idle", "--image=none", "-n", "controllers")
    plane.kubectl(
        "wait", "pod", "--for=create", "--selector=job-name=idle", "--timeout=30s", "-n", "controllers"
    )
    (pod,) = json.loads(plane.kubectl("get", "pods", "-n", "controllers", "--output=json"))["items"]
    assert pod["spec"]["serviceAccountName"] == "default"


def test_service_account_has_only_its_own_rights(plane):
    """Its kubeconfig speaks for the service account, which may nothing that no role allows."""
    plane.kubectl("create", "serviceaccount", "nobody", "-n", "default")
    kubeconfig = plane.service_account_kubeconfig("default", "nobody")
    who = plane.kubectl("auth", "whoami", f"--kubeconfig={kubeconfig}", "--output=json")
    assert json.loads(who)["status"]["userInfo"]["username"] == "system:serviceaccount:default:nobody"
    with pytest.raises(KubectlFailed, match="forbidden"):
        plane.kubectl("get", "secrets", f"--kubeconfig={kubeconfig}")


def test_nothing_outlives_a_killed_owner(tmp_path):
    """Killed by SIGKILL: the process that started a control plane. Survives: nothing of it."""
    owner = subprocess.Popen(
        (sys.executable, "-c", _OWNER, str(tmp_path / "killed")),
        env={**os.environ, "PYTHONPATH": str(_ROOT / "tests")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with owner:
        assert owner.stdout.readline() == b"started\n"
        parts = {name for name in _parts(tmp_path) if name != "python"}
        assert parts == {"etcd", "kube-apiserver", "kube-controller-manager"}
        owner.send_signal(signal.SIGKILL)
    give_up_at = time.monotonic() + _DEATH_SECONDS
    while left := _parts(tmp_path):
        assert time.monotonic() < give_up_at, left
        time.sleep(0.05)


def test_failed_start_shows_the_log(tmp_path, monkeypatch):
    """A part that ends at once is one error that names it, and shows the end of its log; nothing stays."""
    program = tmp_path / "programs" / "kube-apiserver"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(program.parent))
    problem = r"(?s)kube-apiserver ended before .*code=3.*no such luck"
    with pytest.raises(ClusterFailed, match=problem), ControlPlane(tmp_path / "failing"):
        pass
    assert not _parts(tmp_path / "failing")


def test_own_cluster_is_used_instead(plane, tmp_path, monkeypatch):
    """Where a kubeconfig is named, its cluster is spoken to and nothing is started."""
    monkeypatch.setenv("LLMOPT_TEST_KUBECONFIG", str(plane.kubeconfig))
    with ControlPlane(tmp_path / "other") as other:
        assert other.url == plane.url
        assert "default" in other.kubectl("get", "namespaces", "--output=name")
        assert not _parts(tmp_path)
    assert plane.kubectl("get", "namespaces")


def _parts(folder):
    """Return the names of the cluster's programs that run on files in `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words):
            found.append(next((word for word in words[1:2] if not word.startswith("-")), "python"))
    return found
