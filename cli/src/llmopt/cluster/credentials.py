"""Credentials that a program hands out: `exec` of a kubeconfig's user, by the protocol of client-go.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmopt.cluster.errors import KubeconfigInvalid
from llmopt.cluster.kubeconfigs import Access

GROUP = "client.authentication.k8s.io"
_VERSIONS = frozenset({f"{GROUP}/v1", f"{GROUP}/v1beta1"})
_CERTIFICATE = {"clientCertificateData": "client-certificate-data", "clientKeyData": "client-key-data"}


def is_renewable(access: Access) -> bool:
    """Say whether asking for the credentials again can give others."""
    return "exec" in access.user


def with_credentials(access: Access) -> Access:
    """Return `access` with what its credential plugin gives, as it is where there is none.

    The plugin may ask the person on the terminal. Raises KubeconfigInvalid where it gives nothing.
    """
    plugin = access.user.get("exec")
    if plugin is None:
        return access
    if not isinstance(plugin, Mapping):
        raise KubeconfigInvalid(
            f"the user of context {access.context}: exec: expected fields, such as command"
        )
    status = _status(plugin, _asked(plugin, access))
    given = {
        field: base64.b64encode(str(status[name]).encode()).decode()
        for name, field in _CERTIFICATE.items()
        if all(status.get(part) for part in _CERTIFICATE)
    }
    if status.get("token"):
        given["token"] = str(status["token"])
    if not given:
        raise KubeconfigInvalid(f"the credential plugin {plugin['command']} gave no token and no certificate")
    kept = {name: value for name, value in access.user.items() if name != "exec"}
    return replace(access, user={**kept, **given})


def _asked(plugin: Mapping[str, Any], access: Access) -> str:
    command = [str(plugin.get("command", "")), *(str(part) for part in plugin.get("args") or ())]
    given = _variables(plugin, access)
    interactive = plugin.get("interactiveMode") != "Never" and sys.stdin is not None and sys.stdin.isatty()
    environment = {**os.environ, **given, "KUBERNETES_EXEC_INFO": _exec_info(plugin, access, interactive)}
    try:
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True,
            stdin=None if interactive else subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        hint = plugin.get("installHint")
        raise KubeconfigInvalid(
            f"the credential plugin {command[0]!r} of context {access.context} cannot be started "
            f"({error.strerror})" + (f": {hint}" if hint else "")
        ) from error
    except subprocess.CalledProcessError as error:
        raise KubeconfigInvalid(
            f"the credential plugin {command[0]!r} of context {access.context} ended with "
            f"{error.returncode}: log in with it, then try again"
        ) from error
    return done.stdout


def _variables(plugin: Mapping[str, Any], access: Access) -> dict[str, str]:
    try:
        return {str(one["name"]): str(one["value"]) for one in plugin.get("env") or ()}
    except (KeyError, TypeError) as error:
        raise KubeconfigInvalid(
            f"the user of context {access.context}: exec.env: expected entries with name and value"
        ) from error


def _exec_info(plugin: Mapping[str, Any], access: Access, interactive: bool) -> str:  # noqa: FBT001 - the protocol's field
    version = plugin.get("apiVersion")
    if version not in _VERSIONS:
        raise KubeconfigInvalid(
            f"the credential plugin of context {access.context} speaks {version}, expected one of "
            f"{', '.join(sorted(_VERSIONS))}: update the kubeconfig"
        )
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {"server": access.server}
        if data := access.cluster.get("certificate-authority-data"):
            spec["cluster"]["certificate-authority-data"] = data
    return json.dumps({"apiVersion": version, "kind": "ExecCredential", "spec": spec})


def _status(plugin: Mapping[str, Any], output: str) -> Mapping[str, Any]:
    try:
        document = json.loads(output)
    except json.JSONDecodeError as error:
        raise KubeconfigInvalid(
            f"the credential plugin {plugin['command']} printed no ExecCredential: {error}"
        ) from error
    status = document.get("status") if isinstance(document, dict) else None
    return status if isinstance(status, dict) else {}
