"""An endpoint that runs already."""

import dataclasses
import socket

import pytest
from fakes.fake_engine import FakeEngine
from fakes.listing_server import ListingServer, listed
from fakes.raw_server import RawServer, answer

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.failures import AccessDenied, EndpointAmbiguous, EndpointUnreachable
from llmopt_runner.engines.openai.engine import OpenAI
from llmopt_runner.engines.probing import NotReady, Probe, TooLate
from llmopt_runner.engines.server import EngineServer


@pytest.fixture
def settings(tmp_path):
    return LaunchSettings(None, "ignored", tmp_path, tmp_path / "log", endpoint_url="http://127.0.0.1:9/v1/")


@pytest.fixture
def running(tmp_path):
    """Start the fake as another's server, with the orders given."""
    servers = []

    def start(orders=""):
        fake = LaunchSettings(None, "served", tmp_path, tmp_path / "fake.log", parameters={"orders": orders})
        server = EngineServer(FakeEngine(), fake, grace_seconds=0.3)
        servers.append(server)
        server.start(30)
        return server

    yield start
    for server in servers:
        server.stop()


def _endpoint(settings, url, **changes):
    return EngineServer(OpenAI(), dataclasses.replace(settings, endpoint_url=url, **changes))


def test_the_model_is_the_servers_own_unless_named(settings, running):
    """Without a name in the manifest, the model is what the server says it has."""
    url = running().base_url
    with _endpoint(settings, url) as endpoint:
        assert endpoint.start(30) < 30
        assert endpoint.model == "served"
        assert endpoint.alive()
        assert endpoint.pids() == ()
        assert not endpoint.stop()


def _served(settings, *ids, **changes):
    models = {"data": [{"id": name} for name in ids]}
    return OpenAI().served_name(models, dataclasses.replace(settings, **changes))


@pytest.mark.parametrize(
    ("model_id", "served", "expected"),
    [
        ("org/name", ("first", "org/name"), "org/name"),
        ("org/name", ("name", "org/name", "/models/name"), "org/name"),
        ("org/name", ("first", "Name"), "Name"),
        ("org/name", ("other/name", "/models/name"), "/models/name"),
        ("small.Q4_1", ("first", "small.Q4_1.gguf"), "small.Q4_1.gguf"),
        ("org/name", ("anything",), "anything"),
    ],
)
def test_of_several_models_the_one_of_the_source_is_used(settings, model_id, served, expected):
    """Where the server has several models and the manifest names none for it, its source decides."""
    assert _served(settings, *served, model_id=model_id) == expected


@pytest.mark.parametrize("served", [("first", "second"), ("other/name", "first"), ("name", "/models/name")])
def test_several_models_without_the_one_of_the_source_are_listed(settings, served):
    """Nothing is measured under another model's name: what is served is listed, and the field named."""
    with pytest.raises(EndpointAmbiguous, match=", ".join(served)) as caught:
        _served(settings, *served, model_id="org/name")
    failure = caught.value.failure
    assert failure.error_class is ErrorClass.MODEL_NOT_FOUND
    assert "spec.engine.endpoint.model" in failure.suggestion


def test_the_only_model_under_another_name_is_doubted(settings, running):
    """A server's only model is used whatever it is called, and the measurement says what it is called."""
    url = running().base_url
    with _endpoint(settings, url, model_id="org/name") as endpoint:
        endpoint.start(30)
        assert endpoint.doubts() == ("the endpoint serves 'served', and spec.model.source names 'org/name'",)
    with _endpoint(settings, url, model_id="org/name", endpoint_model="served") as endpoint:
        endpoint.start(30)
        assert endpoint.doubts() == ()


def test_nothing_of_the_endpoint_is_stopped(settings, running):
    """The server is another's: it outlives the study."""
    server = running()
    with _endpoint(settings, server.base_url) as endpoint:
        endpoint.start(30)
    assert server.alive()


def test_a_model_that_the_endpoint_has_not_is_named(settings, running):
    """A wrong model name is found before the first trial."""
    with (
        _endpoint(settings, running().base_url, endpoint_model="other") as endpoint,
        pytest.raises(EndpointUnreachable, match="no model 'other'; it has served"),
    ):
        endpoint.start(3)


def _started(settings, server, path="", *, seconds=30, **changes):
    """Start an endpoint at `server`, and return what its requests call the model."""
    with _endpoint(settings, server.url + path, **changes) as endpoint:
        endpoint.start(seconds)
        return endpoint.model


@pytest.mark.parametrize(
    ("named", "ids", "asked"),
    [
        ("gemini-2.5-flash", ("models/gemini-2.5-pro", "models/gemini-2.5-flash"), "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", ("gemini-2.5-flash",), "gemini-2.5-flash"),
        ("llama3.2", ("llama3.2:1b", "llama3.2:latest"), "llama3.2:latest"),
        ("llama3.2:1b", ("llama3.2:1b", "llama3.2:latest"), "llama3.2:1b"),
    ],
)
def test_a_name_is_found_in_the_longer_form_of_the_listing(settings, named, ids, asked):
    """Gemini puts a folder before it, Ollama a tag after it: the model is asked for as it is listed."""
    with ListingServer(listed(*ids), models=ids) as server:
        assert _started(settings, server, endpoint_model=named) == asked
        assert server.chatted_with == [asked]


def test_another_tag_is_another_model(settings):
    """`llama3.2` stands for its latest, not for one of 1b."""
    assert _served(settings, "llama3.2:1b", "llama3.2:3b", endpoint_model="llama3.2") is None


@pytest.mark.parametrize("path", ["/v1", "/v1/chat/completions"])
def test_a_listing_may_be_a_bare_list(settings, path):
    """Together's listing is one."""
    with ListingServer([{"id": "org/a"}, {"id": "org/b"}], models=("org/b",)) as server:
        assert _started(settings, server, path, endpoint_model="org/b") == "org/b"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 405, 501])
@pytest.mark.parametrize("base", ["/api/paas/v4", "/inference", ""])
def test_a_server_without_a_listing_serves_what_it_answers_for(settings, base, status):
    """A named model needs no listing, wherever the API is: a completion shows that it is there."""
    page = b"<html>what has been listed is not to be read</html>"
    with ListingServer(page, models=("glm-5",), base=base, listing_status=status) as server:
        path = f"{base}/chat/completions"
        assert _started(settings, server, path, endpoint_model="glm-5") == "glm-5"
        assert [request[1] for request in server.asked] == [f"{base}/models", path, path]


def test_a_model_that_is_not_listed_is_served_where_only_it_is_answered_for(settings):
    """Routers take suffixes that they do not list: such a name is answered for, and no other is."""
    with ListingServer(listed("org/name"), models=("org/name", "org/name:fastest")) as server:
        assert _started(settings, server, endpoint_model="org/name:fastest") == "org/name:fastest"
        first, stranger, again = server.chatted_with
        assert first == again == "org/name:fastest"
        assert stranger not in {"org/name", "org/name:fastest"}


def _failure(settings, server, path="", **changes):
    with pytest.raises(EndpointUnreachable) as caught:
        _started(settings, server, path, **changes)
    return caught.value.failure


def test_a_server_that_answers_for_any_name_does_not_serve_one_that_it_does_not_list(settings):
    """Its answer says nothing of which model gave it."""
    with ListingServer(listed("served"), models=None) as server:
        failure = _failure(settings, server, endpoint_model="other")
    assert "no model 'other'; it has served, and it answers whatever model is asked for" in failure.message
    assert "spec.engine.endpoint.model" in failure.suggestion


def test_a_model_that_is_neither_listed_nor_answered_for_ends_at_once(settings):
    """What the listing has and what the server says of the name are both named; nothing is tried again."""
    with ListingServer(listed("a", "b"), models=("a", "b")) as server:
        failure = _failure(settings, server, endpoint_model="c")
        assert server.chatted_with == ["c"]
    assert "names no model 'c'; it has a, b, and /v1/chat/completions answered 404" in failure.message
    assert "The model c does not exist" in failure.message


def test_a_base_at_which_there_is_no_api_says_how_to_write_it(settings):
    """/v1 was appended, and there is nothing: the whole address may be written."""
    with ListingServer(None, models=("sonar",), base="") as server:
        failure = _failure(settings, server, endpoint_model="sonar")
        assert "/v1/chat/completions answered 404" in failure.message
        assert "write the whole address, …/chat/completions" in failure.suggestion
        assert _started(settings, server, "/chat/completions", endpoint_model="sonar") == "sonar"


def test_a_query_stays_with_every_request(settings):
    """Azure's deployments have the version of their API in it."""
    with ListingServer(None, models=None, base="/openai/deployments/d") as server:
        query = "?api-version=2024-10-21"
        assert _started(settings, server, f"/openai/deployments/d{query}", endpoint_model="d") == "d"
        assert all(request[1].endswith(query) for request in server.asked)


def test_a_key_that_may_not_list_may_be_refused_by_the_chat(settings):
    """Where the chat is denied as well, the key is the cause."""
    with RawServer(answer(b"{}", status=401)) as server, pytest.raises(AccessDenied):
        _started(settings, server, endpoint_model="a")


def test_without_a_name_a_listing_is_needed(settings):
    """Nothing says which model to ask for: the reason is the server's answer, and the field is named."""
    with ListingServer(None, models=None) as server:
        failure = _failure(settings, server, seconds=0.2)
        assert server.chatted_with == []
    assert "as a server of a model within" in failure.message
    assert "/v1/models answered 404" in failure.message
    assert "name the model" in failure.suggestion


def test_the_reason_is_not_that_the_last_try_was_cut_short(settings, monkeypatch):
    """What an earlier try met is reported where the last one had no time to meet anything."""
    reasons = iter([NotReady("/v1/models answered 503: loading", 503)])

    def models(probe, seconds):
        raise next(reasons, TooLate(f"{probe.base_url}: no whole answer within {seconds:g} s"))

    monkeypatch.setattr(Probe, "models", models)
    with (
        _endpoint(settings, "http://127.0.0.1:9") as endpoint,
        pytest.raises(EndpointUnreachable, match="answered 503: loading") as caught,
    ):
        endpoint.start(0.2)
    assert "no whole answer" not in str(caught.value)


@pytest.mark.parametrize("named", [None, "a"])
def test_neither_password_nor_query_of_the_url_is_shown(settings, named):
    """They may be secrets: a message names the address without them."""
    with ListingServer(None, models=()) as server:
        url = server.url.replace("//", "//user:hidden-1@") + "/v1?key=hidden-2"
        with (
            _endpoint(settings, url, endpoint_model=named) as endpoint,
            pytest.raises(EndpointUnreachable) as caught,
        ):
            endpoint.start(0.2)
    assert "hidden" not in str(caught.value)


def test_its_metrics_are_not_asked_for(settings):
    """The server is another's, and nothing of its metrics is read."""
    with ListingServer(listed("a"), models=("a",)) as server, _endpoint(settings, server.url) as endpoint:
        endpoint.start(30)
        asked = len(server.asked)
        assert endpoint.facts() == {}
        assert len(server.asked) == asked


def test_an_endpoint_that_is_not_there_is_named(settings):
    """A connection that is refused ends soon, with the URL and the field to correct."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with _endpoint(settings, url) as endpoint, pytest.raises(EndpointUnreachable, match=url) as caught:
        endpoint.start(1)
    failure = caught.value.failure
    assert failure.error_class is ErrorClass.ENDPOINT_UNREACHABLE
    assert "spec.engine.endpoint.url" in failure.suggestion


@pytest.mark.parametrize("listing", [listed("a"), None], ids=["listed", "no listing"])
def test_an_endpoint_that_loads_its_model_for_the_first_request_has_time_for_it(settings, listing):
    """It is there, and its first answer comes later than one that is not there may."""
    with (
        ListingServer(listing, models=("a",), slow=1.0) as slow,
        _endpoint(settings, slow.url, endpoint_model="a") as endpoint,
    ):
        assert endpoint.start(0.3, answer_seconds=30.0) >= 1.0


def test_an_endpoint_without_a_url_is_an_error(settings):
    """The manifest's field is named."""
    with (
        _endpoint(settings, None) as endpoint,
        pytest.raises(EndpointUnreachable, match=r"spec\.engine\.endpoint"),
    ):
        endpoint.start(30)


def test_a_key_goes_with_each_request_and_is_never_shown(settings):
    """The key is in no representation of what holds it."""
    settings = dataclasses.replace(settings, api_key="very-secret")
    server = EngineServer(OpenAI(), settings)
    assert server.api_key == "very-secret"
    assert "very-secret" not in repr(settings)
    with RawServer(answer(b'{"data": []}')) as endpoint:
        elsewhere = dataclasses.replace(settings, endpoint_url=endpoint.url)
        EngineServer(OpenAI(), elsewhere)._probe().models(10)
        assert "Authorization: Bearer very-secret\r\n" in endpoint.requests[0]
    assert "very-secret" not in repr(server._probe())


def test_a_refused_key_is_access_denied(settings):
    """401 names the key's field at once."""
    assert "apiKeySecretRef" in AccessDenied("no").failure.suggestion


def test_serve_arguments_say_what_to_send(settings):
    """There is nothing to start: the winner is request fields."""
    text = OpenAI().serve_arguments(Configuration(sampling={"temperature": 0.5}), settings)
    assert text == "# send with each request to http://127.0.0.1:9/v1/chat/completions: temperature=0.5"
