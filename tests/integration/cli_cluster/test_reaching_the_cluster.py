"""All ways in that a kubeconfig can describe, on a real API server."""

import base64
import json
import os
import sys
from copy import deepcopy
from urllib.parse import urlsplit

import pytest
import yaml
from fakes.forward_proxy import ForwardProxy

from llmopt.cluster.clients import Cluster
from llmopt.cluster.errors import ClusterUnreachable, Forbidden, KubeconfigInvalid, NotLoggedIn
from llmopt.cluster.kubeconfigs import find_access
from llmopt.options import Target
from llmopt_core.api.kinds import Kind

pytestmark = pytest.mark.slow


class Kubeconfig:
    """A copy of the administrator's kubeconfig to be changed; `write` gives its file."""

    def __init__(self, plane, folder):
        self.document = deepcopy(yaml.safe_load(plane.kubeconfig.read_text()))
        self.path = folder / "changed.kubeconfig"

    @property
    def cluster(self):
        return self.document["clusters"][0]["cluster"]

    @property
    def user(self):
        return self.document["users"][0]["user"]

    def become(self, **user):
        self.document["users"][0]["user"] = user

    def write(self):
        self.path.write_text(yaml.safe_dump(self.document))
        return self.path


@pytest.fixture
def kubeconfig(plane, tmp_path):
    return Kubeconfig(plane, tmp_path)


@pytest.fixture
def token(plane):
    """A token with the rights of an administrator."""
    account, binding = ("serviceaccount", "ways-in", "-n", "default"), "ways-in"
    if binding not in plane.kubectl("get", "clusterrolebinding", "-o", "name"):
        plane.kubectl("create", *account)
        plane.kubectl(
            "create", "clusterrolebinding", binding, "--clusterrole=cluster-admin",
            "--serviceaccount=default:ways-in",
        )  # fmt: skip
    return plane.kubectl("create", "token", "ways-in", "-n", "default").strip()


def ask(access):
    """List the optimizations of a namespace, as any command does."""
    cluster = Cluster(access)
    try:
        return cluster.listed(Kind.OPTIMIZATION, "default")
    finally:
        cluster.close()


def asked(kubeconfig, **environment):
    return ask(find_access(Target(kubeconfig=kubeconfig.write()), environment))


def plugin(folder, *outputs):
    """Return a credential plug-in that gives one status after the other, and counts the questions."""
    counter, program = folder / "asked", folder / "login"
    counter.write_text("0")
    program.write_text(
        f"#!{sys.executable}\nimport json, pathlib\ncounter = pathlib.Path({str(counter)!r})\n"
        f"outputs = json.loads({json.dumps(outputs)!r})\n"
        "number = int(counter.read_text())\ncounter.write_text(str(number + 1))\n"
        "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'client.authentication.k8s.io/v1',"
        " 'status': outputs[min(number, len(outputs) - 1)]}))\n"
    )
    program.chmod(0o755)
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./login",
        "interactiveMode": "Never",
    }, counter


def test_certificates_in_files_beside_the_kubeconfig(kubeconfig, tmp_path):
    """Relative paths are looked up beside the file, and certificates inside work as well."""
    assert asked(kubeconfig) == []
    for place, field, name in (
        (kubeconfig.user, "client-certificate", "c.pem"),
        (kubeconfig.user, "client-key", "k.pem"),
        (kubeconfig.cluster, "certificate-authority", "ca.pem"),
    ):
        (tmp_path / name).write_bytes(base64.b64decode(place.pop(f"{field}-data")))
        place[field] = name
    assert asked(kubeconfig) == []


def test_tokens_and_token_files(kubeconfig, token, tmp_path):
    """Both are sent; what is no token is refused with what to do."""
    kubeconfig.become(token=token)
    assert asked(kubeconfig) == []
    (tmp_path / "token").write_text(token)
    kubeconfig.become(tokenFile="token")
    assert asked(kubeconfig) == []
    kubeconfig.become(token="no token")  # noqa: S106 - it is none
    with pytest.raises(NotLoggedIn, match=r"context test.*log in again"):
        asked(kubeconfig)


def test_a_service_account_of_a_pod(plane, token, tmp_path):
    """In a pod, token, authority and namespace of its service account are used."""
    document = yaml.safe_load(plane.kubeconfig.read_text())
    authority = document["clusters"][0]["cluster"]["certificate-authority-data"]
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(authority))
    (tmp_path / "namespace").write_text("default")
    url = urlsplit(plane.url)
    environment = {"KUBERNETES_SERVICE_HOST": url.hostname, "KUBERNETES_SERVICE_PORT": str(url.port)}
    access = find_access(Target(), environment, default_file=tmp_path / "none", service_account=tmp_path)
    assert ask(access) == []


def test_a_plugins_token_is_asked_for_again_when_it_has_run_out(kubeconfig, token, tmp_path):
    """One that the server does not accept any more costs one question more, and no error."""
    configured, counter = plugin(tmp_path, {"token": "run out"}, {"token": token})
    kubeconfig.become(exec=configured)
    assert asked(kubeconfig) == []
    assert counter.read_text() == "2"


def test_a_plugins_certificate(kubeconfig, tmp_path):
    """A plug-in may hand out a certificate instead of a token."""
    user = kubeconfig.user
    certificate, key = (
        base64.b64decode(user[f"client-{part}-data"]).decode() for part in ("certificate", "key")
    )
    configured, counter = plugin(tmp_path, {"clientCertificateData": certificate, "clientKeyData": key})
    kubeconfig.become(exec=configured)
    assert asked(kubeconfig) == []
    assert counter.read_text() == "1"


def test_a_plugin_that_gives_nothing_the_server_accepts(kubeconfig, tmp_path):
    """It is asked twice and not for ever."""
    configured, counter = plugin(tmp_path, {"token": "run out"})
    kubeconfig.become(exec=configured)
    with pytest.raises(NotLoggedIn):
        asked(kubeconfig)
    assert counter.read_text() == "2"


def test_the_kubeconfigs_proxy(kubeconfig, plane):
    """proxy-url is gone through."""
    with ForwardProxy() as proxy:
        kubeconfig.cluster["proxy-url"] = proxy.url
        assert asked(kubeconfig) == []
    assert proxy.connected == [urlsplit(plane.url).netloc]


def test_the_environments_proxy(kubeconfig, plane, monkeypatch):
    """HTTPS_PROXY is gone through, and NO_PROXY excepts the server from it."""
    with ForwardProxy() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert asked(kubeconfig) == []
        assert proxy.connected == [urlsplit(plane.url).netloc]
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert asked(kubeconfig) == []
        assert len(proxy.connected) == 1


def test_a_server_that_is_called_otherwise(kubeconfig):
    """tls-server-name is what its certificate must say."""
    kubeconfig.cluster["tls-server-name"] = "kubernetes.default.svc"
    assert asked(kubeconfig) == []
    kubeconfig.cluster["tls-server-name"] = "somebody.else"
    with pytest.raises(ClusterUnreachable, match="certificate"):
        asked(kubeconfig)


def test_another_authority_is_not_trusted(kubeconfig, tmp_path):
    """The error says that the certificate is not accepted; insecure-skip-tls-verify accepts any."""
    del kubeconfig.cluster["certificate-authority-data"]
    with pytest.raises(ClusterUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        asked(kubeconfig)
    kubeconfig.cluster["insecure-skip-tls-verify"] = True
    assert asked(kubeconfig) == []


def test_somebody_else_can_be_impersonated(kubeconfig):
    """`as` and `as-groups` are sent: the rights are theirs."""
    kubeconfig.user["as"] = "jane"
    with pytest.raises(Forbidden, match=r"you \(jane\) may not list"):
        asked(kubeconfig)
    kubeconfig.user["as-groups"] = ["testers", "system:masters"]
    assert asked(kubeconfig) == []


def test_cluster_and_user_from_two_files(kubeconfig, plane, tmp_path):
    """KUBECONFIG may list several files."""
    users = tmp_path / "users"
    users.write_text(yaml.safe_dump({"users": kubeconfig.document.pop("users")}))
    listed = os.pathsep.join([str(kubeconfig.write()), str(users)])
    assert ask(find_access(Target(), {"KUBECONFIG": listed})) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("certificate-authority-data", "bm8="), ("server", 7), ("certificate-authority", "missing.pem")],
)
def test_what_cannot_be_used_is_one_error(kubeconfig, field, value):
    """A broken certificate, a server that is no address, a missing file: the context is named."""
    kubeconfig.cluster.pop("certificate-authority-data")
    kubeconfig.cluster[field] = value
    with pytest.raises(KubeconfigInvalid, match="context test cannot be used"):
        asked(kubeconfig)
