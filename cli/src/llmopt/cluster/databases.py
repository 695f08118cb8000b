"""The study of a resource: in the database of its namespace, whose address a Secret there holds."""

import base64
import binascii
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt.cluster.forwarding import ForwardingFailed, Service, forwarded
from llmopt.option_labels import labelled
from llmopt_core.api.objects import STORAGE_SECRET, STORAGE_SECRET_KEY
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.storage.database import require_address
from llmopt_core.storage.errors import StorageUnavailable, StorageUnusable, StudyNotFound
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import Study

if TYPE_CHECKING:
    from llmopt.cluster.clients import Cluster

_POSTGRES_PORT = 5432
_FORWARDED = "127.0.0.1:15432"
_CLUSTER_DOMAINS = (".svc", ".svc.cluster.local")


class StudyOutOfReach(LlmoptError):
    """The study's database cannot be used from here; the message says what to do."""

    retryable = True


class AddressInvalid(LlmoptError):
    """A database's address is not of the form HOST:PORT."""


@contextmanager
def opened_study(
    cluster: "Cluster", document: dict[str, Any], *, storage: str | None, at: str | None
) -> Iterator[Study]:
    """Open the study of a resource.

    `storage` is the database's URL, else the namespace's Secret names it; `at` (HOST:PORT) is where it is
    reached from here, such as the near end of `kubectl port-forward`. Where it is not given, and the
    database's Service has no address here, kubectl forwards a port to it. Raises StudyOutOfReach, and
    StorageUnusable where the URL is none.
    """
    name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
    url = storage or secret_url(cluster, namespace)
    _require_place(url)
    try:
        with ExitStack() as stack:
            if at is None and (service := _service_out_of_reach(url, namespace)):
                at = stack.enter_context(forwarded(cluster.access, service))
            opened = stack.enter_context(open_storage(_through(url, at) if at else url))
            yield opened.open_study(document["metadata"]["uid"])
    except ForwardingFailed as error:
        raise StudyOutOfReach(
            f"no way to the study's database: {error}. {_advice(url, namespace, None)}"
        ) from error
    except StorageUnavailable as error:
        raise StudyOutOfReach(f"{error}. {_advice(url, namespace, at)}") from error
    except StudyNotFound as error:
        raise StudyOutOfReach(
            f"{error}: nothing was measured for {name} yet, or it is another one"
        ) from error


def _require_place(url: str) -> None:
    require_address(url)
    try:
        _ = urlsplit(url).port
    except ValueError:  # what it says may hold a part of the password
        raise StorageUnusable("the storage address has a host or a port that there cannot be") from None


def secret_url(cluster: "Cluster", namespace: str) -> str:
    """Return the URL of the namespace's database; raises StudyOutOfReach."""
    try:
        data = cluster.secret(STORAGE_SECRET, namespace)
        return base64.b64decode(data[STORAGE_SECRET_KEY], validate=True).decode().strip()
    except Forbidden as error:
        raise StudyOutOfReach(f"{error}; or give the database's URL with --storage") from error
    except ResourceNotFound as error:
        raise StudyOutOfReach(
            f"{error}: give the URL of the studies' database with --storage, or ask where it is kept"
        ) from error
    except (KeyError, binascii.Error, UnicodeDecodeError) as error:
        raise StudyOutOfReach(
            f"the Secret {STORAGE_SECRET} in namespace {namespace} has no readable {STORAGE_SECRET_KEY}: "
            "give the database's URL with --storage"
        ) from error


def _through(url: str, at: str) -> str:
    """Return `url` with the address `at`, everything else as it was: user, password, database, options.

    The host's name stays beside a numeric address: it is what the server's certificate is checked against.
    """
    host, colon, port = at.rpartition(":")
    if not (colon and host and port.isdigit()):
        raise AddressInvalid(f"{labelled('--database-at', at)}: expected HOST:PORT, such as {_FORWARDED}")
    parts = urlsplit(url)
    credentials, sign, _ = parts.netloc.rpartition("@")
    if parts.hostname and _is_numeric(host):
        near = f"{parts.hostname}:{port}"
        query = "&".join(filter(None, (parts.query, f"hostaddr={host}")))
        return parts._replace(netloc=f"{credentials}{sign}{near}", query=query).geturl()
    return parts._replace(netloc=f"{credentials}{sign}{at}").geturl()


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _advice(url: str, namespace: str, at: str | None) -> str:
    if at is not None:
        return f"Does the port-forward to {at} run?"
    if (service := _service(urlsplit(url), namespace)) is None:
        return "Is the address right, and may this machine reach it?"
    forward = " ".join(("kubectl", *service.command(_FORWARDED.rpartition(":")[2])))
    return (
        f"It may be reachable in the cluster only. Forward a port to it: {forward}, then add to the command: "
        f"--database-at {_FORWARDED}"
    )


def _service_out_of_reach(url: str, namespace: str) -> Service | None:
    """Return the Service that `url` names, unless its name has an address here, as it has in a pod."""
    parts = urlsplit(url)
    service = _service(parts, namespace)
    if service is None:
        return None
    try:
        socket.getaddrinfo(parts.hostname, service.port)
    except OSError:
        return service
    return None


def _service(parts: SplitResult, namespace: str) -> Service | None:
    """Return the port of a Service that the address names; None for all else."""
    host = parts.hostname or ""
    for domain in _CLUSTER_DOMAINS:
        host = host.removesuffix(domain)
    labels = host.split(".")
    if not host or host == "localhost" or len(labels) > 2 or host.replace(".", "").isdigit() or "," in host:  # noqa: PLR2004 - NAME.NAMESPACE
        return None
    return Service(labels[0], labels[1] if len(labels) > 1 else namespace, parts.port or _POSTGRES_PORT)
