"""How a cluster is reached, found as kubectl finds it: kubeconfig files, else the pod's service account.

Kubernetes clients for Python each know a part of the conventions only: several files in KUBECONFIG, paths
relative to the file they stand in, the namespace of a context that was asked for. They are few, so they stand
here, and the client is given one cluster and one user.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from llmopt.cluster.errors import KubeconfigInvalid
from llmopt.option_labels import labelled
from llmopt.options import Target
from llmopt.path_checks import exists, expanded, is_file, unreadable
from llmopt_core.errors.files import problem_words
from llmopt_core.resources.faults import did_you_mean
from llmopt_core.resources.texts import YAML_ERRORS

DEFAULT_FILE = Path("~/.kube/config")
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER = "in-cluster"
_NAMED = {"clusters": "cluster", "contexts": "context", "users": "user"}
_PATHS = {
    "clusters": ("certificate-authority",),
    "users": ("client-certificate", "client-key", "tokenFile"),
    "contexts": (),
}
Entries = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Access:
    """One cluster and who asks it, as a kubeconfig says them, all paths absolute.

    `context` is what to call it in messages, `namespace` where a person is when they say nothing.
    """

    context: str
    namespace: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.cluster.get("server", "http://localhost:8080"))

    @property
    def kubeconfig(self) -> dict[str, Any]:
        """What this says as a kubeconfig with one context, the current one."""
        name = self.context
        context = {"cluster": name, "user": name, "namespace": self.namespace}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": dict(self.cluster)}],
            "contexts": [{"name": name, "context": context}],
            "users": [{"name": name, "user": dict(self.user)}],
        }


@dataclass(frozen=True)
class _Kubeconfig:
    clusters: Entries
    contexts: Entries
    users: Entries
    current: str
    sources: str


def find_access(
    target: Target,
    environment: Mapping[str, str] = os.environ,
    *,
    default_file: Path = DEFAULT_FILE,
    service_account: Path = SERVICE_ACCOUNT,
) -> Access:
    """Return how the cluster of `target` is reached; raises KubeconfigInvalid."""
    config = _merged(_files(target, environment, default_file))
    if config.contexts or target.context:
        access = _of_context(config, target.context or config.current)
    elif "KUBERNETES_SERVICE_HOST" in environment and exists(service_account / "token"):
        access = _in_cluster(environment, service_account)
    else:
        raise KubeconfigInvalid(
            f"no cluster is configured ({config.sources}, and this is no pod with a service account): name a "
            "file with --kubeconfig or in KUBECONFIG"
        )
    return replace(access, namespace=target.namespace) if target.namespace else access


def is_configured(environment: Mapping[str, str] = os.environ, default_file: Path = DEFAULT_FILE) -> bool:
    """Say whether there is any sign of a cluster, without reading it."""
    if "KUBERNETES_SERVICE_HOST" in environment:
        return True
    return any(is_file(path) for path in _files(Target(), environment, default_file))


def _files(target: Target, environment: Mapping[str, str], default_file: Path) -> tuple[Path, ...]:
    if target.kubeconfig is not None:
        path = expanded(target.kubeconfig)
        if not is_file(path):
            forbidden = unreadable(path)
            problem = f"expected {forbidden}" if forbidden else "there is no such file"
            raise KubeconfigInvalid(f"{labelled('--kubeconfig', path)}: {problem}")
        return (path,)
    listed = [part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    return tuple(expanded(part) for part in listed) or (expanded(default_file),)


def _merged(paths: Iterable[Path]) -> _Kubeconfig:
    """Put the files together: of two entries of one name the first counts. Files may be missing."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {section: {} for section in _NAMED}
    current, said = "", []
    for path in paths:
        if not is_file(path):
            said.append(f"there is no {path}")
            continue
        document = _read(path)
        said.append(f"{path} has no context")
        current = current or str(document.get("current-context") or "")
        for section, entries in found.items():
            for name, entry in _entries(document, section, path):
                entries.setdefault(name, entry)
    return _Kubeconfig(**found, current=current, sources=", ".join(said))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigInvalid(f"the kubeconfig {path} cannot be read: {problem_words(error)}") from error
    except YAML_ERRORS as error:
        raise KubeconfigInvalid(
            f"the kubeconfig {path} is no YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(document, Mapping | None):
        raise KubeconfigInvalid(f"the kubeconfig {path} holds no fields: it is not a kubeconfig")
    return document or {}


def _entries(document: Mapping[str, Any], section: str, path: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    wrong = KubeconfigInvalid(f"the kubeconfig {path}: {section}: expected a list of names with their fields")
    entries, folder = document.get(section) or (), path.parent.absolute()
    if not isinstance(entries, Sequence):
        raise wrong
    for each in entries:
        if not isinstance(each, Mapping) or not isinstance(each.get(_NAMED[section]), Mapping | None):
            raise wrong
        entry = dict(each.get(_NAMED[section]) or {})
        for field in _PATHS[section]:
            if entry.get(field):
                entry[field] = str(folder / str(entry[field]))
        if isinstance(entry.get("exec"), Mapping):
            entry["exec"] = _with_path(entry["exec"], folder)
        yield str(each.get("name")), entry


def _with_path(plugin: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A command with a slash is relative to its kubeconfig, a bare one is looked up on the PATH."""
    command = str(plugin.get("command", ""))
    return {**plugin, "command": str(folder / command) if "/" in command else command}


def _of_context(config: _Kubeconfig, name: str) -> Access:
    if not name:
        names = ", ".join(config.contexts)
        raise KubeconfigInvalid(
            f"the kubeconfig has no current context: choose one with --context ({names}), or with "
            "`kubectl config use-context`"
        )
    context = _entry(config.contexts, name, "context")
    user = str(context.get("user") or "")
    return Access(
        context=name,
        namespace=str(context.get("namespace") or "default"),
        cluster=_entry(config.clusters, str(context.get("cluster") or ""), f"cluster of context {name}"),
        user=_entry(config.users, user, f"user of context {name}") if user else {},
    )


def _entry(entries: Entries, name: str, what: str) -> Mapping[str, Any]:
    if name in entries:
        return entries[name]
    raise KubeconfigInvalid(f"{what}: the kubeconfig has no {name!r} ({did_you_mean(name, entries)})")


def _in_cluster(environment: Mapping[str, str], account: Path) -> Access:
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    address = f"[{host}]" if ":" in host else host
    space = account / "namespace"
    return Access(
        context=IN_CLUSTER,
        namespace=space.read_text(encoding="utf-8").strip() if exists(space) else "default",
        cluster={"server": f"https://{address}:{port}", "certificate-authority": str(account / "ca.crt")},
        user={"tokenFile": str(account / "token")},
    )
