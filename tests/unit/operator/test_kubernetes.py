import asyncio
import json
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
    """Stands for the HTTP client; `answers` are of other verbs than `answer`, `bodies` what was sent."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    bodies: list[Any] = field(default_factory=list)

    def request(self, verb: str, url: str, data: bytes | None = None, **_: Any) -> Answer:
        self.asked.append(f"{verb} {url}")
        self.bodies.append(data and json.loads(data))
        return self.answers.get(verb, self.answer)


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
        cluster.write_status(_PATH, "u", {}),
        cluster.delete(_PATH, uid="u"),
    ):
        with pytest.raises(NotLeading):
            asyncio.run(write)
    assert session.asked == []
    asyncio.run(cluster.get(_PATH))
    assert len(session.asked) == 1


_ANOTHER = Answer(200, b'{"metadata": {"uid": "another"}}')
_SAME = Answer(200, b'{"metadata": {"uid": "u"}}')
_NONE = Answer(404, b'{"message": "not found"}')


def _cluster(refusal: Answer, there: Answer) -> tuple[Cluster, Session]:
    session = Session(refusal, answers={"GET": there})
    return Cluster(Connection(session, Info()), OperatorMetrics()), session  # type: ignore[arg-type]


def test_a_status_is_written_to_the_object_that_it_is_of():
    """The API server is told whose status it is: one of another object of this name is not changed."""
    cluster, session = _cluster(Answer(200, b"{}"), _SAME)
    asyncio.run(cluster.write_status(_PATH, "u", {"phase": "Running"}))
    assert session.asked == [f"PATCH https://server{_PATH}/status"]
    assert session.bodies == [
        [
            {"op": "test", "path": "/metadata/uid", "value": "u"},
            {"op": "add", "path": "/status", "value": {"phase": "Running"}},
        ]
    ]


@pytest.mark.parametrize(
    ("there", "kind"),
    [(_ANOTHER, NotFound), (_NONE, NotFound), (_SAME, ApiError)],
    ids=["another one", "none", "it is invalid"],
)
def test_the_status_of_an_object_that_is_gone_is_not_found(there, kind):
    """Another identity and a status that is not valid have one number; a look tells them apart."""
    cluster, _ = _cluster(Answer(422, b'{"message": "testing value /metadata/uid failed"}'), there)
    with pytest.raises(ApiError) as caught:
        asyncio.run(cluster.write_status(_PATH, "u", {}))
    assert type(caught.value) is kind


@pytest.mark.parametrize("there", [_ANOTHER, _NONE], ids=["another one", "none"])
def test_only_the_object_itself_is_deleted(there):
    """A deletion names the identity; where another object has the name by now, nothing is left to do."""
    cluster, session = _cluster(Answer(409, b'{"message": "the UID in the precondition"}'), there)
    asyncio.run(cluster.delete(_PATH, uid="u"))
    assert session.bodies[0]["preconditions"] == {"uid": "u"}


def test_a_deletion_that_meets_another_write_is_an_error():
    """A conflict over the object itself is tried again."""
    cluster, _ = _cluster(Answer(409, b'{"message": "modified"}'), _SAME)
    with pytest.raises(Conflict):
        asyncio.run(cluster.delete(_PATH, uid="u"))
