"""The one Secret that the operator reads: each namespace's own database."""

import base64
import binascii
import time
from dataclasses import dataclass

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.kubernetes import ApiError, Cluster, NotFound, collection
from llmopt_operator.domain.refusals import problem_of
from llmopt_operator.settings import StorageSettings

# Read again so often: a database that moved is found without a restart.
_FRESH_SECONDS = 300.0


class StorageSecretInvalid(LlmoptError):
    """The namespace has no usable Secret with the URL of its database."""


@dataclass(frozen=True)
class _Read:
    url: str
    at: float


class StorageSecrets:
    """The URL of each namespace's database, read by name and kept for a while."""

    def __init__(self, cluster: Cluster, settings: StorageSettings) -> None:
        self._cluster = cluster
        self._settings = settings
        self._known: dict[str, _Read] = {}

    async def url(self, namespace: str) -> str:
        """Return the URL; raises StorageSecretInvalid, with what to do, and ApiError."""
        known = self._known.get(namespace)
        if known is not None and time.monotonic() - known.at < _FRESH_SECONDS:
            return known.url
        url = await self._read(namespace)
        self._known[namespace] = _Read(url, time.monotonic())
        return url

    def forget(self, namespace: str) -> None:
        """Read the namespace's Secret again at the next use."""
        self._known.pop(namespace, None)

    async def _read(self, namespace: str) -> str:
        name, key = self._settings.secret_name, self._settings.key
        try:
            secret = await self._cluster.get(f"{collection('v1', 'secrets', namespace)}/{name}")
        except NotFound:
            raise StorageSecretInvalid(
                f"namespace {namespace} has no Secret {name}: create it with the key {key}, the URL of the"
                " namespace's own database (postgresql+psycopg://USER:PASSWORD@HOST/NAME)"
            ) from None
        except ApiError as error:
            if error.retryable:
                raise
            why = problem_of(error.refusal).message
            raise StorageSecretInvalid(f"Secret {namespace}/{name} cannot be read: {why}") from error
        return self._decoded(secret.get("data") or {}, f"Secret {namespace}/{name}")

    def _decoded(self, data: dict[str, str], where: str) -> str:
        key = self._settings.key
        if key not in data:
            raise StorageSecretInvalid(f"{where} has no key {key}; it must hold the database's URL")
        try:
            return base64.b64decode(data[key], validate=True).decode().strip()
        except (binascii.Error, UnicodeDecodeError):
            raise StorageSecretInvalid(f"{where}: the key {key} is not text") from None
