"""The API server as tests ask it: one object at a time, as the administrator, without kubectl's start-up."""

import base64
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]


class ApiClient:
    """Reads and writes objects by path; None stands for what is not there."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        self.server = cluster["server"]
        self.context = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=_decoded(cluster.get("certificate-authority-data")),
        )
        self._load_certificate(user)

    def get(self, path: str) -> Object | None:
        return self._ask("GET", path)

    def list(self, path: str) -> list[Object]:
        return self._ask("GET", path)["items"]

    def create(self, path: str, body: Object) -> Object:
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Object) -> Object | None:
        return self._ask("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str, **options: Any) -> None:
        self._ask("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})

    def _ask(self, verb: str, path: str, body: Object | None = None, kind: str = "application/json"):
        request = urllib.request.Request(  # noqa: S310 - the test's own server
            f"{self.server}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": kind},
            method=verb,
        )
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:  # noqa: S310 - as above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise AssertionError(f"{verb} {path}: {error.code}: {error.read().decode()}") from error

    def _load_certificate(self, user: Object) -> None:
        if "client-certificate" in user:
            self.context.load_cert_chain(user["client-certificate"], user["client-key"])
            return
        with tempfile.NamedTemporaryFile("w") as certificate, tempfile.NamedTemporaryFile("w") as key:
            certificate.write(_decoded(user["client-certificate-data"]))
            key.write(_decoded(user["client-key-data"]))
            certificate.flush()
            key.flush()
            self.context.load_cert_chain(certificate.name, key.name)


def _decoded(text: str | None) -> str | None:
    return None if text is None else base64.b64decode(text).decode()
