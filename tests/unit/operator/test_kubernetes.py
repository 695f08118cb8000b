import asyncio
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from llmopt_operator.adapters.connections import Connection
from llmopt_operator.adapters.kubernetes import (
    AlreadyExists,
    ApiError,
    Cluster,
    Conflict,
    Forbidden,
    Identity,
    NotFound,
    NotLeading,
)
from llmopt_operator.metrics import OperatorMetrics

_PATH = "/api/v1/namespaces/ns/configmaps"


@dataclass
class Answer:
    """What a server says to any request."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    async def read(self) -> bytes:
        return self.body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


@dataclass
class Session:
    """Stands for the HTTP client."""

    answer: Answer
    asked: list[str] = field(default_factory=list)

    def request(self, verb: str, url: str, **_: Any) -> Answer:
        self.asked.append(f"{verb} {url}")
        return self.answer


class Info:
    server = "https://server"

    def as_http_headers(self) -> dict[str, str]:
        return {}


def _create(answer: Answer, **options: Any) -> Any:
    session = Session(answer)
    cluster = Cluster(Connection(session, Info()), OperatorMetrics(), **options)  # type: ignore[arg-type]
    return asyncio.run(cluster.create(_PATH, {}))


def _error(answer: Answer) -> ApiError:
    with pytest.raises(ApiError) as caught:
        _create(answer)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (403, b'{"message": "may not"}', Forbidden, False),
        (404, b'{"message": "no namespace"}', NotFound, False),
        (409, b'{"message": "there", "reason": "AlreadyExists"}', AlreadyExists, False),
        (409, b'{"message": "modified", "reason": "Conflict"}', Conflict, True),
        (422, b'{"message": "invalid"}', ApiError, False),
        (429, b'{"message": "later"}', ApiError, True),
        (500, b'{"message": "etcd"}', ApiError, True),
        (502, b"<html>Bad Gateway</html>", ApiError, True),
        (520, b"", ApiError, True),
        (503, b"[1]", ApiError, True),
    ],
)
def test_what_was_refused_says_whether_a_retry_helps(status, body, kind, retryable):
    """Each status has its error, whatever a proxy wrote into the body and whatever its number."""
    error = _error(Answer(status, body))
    assert type(error) is kind
    assert (error.status, error.retryable) == (status, retryable)


def test_a_proxys_page_is_quoted():
    """What is no JSON is quoted in one line."""
    assert "Bad Gateway" in str(_error(Answer(502, b"<html>\n\nBad Gateway</html>")))


def test_a_success_without_an_object_is_an_error():
    """An answer that is cut or not JSON is never taken for an object."""
    assert _error(Answer(200, b'{"metadata": {"na')).status == 200


def test_the_named_fields_are_kept():
    """A rejection says which fields of the object are at fault, and how."""
    causes = b'[{"field": "spec.a", "message": "required"}, {"reason": "b"}]'
    body = b'{"message": "m", "details": {"causes": %s}}' % causes
    assert _error(Answer(422, body)).fields == {"spec.a": "required"}


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", 0.0), (None, 0.0)])
def test_how_long_to_wait_is_taken_from_the_answer(header, seconds):
    """Retry-After is passed on where it is a number of seconds."""
    headers = {} if header is None else {"Retry-After": header}
    assert _error(Answer(429, b"{}", headers)).retry_after_seconds == seconds


def _identities(answer: Answer) -> tuple[Identity, ...]:
    cluster = Cluster(Connection(Session(answer), Info()), OperatorMetrics())  # type: ignore[arg-type]
    return asyncio.run(cluster.identities(_PATH))


def test_of_a_list_only_identities_are_kept():
    """Whatever else objects have is passed over; what the cluster itself is in has no namespace."""
    first = b'{"metadata": {"name": "a", "namespace": "ns", "uid": "1", "resourceVersion": "7", "x": []}}'
    second = b'{"metadata": {"name": "ns", "uid": "2", "resourceVersion": "8"}, "spec": {}}'
    found = _identities(Answer(200, b'{"kind": "List", "items": [%s, %s]}' % (first, second)))
    assert found == (Identity("a", "1", "7", "ns"), Identity("ns", "2", "8"))


@pytest.mark.parametrize("items", [b"[]", b"null"])
def test_a_list_may_be_empty(items):
    """A server that writes null for an empty list is understood."""
    assert _identities(Answer(200, b'{"items": %s}' % items)) == ()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b'{"message": "may not"}', Forbidden),
        (403, b'{"items": []}', Forbidden),
        (200, b'{"items": [{"metadata": {"name": "a"}}]}', ApiError),
        (200, b"<html></html>", ApiError),
        (200, b"{}", ApiError),
    ],
)
def test_what_is_no_list_is_an_error(status, body, kind):
    """A refusal, a proxy's page and objects without an identity are never taken for an empty list."""
    with pytest.raises(ApiError) as caught:
        _identities(Answer(status, body))
    assert type(caught.value) is kind


def test_who_lost_the_lead_writes_nothing():
    """Without the lead a write is not even sent; reading stays possible."""
    session = Session(Answer(200, b"{}"))
    cluster = Cluster(Connection(session, Info()), OperatorMetrics(), lambda: False)  # type: ignore[arg-type]
    for write in (
        cluster.create(_PATH, {}),
        cluster.replace(_PATH, {}),
        cluster.patch(_PATH, {}),
        cluster.delete(_PATH),
    ):
        with pytest.raises(NotLeading):
            asyncio.run(write)
    assert session.asked == []
    asyncio.run(cluster.get(_PATH))
    assert len(session.asked) == 1
