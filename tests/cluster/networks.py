"""A machine of its own for the node: network and mounts that exist only as long as one process lives.

kube-proxy's rules, the bridge of the pods and every mount of a kubelet stay inside, so that this machine is
the same after a test as before it, also when the test was killed.
"""

import ipaddress
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.processes import ClusterFailed, Process

_START_SECONDS = 10.0
_MOST_CLUSTERS = 64
_LINKS = ipaddress.IPv4Network("10.213.0.0/16")
_PODS = ipaddress.IPv4Network("10.214.0.0/16")
# What the programs of a node keep at fixed places, laid into the node's own folder instead.
_OWN_FOLDERS = (
    "/etc/cni/net.d",
    "/run/containerd",
    "/run/netns",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)


class NodeMachine:
    """A network namespace and a mount namespace, joined to this machine by one link.

    `host_address` is this machine and `address` the node, as each sees the other; `pods` is the range of pod
    addresses, which this machine reaches too. Needs root.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running = ExitStack()

    def __enter__(self) -> Self:
        """Return when the link is up."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as started:
            self._holder = self._hold()
            # Logs stay; images and the files of pods, which are large, do not.
            started.callback(shutil.rmtree, self.folder / "files")
            started.callback(self._holder.kill)
            self._holder.wait_until(self._is_apart, "it had namespaces of its own", _START_SECONDS)
            self._join(self._link())
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process that holds the namespaces, and with it both."""
        self._running.close()

    def inside(self, *command: str | Path) -> tuple[str, ...]:
        """Return the command line that runs `command` inside."""
        enter = ("nsenter", f"--target={self._holder.pid}", "--net", "--mount")
        return (*enter, "--", *(str(part) for part in command))

    def run(self, *command: str | Path) -> str:
        """Run `command` inside and return what it printed; raise ClusterFailed with what it said."""
        return _run(*self.inside(*command))

    def own(self, path: str) -> Path:
        """Return where this machine sees what lies at `path` inside, one of the node's own folders."""
        return self.folder / "files" / path.lstrip("/")

    def _hold(self) -> Process:
        script = ["set -e"]
        for path in _OWN_FOLDERS:
            self.own(path).mkdir(parents=True, exist_ok=True)
            script += [f"mkdir -p {path}", f"mount --bind {self.own(path)} {path}"]
        script += ["ip link set lo up", "exec sleep infinity"]
        apart = ("unshare", "--net", "--mount", "--propagation=private")
        return Process("node-machine", (*apart, "sh", "-c", "\n".join(script)), self.folder)

    def _is_apart(self) -> bool:
        """Say whether every mount was made, which is when the shell became `sleep`."""
        pid = self._holder.pid
        return pid is not None and Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"

    def _link(self) -> str:
        """Make the link to this machine under the first name that is free; return that name."""
        for number in range(_MOST_CLUSTERS):
            self.name = f"llmopt-test-{number}"
            made = ("ip", "link", "add", self.name, "type", "veth", "peer", "name", "host", "netns")
            done = subprocess.run((*made, str(self._holder.pid)), capture_output=True, text=True, check=False)
            if done.returncode == 0:
                self._number(number)
                return self.name
            if "File exists" not in done.stderr:
                raise ClusterFailed(f"cannot make the link {self.name}: {done.stderr.strip()}")
        raise ClusterFailed(f"there are {_MOST_CLUSTERS} test clusters on this machine already")

    def _number(self, number: int) -> None:
        link = list(_LINKS.subnets(new_prefix=30))[number]
        self.host_address, self.address = (str(host) for host in link.hosts())
        self.pods = str(list(_PODS.subnets(new_prefix=24))[number])

    def _join(self, link: str) -> None:
        _run("ip", "address", "add", f"{self.host_address}/30", "dev", link)
        _run("ip", "link", "set", link, "up")
        self.run("ip", "address", "add", f"{self.address}/30", "dev", "host")
        self.run("ip", "link", "set", "host", "up")
        self.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        _run("ip", "route", "add", self.pods, "via", self.address)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterFailed(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
