"""The one hand on the API server: reads and writes plain objects, and says what went wrong."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec

from llmopt_core.errors.classes import LlmoptError
from llmopt_operator.adapters.connections import Connection
from llmopt_operator.domain.refusals import Refusal
from llmopt_operator.metrics import OperatorMetrics

# Lists of named parts are merged by name; of built-in kinds only.
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
JSON = "application/json"
_ONLY_METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
_ONLY_METADATA_OF_ALL = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
_READ = "GET"
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_RETRYABLE = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.CONFLICT})
_SERVERS_OWN = 500
_ALREADY_EXISTS = "AlreadyExists"
_LONGEST_TEXT = 500
Object = dict[str, Any]


class Identity(msgspec.Struct, frozen=True, rename="camel"):
    """Which object it is, and which version of it; what the cluster itself is in has no namespace."""

    name: str
    uid: str
    resource_version: str
    namespace: str = ""


class _Item(msgspec.Struct):
    metadata: Identity


class _Items(msgspec.Struct):
    items: list[_Item] | None


@dataclass(frozen=True)
class _Answer:
    """What the API server answered: its status, and what it asks for before the next request."""

    status: int
    content: bytes
    retry_after: str


class ApiError(LlmoptError):
    """The API server refused, or did not answer (status 0).

    `message` is its own sentence, `fields` are those that it names in it, with what is wrong.
    `retry_after_seconds` is how long it asks to be left alone.
    """

    def __init__(
        self,
        verb: str,
        path: str,
        status: int,
        message: str,
        *,
        fields: Mapping[str, str] | None = None,
        retry_after_seconds: float = 0.0,
    ) -> None:
        self.verb, self.path, self.status, self.message = verb, path, status, message
        self.fields = fields or {}
        self.retry_after_seconds = retry_after_seconds
        self.retryable = status in _RETRYABLE or not HTTPStatus.BAD_REQUEST <= status < _SERVERS_OWN
        super().__init__(f"{verb} {path}: {status or 'no answer'}: {message}")

    @property
    def refusal(self) -> Refusal:
        """What was refused, in the words of roles."""
        return refusal_of(self.verb, self.path, self.status, self.message, self.fields)


class NotFound(ApiError):
    """There is no such object."""


class Forbidden(ApiError):
    """The operator has not the right to it, or a policy or a quota is against it."""


class Conflict(ApiError):
    """It was changed meanwhile."""


class AlreadyExists(Conflict):
    """An object of this name exists."""

    def __init__(self, *arguments: Any, **details: Any) -> None:
        super().__init__(*arguments, **details)
        self.retryable = False


class NotLeading(LlmoptError):
    """Nothing is written any more: another operator may act."""

    retryable = True


_BY_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.CONFLICT: Conflict,
}


class Cluster:
    """Objects by their path. Every method may raise ApiError.

    Nothing is written while `may_write` is false: NotLeading is raised.
    """

    def __init__(
        self, connection: Connection, metrics: OperatorMetrics, may_write: Callable[[], bool] = lambda: True
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._may_write = may_write

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Object:
        """Return the object, or the list, at `path`."""
        return await self._ask(_READ, path, query=query)

    async def metadata(self, path: str) -> Object:
        """Return the metadata of the object at `path`; the rest of it is never sent."""
        return dict((await self._ask(_READ, path, accept=_ONLY_METADATA))["metadata"])

    async def is_there(self, path: str, uid: str) -> bool:
        """Say whether the object at `path` is the one with `uid`, as the API server itself has it now."""
        try:
            return bool((await self.metadata(path))["uid"] == uid)
        except NotFound:
            return False

    async def identities(
        self, collection: str, query: Mapping[str, str] | None = None
    ) -> tuple[Identity, ...]:
        """Return who is in `collection`; the rest of the objects is neither sent nor read.

        As Python's own objects, 1,000 whole resources would take 32 MiB while they are looked at.
        """
        answer = await self._send(_READ, collection, query=query, accept=_ONLY_METADATA_OF_ALL)
        try:
            found = msgspec.json.decode(answer.content, type=_Items)
        except ValueError:
            raise _failure(_READ, collection, answer) from None
        return tuple(item.metadata for item in found.items or ())

    async def create(self, collection: str, body: Object) -> Object:
        """Create `body`; raises AlreadyExists where it is there."""
        return await self._ask("POST", collection, body=body)

    async def replace(self, path: str, body: Object) -> Object:
        """Replace the object at `path`; raises Conflict where it was changed since `body` was read."""
        return await self._ask("PUT", path, body=body)

    async def patch(self, path: str, body: Object, *, content_type: str = MERGE_PATCH) -> Object:
        """Merge `body` into the object at `path` and return it; raises Conflict where it names a version."""
        return await self._ask("PATCH", path, body=body, content_type=content_type)

    async def write_status(self, path: str, uid: str, status: Mapping[str, Any]) -> Object:
        """Make `status` that of the object at `path` with `uid`, and return it; raises NotFound without it.

        A uid in a merge patch would not do: for the status of our kinds the API server takes no metadata, so
        that it would write into another object of this name.
        """
        steps = [
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]
        try:
            return await self._ask("PATCH", f"{path}/status", body=steps, content_type=_JSON_PATCH)
        except ApiError as error:
            if error.status == HTTPStatus.UNPROCESSABLE_ENTITY and not await self.is_there(path, uid):
                raise NotFound(error.verb, error.path, HTTPStatus.NOT_FOUND, error.message) from error
            raise

    async def delete(self, path: str, *, uid: str, propagation: str = "Foreground") -> None:
        """Delete the object at `path` with `uid`, and all that it owns; what is gone already is fine."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": uid},
        }
        try:
            await self._ask("DELETE", path, body=options)
        except NotFound:
            return
        except Conflict:
            if await self.is_there(path, uid):
                raise

    async def _ask(self, verb: str, path: str, **request: Any) -> Object:
        answer = await self._send(verb, path, **request)
        document = _decoded(answer.content)
        if document is None:
            raise _failure(verb, path, answer)
        return document

    async def _send(
        self,
        verb: str,
        path: str,
        *,
        body: Object | Sequence[Object] | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
    ) -> _Answer:
        if verb != _READ and not self._may_write():
            raise NotLeading(f"{verb} {path}: not sent: this operator has lost its lease")
        began = time.monotonic()
        status = 0
        try:
            async with self._connection.session.request(
                verb,
                self._connection.url(path),
                data=None if body is None else msgspec.json.encode(body),
                params=query,
                headers={**self._connection.headers(), "Content-Type": content_type, "Accept": accept},
            ) as response:
                status = response.status
                answer = _Answer(status, await response.read(), response.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ApiError(verb, path, 0, str(error) or type(error).__name__) from error
        finally:
            self._metrics.asked(verb, status, time.monotonic() - began)
        if status >= HTTPStatus.BAD_REQUEST:
            raise _failure(verb, path, answer)
        return answer


def _decoded(content: bytes) -> Object | None:
    """Return the object that an answer holds; a proxy's page of HTML holds none."""
    try:
        document = msgspec.json.decode(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _text(content: bytes) -> str:
    return " ".join(content[:_LONGEST_TEXT].decode(errors="replace").split()) or "an empty answer"


def _failure(verb: str, path: str, answer: _Answer) -> ApiError:
    """Return what a `Status` of the API server, or of a proxy before it, means."""
    document = _decoded(answer.content) or {"message": _text(answer.content)}
    kind = _BY_STATUS.get(answer.status, ApiError)
    if kind is Conflict and document.get("reason") == _ALREADY_EXISTS:
        kind = AlreadyExists
    causes = (document.get("details") or {}).get("causes") or ()
    return kind(
        verb,
        path,
        answer.status,
        str(document.get("message", "")),
        fields={str(cause["field"]): str(cause.get("message", "")) for cause in causes if "field" in cause},
        retry_after_seconds=float(answer.retry_after) if answer.retry_after.isdecimal() else 0.0,
    )


def refusal_of(
    verb: str, path: str, status: int, message: str, fields: Mapping[str, str] | None = None
) -> Refusal:
    """Return a request to the `path` of an object, or of a collection, as one that was refused."""
    root, *parts = path.strip("/").split("/")
    within = parts[1:] if root == "api" else parts[2:]  # behind the group and its version
    namespace = ""
    if len(within) > 2 and within[0] == "namespaces":  # noqa: PLR2004 - it, its name and a collection
        namespace, within = within[1], within[2:]
    resource, _, subresource = (*within, "", "", "")[:3]
    return Refusal(_VERBS[verb], resource, namespace, status, message, subresource, fields or {})


def path_of(body: Mapping[str, Any], plural: str) -> str:
    """Return the path of a namespaced object."""
    return f"{collection_of(body, plural)}/{body['metadata']['name']}"


def collection_of(body: Mapping[str, Any], plural: str) -> str:
    """Return the path of the collection that a namespaced object is in."""
    return collection(body["apiVersion"], plural, body["metadata"]["namespace"])


def collection(api_version: str, plural: str, namespace: str = "") -> str:
    """Return the path of a collection: of the objects in `namespace`, without one of those in all."""
    root = "/api" if "/" not in api_version else "/apis"
    within = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}/{api_version}{within}/{plural}"
