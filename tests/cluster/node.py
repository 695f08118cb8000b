"""A real node for the test cluster: containerd, kubelet, kube-proxy, DNS and a bridge for the pods.

It lives on a NodeMachine, and nothing of it remains when that ends. Images come from archives: there is no
registry, so pods must name them with `imagePullPolicy: Never` or `IfNotPresent`.
"""

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from cluster.certificates import ADMINISTRATORS
from cluster.control_groups import remove_control_groups
from cluster.control_plane import ControlPlane, KubectlFailed, component
from cluster.networks import NodeMachine
from cluster.processes import ClusterFailed, Process
from cluster.programs import built

GPU = "nvidia.com/gpu"
_START_SECONDS = 60.0
_PROBE_SECONDS = 1.0
_DNS_PORT = 53
_PROXY_HEALTH_PORT = 10256
_CONTAINERD = """\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
disable_apparmor = true
cni.bin_dir = "/usr/lib/cni"
cni.conf_dir = "/etc/cni/net.d"
containerd.snapshotter = "overlayfs"
containerd.default_runtime_name = "runc"
containerd.runtimes.runc.runtime_type = "io.containerd.runc.v2"
"""
_DOMAIN = "cluster.local"
# Names outside of the cluster have no answer: pods shall not depend on what this machine reaches.
_COREDNS = """\
. {{
    errors
    kubernetes {domain} {{
        kubeconfig {kubeconfig}
    }}
}}
"""


class Node:
    """The one node of `plane`, which must listen at `machine.host_address`.

    `pause` is the image of every pod's sandbox, which is to be loaded before the first pod.
    """

    def __init__(self, plane: ControlPlane, machine: NodeMachine, *, pause: str) -> None:
        self.name = machine.name
        self._plane, self._machine, self._pause = plane, machine, pause
        self._folder = machine.folder
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Return when the node is Ready."""
        with ExitStack() as started:
            started.callback(self._remove_control_groups)
            self._start_containerd(started)
            self._start_kubelet(started)
            proxy = (*component("kube-proxy"), f"--config={self._proxy_config()}")
            self._start_server(started, "kube-proxy", *proxy, port=_PROXY_HEALTH_PORT)
            names = (str(built("coredns")), "-conf", str(self._corefile()))
            self._start_server(started, "coredns", *names, port=_DNS_PORT)
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the node and all its pods at once."""
        self._running.close()

    def load_image(self, archive: Path) -> None:
        """Give the images in `archive`, as `docker save` writes it, to the node."""
        self._machine.run("ctr", "--namespace=k8s.io", "images", "import", archive)

    def tag_image(self, name: str, other: str) -> None:
        """Let `other` name the loaded image `name` too."""
        self._machine.run("ctr", "--namespace=k8s.io", "images", "tag", name, other)

    def pretend_gpus(self, count: int) -> None:
        """Let the node claim `count` GPUs, so that the scheduler counts them; a pod gets none."""
        path = f"/status/capacity/{GPU.replace('/', '~1')}"
        change = [{"op": "add", "path": path, "value": str(count)}]
        self._plane.kubectl(
            "patch", "node", self.name, "--subresource=status", "--type=json", "-p", json.dumps(change)
        )

    def _start_containerd(self, started: ExitStack) -> None:
        self._own("etc/cni/net.d/10-pods.conflist").write_text(json.dumps(self._bridge()))
        config = self._folder / "containerd.toml"
        config.write_text(_CONTAINERD.format(pause=self._pause))
        containerd = self._started(started, "containerd", "containerd", f"--config={config}")
        containerd.wait_until(self._containerd_answers, "it answered", _START_SECONDS)

    def _start_kubelet(self, started: ExitStack) -> None:
        kubeconfig = self._kubeconfig("kubelet", f"system:node:{self.name}", "system:nodes")
        settings = (f"--hostname-override={self.name}", f"--node-ip={self._machine.address}")
        config = self._written("kubelet", self._kubelet_config())
        kubelet = self._started(
            started,
            "kubelet",
            *component("kubelet"),
            f"--kubeconfig={kubeconfig}",
            f"--config={config}",
            *settings,
        )
        kubelet.wait_until(self._is_ready, "its node was Ready", _START_SECONDS)

    def _start_server(self, started: ExitStack, name: str, *command: str, port: int) -> None:
        server = self._started(started, name, *command)
        server.wait_until(lambda: _accepts(self._machine.address, port), "it listened", _START_SECONDS)

    def _started(self, started: ExitStack, name: str, *command: str) -> Process:
        process = Process(name, self._machine.inside(*command), self._folder)
        started.callback(process.kill)
        return process

    def _remove_control_groups(self) -> None:
        tasks = self._own("run/containerd/io.containerd.runtime.v2.task/k8s.io")
        remove_control_groups(task.name for task in tasks.glob("*"))

    def _containerd_answers(self) -> bool:
        try:
            self._machine.run("ctr", "--connect-timeout=1s", "version")
        except ClusterFailed:
            return False
        return True

    def _is_ready(self) -> bool:
        path = "jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        try:
            return self._plane.kubectl("get", "node", self.name, f"--output={path}") == "True"
        except KubectlFailed:
            return False

    def _kubeconfig(self, name: str, user: str, group: str) -> Path:
        return self._plane.authority.kubeconfig(name, self._plane.url, user=user, group=group)

    def _kubelet_config(self) -> Mapping[str, Any]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"x509": {"clientCAFile": str(self._plane.authority.certificate)}},
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            # A machine may have either version of control groups, and their shape is not the kubelet's.
            "failCgroupV1": False,
            "cgroupDriver": "cgroupfs",
            "cgroupsPerQOS": False,
            "enforceNodeAllocatable": [],
            "failSwapOn": False,
            "makeIPTablesUtilChains": False,
            "localStorageCapacityIsolation": False,
            "resolvConf": "",
            "clusterDNS": [self._machine.address],
            "clusterDomain": _DOMAIN,
            # The machine's disk is not the node's: it evicts no pod and throws no image away.
            "evictionHard": {"memory.available": "0%"},
            "imageGCHighThresholdPercent": 100,
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        }

    def _proxy_config(self) -> Path:
        kubeconfig = self._kubeconfig("kube-proxy", "system:kube-proxy", "system:kube-proxy")
        document = {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "mode": "iptables",
            "clusterCIDR": self._machine.pods,
            "hostnameOverride": self.name,
            "conntrack": {"maxPerCore": 0, "min": 0},
        }
        return self._written("kube-proxy", document)

    def _corefile(self) -> Path:
        path = self._folder / "Corefile"
        kubeconfig = self._kubeconfig("coredns", "coredns", ADMINISTRATORS)
        path.write_text(_COREDNS.format(domain=_DOMAIN, kubeconfig=kubeconfig))
        return path

    def _bridge(self) -> Mapping[str, Any]:
        addresses = {"type": "host-local", "ranges": [[{"subnet": self._machine.pods}]]}
        bridge = {
            "type": "bridge", "bridge": "pods", "isGateway": True, "hairpinMode": True,
            "ipam": {**addresses, "routes": [{"dst": "0.0.0.0/0"}]},
        }  # fmt: skip
        return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}

    def _written(self, name: str, document: Mapping[str, Any]) -> Path:
        path = self._folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    def _own(self, path: str) -> Path:
        return self._machine.own(path)


def _accepts(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=_PROBE_SECONDS).close()
    except OSError:
        return False
    return True
