"""The study of a resource: in the database of its namespace, whose address a Secret there holds."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from llmopt.cluster.errors import Forbidden, ResourceNotFound
from llmopt_core.api.objects import STORAGE_SECRET, STORAGE_SECRET_KEY
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.storage.errors import StorageUnavailable, StudyNotFound
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
    reached from here, such as the near end of `kubectl port-forward`. Raises StudyOutOfReach.
    """
    name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
    url = storage or secret_url(cluster, namespace)
    try:
        with open_storage(_through(url, at) if at else url) as opened:
            yield opened.open_study(document["metadata"]["uid"])
    except StorageUnavailable as error:
        raise StudyOutOfReach(f"{error}. {_advice(url, namespace, at)}") from error
    except StudyNotFound as error:
        raise StudyOutOfReach(
            f"{error}: nothing was measured for {name} yet, or it is another one"
        ) from error


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
    """Return `url` with the address `at`, everything else as it was: user, password, database, options."""
    host, colon, port = at.rpartition(":")
    if not (colon and host and port.isdigit()):
        raise AddressInvalid(f"--database-at {at}: expected HOST:PORT, such as {_FORWARDED}")
    parts = urlsplit(url)
    credentials, sign, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{credentials}{sign}{at}").geturl()


def _advice(url: str, namespace: str, at: str | None) -> str:
    if at is not None:
        return f"Does the port-forward to {at} run?"
    service = _service(urlsplit(url), namespace)
    if service is None:
        return "Is the address right, and may this machine reach it?"
    own, port = service
    return (
        "It may be reachable in the cluster only. Forward a port to it: kubectl port-forward --namespace "
        f"{own[1]} service/{own[0]} {_FORWARDED.rpartition(':')[2]}:{port}, then add to the command: "
        f"--database-at {_FORWARDED}"
    )


def _service(parts: SplitResult, namespace: str) -> tuple[tuple[str, str], int] | None:
    """Return name and namespace of the Service that the address names, and its port; None for all else."""
    host = parts.hostname or ""
    for domain in _CLUSTER_DOMAINS:
        host = host.removesuffix(domain)
    labels = host.split(".")
    if not host or host == "localhost" or len(labels) > 2 or host.replace(".", "").isdigit():  # noqa: PLR2004 - NAME.NAMESPACE
        return None
    own = (labels[0], labels[1] if len(labels) > 1 else namespace)
    return own, parts.port or _POSTGRES_PORT
