"""The node of the test cluster is a real one: what holds for pods elsewhere holds for pods on it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from cluster.images import image
from cluster.node import GPU

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_ROOT = Path(__file__).parents[2]
_DEATH_SECONDS = 20.0
_ASK_API_SERVER = """
import pathlib, ssl, urllib.request
own = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
context = ssl.create_default_context(cafile=own / "ca.crt")
request = urllib.request.Request(
    "https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews",
    data=b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}',
    headers={"Authorization": "Bearer " + (own / "token").read_text(), "Content-Type": "application/json"},
)
print(urllib.request.urlopen(request, context=context, timeout=20).read().decode())
"""
_OWNER = """
import sys
from pathlib import Path
from cluster.images import image
from cluster.running import running_cluster
with running_cluster(Path(sys.argv[1])) as cluster:
    cluster.node.load_image(image("debian"))
    settings = ("--image=localhost/llmopt-debian:1", "--image-pull-policy=Never")
    cluster.plane.kubectl("run", "stays", *settings, "--", "sh", "-c", f"sleep 3600; : {sys.argv[1]}")
    cluster.plane.kubectl("wait", "pod/stays", "--for=condition=Ready", "--timeout=60s")
    print(cluster.machine.name, flush=True)
    sys.stdin.read()
"""


def pod(name, *command, **container):
    """Return a pod that runs `command` in the Debian image under the restricted rules."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "nodes"},
        "spec": {
            "restartPolicy": "Never",
            "securityContext": {
                "runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "main",
                    "image": "localhost/llmopt-debian:1",
                    "imagePullPolicy": "Never",
                    "command": list(command),
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    **container,
                }
            ],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def plane(cluster):
    """The control plane, with a namespace that takes restricted pods only."""
    cluster.node.load_image(image("debian"))
    cluster.plane.kubectl("create", "namespace", "nodes")
    cluster.plane.kubectl("label", "namespace", "nodes", "pod-security.kubernetes.io/enforce=restricted")
    return cluster.plane


def test_pod_speaks_to_the_api_server(plane):
    """A restricted pod reaches the API server by the name of its service, which knows it by its token."""
    _create(plane, pod("asks", "python3", "-c", _ASK_API_SERVER))
    _wait_for_phase(plane, "asks", "Succeeded")
    answer = json.loads(plane.kubectl("logs", "asks", "-n", "nodes"))
    assert answer["status"]["userInfo"]["username"] == "system:serviceaccount:nodes:default"


def test_memory_limit_is_real(plane):
    """A pod that takes more memory than its limit is killed for it, and says so."""
    greedy = ("python3", "-c", "block = bytearray(512 * 2**20)")
    _create(plane, pod("greedy", *greedy, resources={"limits": {"memory": "64Mi"}}))
    _wait_for_phase(plane, "greedy", "Failed")
    (status,) = _get(plane, "pod", "greedy")["status"]["containerStatuses"]
    assert status["state"]["terminated"]["reason"] == "OOMKilled"


def test_pod_waits_for_gpus(cluster, plane):
    """A pod that asks for GPUs is scheduled only when the node claims as many."""
    _create(plane, pod("computes", "true", resources={"limits": {GPU: "2"}}))
    plane.kubectl(
        "wait", "pod/computes", "-n", "nodes", "--timeout=30s",
        "--for=jsonpath={.status.conditions[?(@.type=='PodScheduled')].reason}=Unschedulable",
    )  # fmt: skip
    cluster.node.pretend_gpus(2)
    _wait_for_phase(plane, "computes", "Succeeded")


def test_nothing_outlives_a_killed_owner(tmp_path):
    """Killed by SIGKILL: the process that started a node with a pod. Survives: no process, link or mount."""
    owner = subprocess.Popen(
        (sys.executable, "-c", _OWNER, str(tmp_path / "killed")),
        env={**os.environ, "PYTHONPATH": str(_ROOT / "tests")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        link = owner.stdout.readline().strip()
        assert link in psutil.net_if_addrs()
        assert any(_belongs(process, tmp_path) for process in psutil.process_iter() if process.name() == "sh")
        owner.send_signal(signal.SIGKILL)
    give_up_at = time.monotonic() + _DEATH_SECONDS
    while left := _remains(tmp_path, link):
        assert time.monotonic() < give_up_at, left
        time.sleep(0.05)


def _remains(folder, link):
    found = [f"process {process.pid}" for process in psutil.process_iter() if _belongs(process, folder)]
    found += [name for name in psutil.net_if_addrs() if name == link]
    return found + [
        line for line in Path("/proc/self/mounts").read_text().splitlines() if str(folder) in line
    ]


def _belongs(process, folder):
    """Say whether a process works in `folder` or on files in it."""
    try:
        return any(str(folder) in word for word in (*process.cmdline(), process.cwd()))
    except psutil.Error:  # it ended meanwhile
        return False


def _create(plane, document):
    plane.kubectl("create", "-f", "-", input=json.dumps(document))


def _wait_for_phase(plane, name, phase):
    plane.kubectl(
        "wait", f"pod/{name}", "-n", "nodes", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=60s"
    )


def _get(plane, kind, name):
    return json.loads(plane.kubectl("get", kind, name, "-n", "nodes", "--output=json"))
