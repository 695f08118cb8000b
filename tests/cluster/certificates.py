"""The test cluster's own certificate authority, and kubeconfigs for those who come with its certificates."""

import base64
from dataclasses import dataclass
from pathlib import Path

import trustme
import yaml

ADMINISTRATORS = "system:masters"


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Issues every certificate of one cluster and writes them into `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True)
        self._authority = trustme.CA(organization_name="llmopt test cluster")
        self.certificate = folder / "ca.crt"
        self._authority.cert_pem.write_to_path(self.certificate)

    def server(self, name: str, *addresses: str) -> KeyPair:
        """Return what a server needs that is called by `addresses`, names or IP addresses."""
        return self._written(name, self._authority.issue_cert(*addresses))

    def client(self, name: str, *, user: str, group: str) -> KeyPair:
        """Return what a client needs that Kubernetes shall know as `user` of `group`."""
        # Go refuses a certificate whose list of names is empty.
        issued = self._authority.issue_cert("client", common_name=user, organization_name=group)
        return self._written(name, issued)

    def kubeconfig(self, name: str, url: str, *, user: str, group: str) -> Path:
        """Return a kubeconfig for `user` of `group`, with the certificates inside."""
        pair = self.client(name, user=user, group=group)
        credentials = {
            "client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key),
        }  # fmt: skip
        return self.written_kubeconfig(name, url, credentials)

    def written_kubeconfig(self, name: str, url: str, credentials: dict[str, str]) -> Path:
        """Write and return a kubeconfig whose user has `credentials`, as kubeconfigs spell them."""
        server = {"server": url, "certificate-authority-data": _encoded(self.certificate)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": server}],
            "users": [{"name": name, "user": credentials}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        path = self._folder / f"{name}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(document))
        return path

    def _written(self, name: str, issued: trustme.LeafCert) -> KeyPair:
        pair = KeyPair(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        pair.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(pair.key)
        return pair


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
