"""A real control plane for tests: etcd, API server, controller manager and, when asked, a scheduler.

Everything dies with the process that started it. KUBEBUILDER_ASSETS names a folder with programs to use
instead of the ones built here; LLMOPT_TEST_KUBECONFIG names a whole cluster to use instead: nothing is
started then, and what the tests apply stays there.
"""

import os
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml
from cluster.certificates import ADMINISTRATORS, Authority
from cluster.processes import ClusterFailed, Process
from cluster.programs import built

from llmopt_runner.engines.ports import free_port

LOOPBACK = "127.0.0.1"
SERVICES = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"  # the first of SERVICES is the API server's own
OWN_CLUSTER_VARIABLE = "LLMOPT_TEST_KUBECONFIG"
# The first start of a machine reads the programs from a cold disk.
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_KUBECTL_SECONDS = 120.0
_PROBE_SECONDS = 2.0
# Go's percentage of garbage: what lives for minutes has memory to spare and time to save.
_GO_MEMORY = "400"


class KubectlFailed(Exception):
    """kubectl refused or was refused; the message is what it said."""


class ControlPlane:
    """A cluster without nodes, or the one that LLMOPT_TEST_KUBECONFIG names.

    `folder` takes certificates, logs and data; `address` is where the API server listens, which pods must
    reach when a node joins.
    """

    def __init__(self, folder: Path, *, address: str = LOOPBACK, scheduler: bool = False) -> None:
        self.folder = folder
        self._address, self._scheduler = address, scheduler
        self._running = ExitStack()
        named = os.environ.get(OWN_CLUSTER_VARIABLE)
        self._own_cluster = Path(named) if named else None
        installed = shutil.which("kubectl") if named else None
        self._kubectl = (installed,) if installed else component("kubectl")

    def __enter__(self) -> Self:
        """Return when the API server answers and every controller runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as started:
            if self._own_cluster is None:
                self._start(started)
            else:
                self.kubeconfig, self.url = self._own_cluster, _url_in(self._own_cluster)
            self._running = started.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process of the cluster; the logs stay."""
        self._running.close()

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as subprocess calls it
        limit_seconds: float = _KUBECTL_SECONDS,
    ) -> str:
        """Run kubectl as the cluster's administrator; return what it printed.

        Raises KubectlFailed, or TimeoutExpired when it takes more than `limit_seconds`.
        """
        settings = (f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.folder / 'kubectl-cache'}")
        done = subprocess.run(
            (*self._kubectl, *settings, *arguments),
            input=input, capture_output=True, text=True, timeout=limit_seconds, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, path: Path) -> None:
        """Apply the manifests at `path`, a file or a folder; return when every definition in it is served."""
        # What is applied by the server needs no annotation, which a large schema would not fit into.
        applied = self.kubectl("apply", "--server-side", "--output=name", "-f", str(path)).split()
        if definitions := [name for name in applied if name.startswith("customresourcedefinition")]:
            self.kubectl("wait", "--for=condition=Established", "--timeout=30s", *definitions)
            self._wait_until_listed({name.partition("/")[2] for name in definitions})

    def _wait_until_listed(self, resources: set[str]) -> None:
        """Return when discovery has `resources`: kubectl keeps what it finds there, also a part of it."""
        give_up_at = time.monotonic() + _START_SECONDS
        while missing := resources - set(self.kubectl("api-resources", "--output=name").split()):
            if time.monotonic() > give_up_at:
                raise ClusterFailed(f"not in discovery after {_START_SECONDS:.0f} s: {sorted(missing)}")
            time.sleep(_LOOK_SECONDS)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """Return a kubeconfig with the rights of a service account, and no others."""
        token = self.kubectl("create", "token", name, "-n", namespace, "--duration=4h").strip()
        document = yaml.safe_load(self.kubeconfig.read_text())
        document["users"] = [{"name": user["name"], "user": {"token": token}} for user in document["users"]]
        path = self.folder / f"{namespace}-{name}.kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path

    @contextmanager
    def without_api_server(self) -> Iterator[None]:
        """Kill the API server as a crash would, and start it again, where it was, when the context ends."""
        self._api_server.kill()
        try:
            yield
        finally:
            self._start_api_server(self._running)

    def _start(self, started: ExitStack) -> None:
        self.authority = Authority(self.folder / "certificates")
        self.url = f"https://{self._address}:{free_port(self._address)}"
        self.kubeconfig = self.authority.kubeconfig(
            "administrator", self.url, user="administrator", group=ADMINISTRATORS
        )
        self._service_accounts = self.authority.server("service-accounts", "service-accounts")
        etcd = self._started(started, "etcd", *self._etcd_arguments())
        etcd.wait_until(lambda: _answers(f"{self.etcd_url}/readyz"), "it was ready", _START_SECONDS)
        self._api_server_command = self._api_server_arguments()
        self._start_api_server(started)
        controllers = self._started(started, "kube-controller-manager", *self._controller_arguments())
        controllers.wait_until(self._controllers_run, "it had worked", _START_SECONDS)
        if self._scheduler:
            self._started(started, "kube-scheduler", *self._kubeconfig_arguments("kube-scheduler"))

    def _start_api_server(self, started: ExitStack) -> None:
        self._api_server = self._started(started, "kube-apiserver", *self._api_server_command)
        self._api_server.wait_until(self._api_server_is_ready, "it was ready", _START_SECONDS)

    def _started(self, started: ExitStack, name: str, *arguments: str) -> Process:
        process = Process(name, (*component(name), *arguments), self.folder, GOGC=_GO_MEMORY)
        started.callback(process.kill)
        return process

    def _etcd_arguments(self) -> tuple[str, ...]:
        self.etcd_url = f"http://{LOOPBACK}:{free_port(LOOPBACK)}"
        peers = f"http://{LOOPBACK}:{free_port(LOOPBACK)}"
        return (
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={self.etcd_url}",
            f"--advertise-client-urls={self.etcd_url}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",  # what a test leaves behind nobody needs after a power failure
        )

    def _api_server_arguments(self) -> tuple[str, ...]:
        names = ("localhost", LOOPBACK, self._address, API_SERVICE, "kubernetes.default.svc")
        server = self.authority.server("kube-apiserver", *dict.fromkeys(names))
        to_kubelet = self.authority.client(
            "kube-apiserver-client", user="kube-apiserver", group=ADMINISTRATORS
        )
        return (
            f"--etcd-servers={self.etcd_url}",
            f"--bind-address={self._address}",
            f"--advertise-address={self._address}",
            f"--secure-port={self.url.rpartition(':')[2]}",
            f"--tls-cert-file={server.certificate}",
            f"--tls-private-key-file={server.key}",
            f"--client-ca-file={self.authority.certificate}",
            f"--kubelet-client-certificate={to_kubelet.certificate}",
            f"--kubelet-client-key={to_kubelet.key}",
            "--kubelet-preferred-address-types=InternalIP",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            f"--service-cluster-ip-range={SERVICES}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self._service_accounts.key}",
            f"--service-account-signing-key-file={self._service_accounts.key}",
            # An address that nobody else can reach is no endpoint of a service.
            f"--endpoint-reconciler-type={'none' if self._address == LOOPBACK else 'lease'}",
        )

    def _controller_arguments(self) -> tuple[str, ...]:
        return (
            *self._kubeconfig_arguments("kube-controller-manager"),
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self._service_accounts.key}",
            f"--root-ca-file={self.authority.certificate}",
            # Its default of 20 requests a second would be the slowest part of a test with many resources.
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )

    def _kubeconfig_arguments(self, name: str) -> tuple[str, ...]:
        user = f"system:{name}"
        kubeconfig = self.authority.kubeconfig(name, self.url, user=user, group=user)
        return (f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0")

    def _api_server_is_ready(self) -> bool:
        return _answers(f"{self.url}/readyz", self.authority.certificate)

    def _controllers_run(self) -> bool:
        """Say whether the default namespace has its service account, without which it can have no pod."""
        try:
            self.kubectl("get", "serviceaccount", "default", "--output=name")
        except KubectlFailed:
            return False
        return True


def component(name: str) -> tuple[str, ...]:
    """Return the command of one of Kubernetes' programs: KUBEBUILDER_ASSETS' where it has it, or ours."""
    if named := os.environ.get("KUBEBUILDER_ASSETS"):
        program = Path(named) / name
        if program.exists():
            return (str(program),)
    return (str(built("kubernetes")), name)


def _answers(url: str, authority: Path | None = None) -> bool:
    context = ssl.create_default_context(cafile=authority) if authority else None
    try:
        with urllib.request.urlopen(  # noqa: S310 - an address that this module made
            url, timeout=_PROBE_SECONDS, context=context
        ) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _url_in(kubeconfig: Path) -> str:
    document = yaml.safe_load(kubeconfig.read_text())
    contexts = {context["name"]: context["context"] for context in document["contexts"]}
    clusters = {cluster["name"]: cluster["cluster"] for cluster in document["clusters"]}
    return str(clusters[contexts[document["current-context"]]["cluster"]]["server"])
