"""Stands in for a node: runs runners' pods as processes of this machine, and reports them to the API server.

What a real kubelet, real images and the real runner do is the end-to-end tests' matter. Here the runner is
`stub_runner`, which measures nothing, unless another `program` is named.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fakes.api_client import ApiClient

STUB = Path(__file__).with_name("stub_runner.py")
NODE = "stand-in"
_POLL_SECONDS = 0.2
_INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass
class Kubelet:
    """Runs the pods of `namespace` while the context is open; `arguments` go to every runner.

    `held` keeps pods from being started; `serves` says of the arguments of any other pod whether it becomes
    ready; `exits` are pods' names and why they ended, in order.
    """

    api: ApiClient
    namespace: str
    folder: Path
    storage_url: str
    arguments: Sequence[str] = ()
    program: Sequence[str] = (str(STUB),)
    held: bool = False
    serves: Callable[[Sequence[str]], bool] = lambda _arguments: True
    exits: list[tuple[str, int]] = field(default_factory=list)
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        if self.api.get(f"/api/v1/nodes/{NODE}") is None:
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
            self.api.create("/api/v1/nodes", node)
        self._thread = threading.Thread(target=self._run, name="kubelet")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for process in self._running.values():
            process.kill()
            process.wait()

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the pods whose runner runs."""
        return tuple(self._running)

    def logs(self) -> dict[str, str]:
        """Return what each running runner has logged, by pod."""
        return {name: (self.folder / name / "log").read_text() for name in tuple(self._running)}

    def kill(self, pod: str) -> None:
        """End a runner as the machine's own out-of-memory killer would."""
        self._running[pod].kill()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_SECONDS):
            for pod in self.api.list(f"/api/v1/namespaces/{self.namespace}/pods"):
                self._attend(pod)

    def _attend(self, pod: dict[str, Any]) -> None:
        if _INDEX in pod["metadata"].get("labels", {}):
            self._attend_runner(pod)
        elif pod.get("status", {}).get("phase") == "Pending" and self.serves(
            pod["spec"]["containers"][0].get("args", ())
        ):
            ready = {"type": "Ready", "status": "True"}
            self._report(pod, {"phase": "Running", "conditions": [ready]})

    def _attend_runner(self, pod: dict[str, Any]) -> None:
        name, phase = pod["metadata"]["name"], pod.get("status", {}).get("phase")
        process = self._running.get(name)
        if process is not None and process.poll() is not None:
            self._end(pod, process.returncode)
        elif process is not None and "deletionTimestamp" in pod["metadata"]:
            if name not in self._asked:
                process.send_signal(signal.SIGTERM)
                self._asked.add(name)
        elif "deletionTimestamp" in pod["metadata"]:
            self._remove(pod)
        elif process is None and phase == "Pending" and not self.held:
            self._start(pod)

    def _start(self, pod: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        # Only a pod that is on a node is deleted with patience.
        binding = {"metadata": {"name": name}, "target": {"kind": "Node", "name": NODE}}
        self.api.create(f"{self._path(pod)}/binding", {"apiVersion": "v1", "kind": "Binding", **binding})
        folder = self.folder / name
        folder.mkdir(parents=True)
        manifest = folder / "manifest.yaml"
        manifest.write_text(self._manifest(pod))
        environment = {**os.environ, "LLMOPT_STORAGE_URL": self.storage_url}
        command = [
            sys.executable, *self.program, "--manifest", str(manifest), "--results", str(folder),
            "--index", pod["metadata"]["labels"][_INDEX], *self.arguments,
        ]  # fmt: skip
        with (folder / "log").open("wb") as log:
            self._running[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        self._report(pod, {"phase": "Running", "containerStatuses": [_container({"running": {}})]})

    def _manifest(self, pod: dict[str, Any]) -> str:
        (name,) = [
            volume["configMap"]["name"] for volume in pod["spec"]["volumes"] if volume["name"] == "manifest"
        ]
        config_map = self.api.get(f"/api/v1/namespaces/{self.namespace}/configmaps/{name}")
        assert config_map is not None
        return config_map["data"]["manifest.yaml"]

    def _end(self, pod: dict[str, Any], code: int) -> None:
        name = pod["metadata"]["name"]
        del self._running[name]
        code = 128 - code if code < 0 else code
        self.exits.append((name, code))
        words = (self.folder / name / "log").read_text()[-1500:]
        ended = {"exitCode": code, "reason": "Error" if code else "Completed", "message": words}
        status = {"phase": "Failed" if code else "Succeeded"}
        self._report(pod, {**status, "containerStatuses": [_container({"terminated": ended})]})
        if "deletionTimestamp" in pod["metadata"]:
            self._remove(pod)

    def _report(self, pod: dict[str, Any], status: dict[str, Any]) -> None:
        self.api.patch(f"{self._path(pod)}/status", {"status": status})

    def _remove(self, pod: dict[str, Any]) -> None:
        self.api.delete(self._path(pod), gracePeriodSeconds=0)

    def _path(self, pod: dict[str, Any]) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{pod['metadata']['name']}"


def _container(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "runner", "image": "none", "imageID": "", "ready": False, "restartCount": 0, "state": state,
    }  # fmt: skip
