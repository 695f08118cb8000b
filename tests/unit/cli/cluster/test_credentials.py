import base64
import json
import sys

import pytest

from llmopt.cluster.credentials import is_renewable, with_credentials
from llmopt.cluster.errors import KubeconfigInvalid
from llmopt.cluster.kubeconfigs import Access

V1 = "client.authentication.k8s.io/v1"
TOKEN = {"token": "t0"}


def access(program, *, version=V1, **plugin):
    """Return access by a plug-in that is a Python program."""
    given = {"apiVersion": version, "command": sys.executable, "args": ["-c", program], **plugin}
    return Access(
        "here", "default", {"server": "https://x", "certificate-authority-data": "Q0E="}, {"exec": given}
    )


def giving(**status):
    """Return a program that prints an ExecCredential."""
    return f"print({json.dumps({'apiVersion': V1, 'kind': 'ExecCredential', 'status': status})!r})"


@pytest.mark.parametrize("version", [V1, "client.authentication.k8s.io/v1beta1"])
def test_a_token_is_taken(version):
    """The plug-in's token becomes the user's, in both versions of the protocol."""
    asked = access(giving(**TOKEN), version=version)
    assert is_renewable(asked)
    found = with_credentials(asked)
    assert found.user == TOKEN
    assert not is_renewable(found)


def test_a_certificate_is_taken():
    """A certificate and its key become the user's, as a kubeconfig would hold them."""
    found = with_credentials(access(giving(clientCertificateData="CERT", clientKeyData="KEY")))
    assert base64.b64decode(found.user["client-certificate-data"]) == b"CERT"
    assert base64.b64decode(found.user["client-key-data"]) == b"KEY"


def test_the_plugin_gets_its_version_the_cluster_and_its_environment():
    """KUBERNETES_EXEC_INFO and the kubeconfig's variables reach the plug-in, and its own settings stay."""
    program = (
        "import json, os; given = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
        "token = ' '.join([given['apiVersion'], given['spec']['cluster']['server'], os.environ['MINE'],"
        " str(given['spec']['interactive'])]);"
        "print(json.dumps({'status': {'token': token}}))"
    )
    asked = access(
        program, provideClusterInfo=True, env=[{"name": "MINE", "value": "yes"}], interactiveMode="Never"
    )
    assert with_credentials(asked).user["token"] == f"{V1} https://x yes False"


def test_without_a_plugin_nothing_changes():
    """What a kubeconfig holds itself is used as it is."""
    plain = Access("here", "default", {}, {"token": "t"})
    assert with_credentials(plain) is plain


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            access("", command="/no/such/login", installHint="get it there"),
            "cannot be started .*get it there",
        ),
        (access("raise SystemExit(3)"), "ended with 3: log in"),
        (access("", env=[{"name": "A"}]), "exec.env: expected entries with name and value"),
        (access("", env="A=B"), "exec.env: expected entries with name and value"),
        (Access("here", "default", {}, {"exec": "login"}), "exec: expected fields"),
        (access("print('hello')"), "printed no ExecCredential"),
        (access("print('[]')"), "gave no token and no certificate"),
        (access(giving()), "gave no token and no certificate"),
        (access(giving(clientCertificateData="CERT")), "gave no token and no certificate"),
        (
            access(giving(**TOKEN), version="client.authentication.k8s.io/v1alpha1"),
            "speaks .*v1alpha1, expected",
        ),
    ],
)
def test_a_plugin_that_gives_nothing_is_named(asked, says):
    """The error says what it did and what to do, and never what it printed."""
    with pytest.raises(KubeconfigInvalid, match=says):
        with_credentials(asked)
