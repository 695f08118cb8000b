"""The one hand on the API server: reads and writes plain objects, and says what went wrong."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.connections import Connection
from llmopt_operator.metrics import OperatorMetrics

# Lists of named parts are merged by name; of built-in kinds only.
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
MERGE_PATCH = "application/merge-patch+json"
JSON = "application/json"
_RETRYABLE = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT, *(s for s in HTTPStatus if s >= 500)}  # noqa: PLR2004 - the servers' own
Object = dict[str, Any]


class ApiError(LlmoptError):
    """The API server refused, or did not answer (status 0)."""

    def __init__(self, verb: str, path: str, status: int, message: str) -> None:
        self.status = status
        self.retryable = status == 0 or status in _RETRYABLE
        super().__init__(f"{verb} {path}: {status or 'no answer'}: {message}")


class NotFound(ApiError):
    """There is no such object."""


class Forbidden(ApiError):
    """The operator has not the right to it."""


class Conflict(ApiError):
    """It exists already, or was changed meanwhile."""


_BY_STATUS = {
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.CONFLICT: Conflict,
}


class Cluster:
    """Objects by their path. Every method may raise ApiError."""

    def __init__(self, connection: Connection, metrics: OperatorMetrics) -> None:
        self._connection = connection
        self._metrics = metrics

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        """Return the object, or the list, at `path`."""
        return await self._ask("GET", path, query=query)

    async def create(self, collection: str, body: Object) -> Object:
        """Create `body`; raises Conflict where it exists."""
        return await self._ask("POST", collection, body=body)

    async def replace(self, path: str, body: Object) -> Object:
        """Replace the object at `path`; raises Conflict where it was changed since `body` was read."""
        return await self._ask("PUT", path, body=body)

    async def patch(self, path: str, body: Object, *, content_type: str = MERGE_PATCH) -> Object:
        """Merge `body` into the object at `path` and return it; raises Conflict where it names a version."""
        return await self._ask("PATCH", path, body=body, content_type=content_type)

    async def delete(self, path: str, *, propagation: str = "Foreground") -> None:
        """Delete the object at `path` with all that it owns; what is gone already is fine."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        try:
            await self._ask("DELETE", path, body=options)
        except NotFound:
            return

    async def _ask(
        self,
        verb: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
    ) -> Object:
        began = time.monotonic()
        status = 0
        try:
            async with self._connection.session.request(
                verb,
                self._connection.url(path),
                data=None if body is None else msgspec.json.encode(body),
                params=query,
                headers={**self._connection.headers(), "Content-Type": content_type},
            ) as response:
                status = response.status
                document: Object = msgspec.json.decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ApiError(verb, path, 0, str(error) or type(error).__name__) from error
        finally:
            self._metrics.asked(verb, status, time.monotonic() - began)
        if status >= HTTPStatus.BAD_REQUEST:
            kind = _BY_STATUS.get(HTTPStatus(status), ApiError)
            raise kind(verb, path, status, str(document.get("message", "")))
        return document


def path_of(body: Mapping[str, Any], plural: str) -> str:
    """Return the path of a namespaced object."""
    return f"{collection_of(body, plural)}/{body['metadata']['name']}"


def collection_of(body: Mapping[str, Any], plural: str) -> str:
    """Return the path of the collection that a namespaced object is in."""
    return collection(body["apiVersion"], plural, body["metadata"]["namespace"])


def collection(api_version: str, plural: str, namespace: str) -> str:
    """Return the path of a collection of namespaced objects."""
    root = "/api" if "/" not in api_version else "/apis"
    return f"{root}/{api_version}/namespaces/{namespace}/{plural}"
