"""The API server, asked as the user: the one module that knows the client.

lightkube: it starts in a third of a second and keeps to httpx, where the generated clients take seconds and
70 MiB more. Objects are plain documents here, errors those of this package.
"""

import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
from lightkube import Client, KubeConfig
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import GenericNamespacedResource, create_namespaced_resource
from lightkube.resources.core_v1 import ConfigMap, PersistentVolumeClaim, Pod, Secret
from lightkube.types import CascadeType, PatchType

from llmopt.cluster.credentials import is_renewable, with_credentials
from llmopt.cluster.errors import (
    ClusterUnreachable,
    KubeconfigInvalid,
    NotLoggedIn,
    Question,
    ResourceNotFound,
    refusal,
)
from llmopt.cluster.kubeconfigs import Access
from llmopt_core.api.kinds import GROUP, VERSION, Kind

T = TypeVar("T")
Document = dict[str, Any]
Change = Literal["created", "configured", "unchanged"]
MANAGER = "llmopt"
_TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
# What a manifest may refer to, and may stand beside it in its file.
_COMPANIONS: Mapping[str, tuple[str, Any]] = {
    "ConfigMap": ("configmaps", ConfigMap),
    "Secret": ("secrets", Secret),
    "PersistentVolumeClaim": ("persistentvolumeclaims", PersistentVolumeClaim),
}


class Cluster:
    """One cluster as one user sees it. Every method raises this package's errors; `close` it in the end."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client = _client(access)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, kind: Kind, name: str, namespace: str) -> Document:
        """Return one resource; raises ResourceNotFound."""
        question = self._question("get", kind.resource, namespace, name)
        return dict(self._ask(question, lambda client: client.get(_type(kind), name, namespace=namespace)))

    def listed(self, kind: Kind, namespace: str | None) -> list[Document]:
        """Return the resources in `namespace` (None: in all)."""
        question = self._question("list", kind.resource, namespace)
        found = self._ask(
            question,
            lambda client: list(client.list(_type(kind), namespace=namespace or "*", chunk_size=500)),
        )
        return [dict(each) for each in found]

    def apply(self, document: Document, namespace: str, *, force: bool = False) -> Change:
        """Apply a resource, or what stands beside one, by server-side apply; return what that changed.

        Raises Conflict where another manager says what a field is, unless `force` takes the field over.
        """
        resource, type_ = _served(document)
        name = document["metadata"]["name"]
        before = self._version(type_, resource, name, namespace)
        question = self._question("patch", resource, namespace, name)
        after = self._ask(
            question,
            lambda client: client.patch(
                type_, name, document, namespace=namespace,
                patch_type=PatchType.APPLY, field_manager=MANAGER, force=force,
            ),
        )  # fmt: skip
        if before is None:
            return "created"
        return "unchanged" if before == after.metadata.resourceVersion else "configured"

    def patch(self, kind: Kind, name: str, namespace: str, patch: Document) -> Document:
        """Merge `patch` into a resource and return what it is now."""
        question = self._question("patch", kind.resource, namespace, name)
        merge = PatchType.MERGE
        return dict(
            self._ask(
                question,
                lambda client: client.patch(
                    _type(kind), name, patch, namespace=namespace, patch_type=merge, field_manager=MANAGER
                ),
            )
        )

    def delete(self, kind: Kind, name: str, namespace: str) -> None:
        """Delete a resource; what belongs to it goes by itself."""
        question = self._question("delete", kind.resource, namespace, name)
        background = CascadeType.BACKGROUND
        self._ask(
            question,
            lambda client: client.delete(_type(kind), name, namespace=namespace, cascade=background),
        )

    def secret(self, name: str, namespace: str) -> Mapping[str, str]:
        """Return the data of a Secret, still in base64."""
        question = self._question("get", "secrets", namespace, name)
        found = self._ask(question, lambda client: client.get(Secret, name, namespace=namespace))
        return found.data or {}

    def pods(self, namespace: str, labels: Mapping[str, str]) -> list[Document]:
        """Return the pods that carry `labels`."""
        question = self._question("list", "pods", namespace)
        found = self._ask(
            question, lambda client: list(client.list(Pod, namespace=namespace, labels=dict(labels)))
        )
        return [msgspec.to_builtins(each) for each in found]

    def pod(self, name: str, namespace: str) -> Document:
        """Return one pod."""
        question = self._question("get", "pods", namespace, name)
        found = self._ask(question, lambda client: client.get(Pod, name, namespace=namespace))
        return dict(msgspec.to_builtins(found))

    def log(self, pod: str, namespace: str, *, container: str, follow: bool) -> Iterator[str]:
        """Return the lines of a container's log; with `follow` until it ends."""
        question = self._question("get", "pods/log", namespace, pod)
        lines = self._ask(
            question,
            lambda client: client.log(
                pod, namespace=namespace, container=container, follow=follow, newlines=False
            ),
        )
        return self._each(question, lines)

    def _each(self, question: Question, lines: Iterator[str]) -> Iterator[str]:
        with _translated(question, self.access):
            yield from lines

    def _version(self, type_: Any, resource: str, name: str, namespace: str) -> str | None:
        question = self._question("get", resource, namespace, name)
        with suppress(ResourceNotFound):
            found = self._ask(question, lambda client: client.get(type_, name, namespace=namespace))
            return str(found.metadata.resourceVersion)
        return None

    def _question(self, verb: str, resource: str, namespace: str | None, name: str | None = None) -> Question:
        return Question(verb, resource, namespace, name, self.access.context)

    def _ask(self, question: Question, call: Callable[[Client], T]) -> T:
        """Ask, and once more with new credentials where those of a plugin have run out."""
        try:
            with _translated(question, self.access):
                return call(self._client)
        except NotLoggedIn:
            if not is_renewable(self.access):
                raise
        self.close()
        self._client = _client(self.access)
        with _translated(question, self.access):
            return call(self._client)


class _Transport(httpx2.HTTPTransport):
    """Also sends what a kubeconfig can say and the client does not know: the server's name, who to be."""

    def __init__(self, access: Access, config: SingleConfig) -> None:
        assert config.user is not None  # noqa: S101 - `_config` gives one
        verify = verify_cluster(config.cluster, config.user, config.abs_file)
        super().__init__(verify=verify, proxy=_proxy(access))
        self._server_name = access.cluster.get("tls-server-name")
        self._headers = [("Impersonate-User", str(access.user["as"]))] if access.user.get("as") else []
        self._headers += [("Impersonate-Group", str(group)) for group in access.user.get("as-groups") or ()]

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`."""
        if self._server_name:
            request.extensions = {**request.extensions, "sni_hostname": self._server_name}
        if self._headers:
            request.headers = httpx2.Headers([*request.headers.multi_items(), *self._headers])
        return super().handle_request(request)


def _client(access: Access) -> Client:
    try:
        config = _config(with_credentials(access))
        return Client(config, timeout=_TIMEOUT, transport=_Transport(access, config))
    except (ConfigError, msgspec.ValidationError, OSError, ValueError) as error:
        raise KubeconfigInvalid(
            f"the kubeconfig's context {access.context} cannot be used: {error}"
        ) from error


def _config(access: Access) -> SingleConfig:
    config = KubeConfig.from_dict(access.kubeconfig).get()
    assert config is not None  # noqa: S101 - its only context is the current one
    return config


def _proxy(access: Access) -> str | None:
    """Return the proxy that the kubeconfig names, else the environment's for the server's address."""
    if named := access.cluster.get("proxy-url"):
        return str(named)
    parts = urlsplit(access.server)
    if not parts.hostname or urllib.request.proxy_bypass(parts.hostname):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _type(kind: Kind) -> type[GenericNamespacedResource]:
    return create_namespaced_resource(GROUP, VERSION, kind.value, kind.plural)


def _served(document: Document) -> tuple[str, Any]:
    """Return what rights call the kind of `document`, and the client's type for it."""
    name = str(document["kind"])
    ours = next((kind for kind in Kind if kind == name), None)
    return (ours.resource, _type(ours)) if ours else _COMPANIONS[name]


@contextmanager
def _translated(question: Question, access: Access) -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPStatusError as error:
        raise refusal(question, error.response.status_code, _status(error.response)) from None
    except ConfigError as error:
        raise KubeconfigInvalid(f"context {access.context}: {error}") from error
    except httpx2.HTTPError as error:
        raise ClusterUnreachable(
            f"the API server {access.server} (context {access.context}) does not answer: {_why(error)}"
        ) from error


def _status(response: httpx2.Response) -> Mapping[str, Any] | None:
    try:
        document = response.json()
    except (ValueError, httpx2.ResponseNotRead):
        return None
    return document if isinstance(document, dict) else None


def _why(error: httpx2.HTTPError) -> str:
    return str(error) or type(error).__name__
