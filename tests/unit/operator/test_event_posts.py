import asyncio
from dataclasses import dataclass, field
from typing import Any

from llmopt_operator.adapters.kubernetes import AlreadyExists, ApiError, Forbidden
from llmopt_operator.domain.actions import Event
from llmopt_operator.reconciling.event_posts import EventPosts

_DOCUMENT = {
    "apiVersion": "llmopt.dev/v1alpha1",
    "kind": "LLMOptimization",
    "metadata": {"name": "demo", "namespace": "ns", "uid": "u", "generation": 1},
}


@dataclass
class EventServer:
    """The API server as far as it takes events; `error` comes instead."""

    error: type[ApiError] | None = None
    events: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def create(self, collection: str, body: dict[str, Any]) -> dict[str, Any]:
        if self.error is not None:
            raise self.error("POST", collection, 403, "no")
        name = body["metadata"]["name"]
        if name in self.events:
            raise AlreadyExists("POST", collection, 409, "there")
        self.events[name] = body
        return body

    @property
    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.events.values()]


def _post(posts: EventPosts, *events: Event) -> ApiError | None:
    return asyncio.run(posts.post(_DOCUMENT, events))


def test_what_could_not_be_posted_is_posted_before_what_is_newer():
    """No event is lost while events are refused, and their order stays."""
    server = EventServer(Forbidden)
    posts = EventPosts(server)  # type: ignore[arg-type]
    first, second = Event("First", "a"), Event("Second", "b")
    assert isinstance(_post(posts, first), Forbidden)
    assert isinstance(_post(posts, second), Forbidden)
    server.error = None
    assert _post(posts, Event("Third", "c")) is None
    assert server.reasons == ["First", "Second", "Third"]


def test_what_was_posted_before_is_no_failure():
    """The same event of the same generation is one event, also after a restart."""
    server = EventServer()
    for _ in range(2):
        assert _post(EventPosts(server), Event("Once", "a")) is None  # type: ignore[arg-type]
    assert server.reasons == ["Once"]


def test_of_what_is_gone_nothing_waits():
    """A resource that was deleted leaves no events behind."""
    server = EventServer(Forbidden)
    posts = EventPosts(server)  # type: ignore[arg-type]
    _post(posts, Event("Late", "a"))
    posts.forget("u")
    server.error = None
    assert _post(posts) is None
    assert server.reasons == []
