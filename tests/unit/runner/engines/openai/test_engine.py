"""An endpoint that runs already."""

import dataclasses
import socket

import pytest
from fakes.fake_engine import FakeEngine
from fakes.raw_server import RawServer, answer

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.failures import AccessDenied, EndpointAmbiguous, EndpointUnreachable
from llmopt_runner.engines.openai.engine import OpenAI
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


@pytest.mark.parametrize("url", ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"])
def test_the_url_is_taken_with_and_without_its_version(settings, url):
    """People write the endpoint both ways."""
    assert OpenAI().base_url(dataclasses.replace(settings, endpoint_url=url)) == "http://h:1"


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
    assert text == "# send with each request to http://127.0.0.1:9: temperature=0.5"
