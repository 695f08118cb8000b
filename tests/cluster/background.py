"""A test cluster to try things out in: `up` starts it in the background, `down` ends it and leaves nothing.

What it runs and why it did not start is in the log that lies beside its files.
"""

import shutil
import signal
import subprocess
import sys
import time

import psutil
from cluster import requirements
from cluster.commands import commands
from cluster.images import image
from cluster.installing import install
from cluster.programs import cache
from cluster.running import Cluster, running_cluster

NAMESPACE = "demo"
_FOLDER = cache() / "cluster"
_PID, _READY, _LOG = _FOLDER / "pid", _FOLDER / "ready", _FOLDER / "log"
_LOOK_SECONDS = 0.2
_TAIL_LINES = 20
_READY_TEXT = """\
The cluster runs until `make cluster-down`, with the operator and a database for the namespace {namespace}:

  export KUBECONFIG={kubeconfig}
  export PATH={programs}:$PATH    # kubectl and helm, where you have none
  kubectl apply -n {namespace} -f config/samples/quickstart.yaml
  kubectl get llmopt -n {namespace} --watch
"""


def up() -> int:
    """Start the cluster unless it runs; print how to reach it. Return 1 when it does not start."""
    if _owner() is None:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        _FOLDER.mkdir(parents=True)
        with _LOG.open("w") as log:
            owner = subprocess.Popen(
                (sys.executable, "-m", "cluster.background", "serve"),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _PID.write_text(str(owner.pid))
    while not _READY.exists():
        if _owner() is None:
            _say(f"The cluster did not start; {_LOG} ends with:\n{_tail()}")
            return 1
        time.sleep(_LOOK_SECONDS)
    _say(_READY.read_text())
    return 0


def down() -> int:
    """End the cluster where it runs, and wait until nothing is left of it."""
    if (owner := _owner()) is None:
        _say("no cluster runs")
        return 0
    owner.send_signal(signal.SIGTERM)
    owner.wait()
    shutil.rmtree(_FOLDER)
    return 0


def serve() -> int:
    """Run the cluster in this process until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        requirements.provide()
    except requirements.NodeUnavailable as lack:
        sys.exit(str(lack))
    with running_cluster(_FOLDER / "run") as cluster:
        for target in ("operator", "runner-with-model"):
            cluster.node.load_image(image(target))
        cluster.plane.kubectl("create", "namespace", NAMESPACE)
        install(cluster.plane, tenants=[{"namespace": NAMESPACE, "url": cluster.database.create(NAMESPACE)}])
        _print_how_to_use(cluster)
        signal.pause()
    return 0


def _print_how_to_use(cluster: Cluster) -> None:
    programs = commands(_FOLDER / "bin")
    unfinished = _READY.with_suffix(".partial")
    kubeconfig = cluster.plane.kubeconfig
    unfinished.write_text(_READY_TEXT.format(namespace=NAMESPACE, kubeconfig=kubeconfig, programs=programs))
    unfinished.replace(_READY)


def _owner() -> psutil.Process | None:
    """Return the process that runs the cluster; the number in the file may be another's by now."""
    try:
        process = psutil.Process(int(_PID.read_text()))
        return process if "cluster.background" in process.cmdline() else None
    except (FileNotFoundError, psutil.NoSuchProcess):
        return None


def _tail() -> str:
    return "\n".join(_LOG.read_text().splitlines()[-_TAIL_LINES:])


def _say(text: str) -> None:
    print(text)  # noqa: T201 - what a person asked for at the terminal


if __name__ == "__main__":
    commands = {"up": up, "down": down, "serve": serve}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(f"usage: python -m cluster.background {'|'.join(commands)}")
    sys.exit(commands[sys.argv[1]]())
