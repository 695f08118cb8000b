"""Whole answers of servers that are wrong, slow, endless or hostile."""

import gzip
import itertools
import threading
import time

import pytest
from fakes.raw_server import RawServer, answer
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_runner.transport.client import HttpAnswer, HttpCancelled, HttpTimeout, ask_now
from llmopt_runner.transport.connections import HttpFailed

HEAD = b"HTTP/1.1 200 OK\r\n"


def asked(server, **more):
    return ask_now(f"{server.url}/page", timeout_seconds=10, **more)


def test_a_whole_answer_comes_with_its_status():
    """Status and body are the server's, also where the status is an error."""
    with RawServer(answer(b'{"a": 1}', status=404)) as server:
        assert asked(server) == HttpAnswer(404, b'{"a": 1}')
        assert server.requests[0].startswith("GET /page HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_error_that_names_both_addresses(status):
    """A key never goes to another address than the one it was given for."""
    with RawServer(answer(b"{}")) as other:
        target = f"Location: http://user:secret@127.0.0.1:{other.port}/page?token=secret"
        with (
            RawServer(answer(b"", status=status, headers=[target])) as server,
            pytest.raises(HttpFailed) as caught,
        ):
            asked(server, api_key="key-1")
        assert other.requests == []
    assert f"{server.url}/page redirects to {other.url}/page, which is not followed" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "key-1" not in str(caught.value)


def test_a_deadline_is_for_the_whole_answer():
    """A server that sends a byte now and then is as late as one that sends nothing."""
    began = time.monotonic()
    with (
        RawServer(
            pieces=lambda: itertools.chain([HEAD], itertools.repeat(b"x")), pause_seconds=0.02
        ) as server,
        pytest.raises(HttpTimeout, match=r"no whole answer within 0\.3 s"),
    ):
        ask_now(server.url, timeout_seconds=0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_resolver_that_hangs_is_waited_for_no_longer(monkeypatch, cancelled):
    """Where no name server answers, the deadline and a request to stop hold all the same."""
    hangs = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: hangs.wait(30) and [])
    began = time.monotonic()
    with pytest.raises(HttpCancelled if cancelled else HttpTimeout):
        ask_now("http://nowhere.example", timeout_seconds=0.2, cancelled=lambda: cancelled)
    assert time.monotonic() - began < 10
    hangs.set()


def test_a_question_is_given_up_when_it_is_cancelled():
    """Who waits for a server that hangs can stop at once."""
    looks = iter([False, True])
    with (
        RawServer(HEAD, HEAD, pause_seconds=5) as server,
        pytest.raises(HttpCancelled, match="asked to stop"),
    ):
        asked(server, cancelled=lambda: next(looks))


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([HEAD, b"\r\n", *[b"x" * (1 << 20)] * 20], "longer than 8,388,608 bytes"),
        ([HEAD, *[b"X-Header: " + b"y" * 60_000 + b"\r\n"] * 20], "head of the answer is longer than 65,536"),
        ([HEAD, b"X-Header: ", *[b"y" * 60_000] * 20], "head of the answer is longer than 65,536"),
        (
            [HEAD, b"Transfer-Encoding: chunked\r\n\r\n", *[b"1;" + b"e" * 60_000 + b"\r\nx\r\n"] * 200],
            "longer than 8,388,608 bytes|not HTTP",
        ),
    ],
)
def test_an_endless_answer_is_cut_off(pieces, reason):
    """Neither body nor head nor what lies between fills the memory."""
    with RawServer(pieces=lambda: pieces) as server, pytest.raises(HttpFailed, match=reason):
        asked(server)


def test_a_compressed_answer_is_refused():
    """Nothing is decompressed: a few bytes may stand for gigabytes."""
    bomb = gzip.compress(b"x" * (1 << 20))
    with (
        RawServer(answer(bomb, headers=["Content-Encoding: gzip"])) as server,
        pytest.raises(HttpFailed, match=r"compressed \('gzip'\), though no compression was asked for"),
    ):
        asked(server)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
            "another protocol|without",
        ),
        (HEAD + b"Content-Length: x\r\n\r\n", "the answer is not HTTP"),
    ],
)
def test_what_is_no_answer_is_reported(sent, reason):
    """Each way of not answering has its own text."""
    with RawServer(sent) as server, pytest.raises(HttpFailed, match=reason):
        asked(server)


def test_an_informational_answer_comes_before_the_answer():
    """What a server says in between is not what was asked for."""
    with RawServer(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"a")) as server:
        assert asked(server) == HttpAnswer(200, b"a")


def test_garbage_behind_a_whole_answer_changes_nothing():
    """The length said where the answer ends."""
    with RawServer(answer(b"a") + b"\x00garbage") as server:
        assert asked(server).body == b"a"


@pytest.mark.parametrize(
    "url", ["http://nowhere.invalid", "http://a..b", "http://127.0.0.1:1", "http://[::1"]
)
def test_what_cannot_be_reached_is_an_error(url):
    """Names that do not resolve or are none, and ports where nobody listens."""
    with pytest.raises(HttpFailed):
        ask_now(url, timeout_seconds=10)


@pytest.mark.parametrize("host", ["localhost:80000", "host:80a"])
def test_a_port_that_there_is_none_of_is_an_error(host):
    """It is said of the address, as of one that cannot be reached."""
    with pytest.raises(HttpFailed, match=rf"cannot connect to http://{host}/v1: Port "):
        ask_now(f"http://{host}/v1", timeout_seconds=10)


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:169.254.169.254]", "2852039166"])
def test_in_a_cluster_the_metadata_service_is_not_asked(monkeypatch, host):
    """The address is refused before anything is sent."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(HttpFailed, match="an address of the node's own services"):
        ask_now(f"http://{host}/latest/meta-data", timeout_seconds=10)


def test_in_a_cluster_other_addresses_are_asked(monkeypatch):
    """What is allowed is reached by the address that was looked at."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with RawServer(answer(b"a")) as server:
        assert ask_now(f"http://localhost:{server.port}", timeout_seconds=10).body == b"a"


@settings(max_examples=30)
@given(
    st.binary(max_size=100), st.sampled_from([b"", HEAD, HEAD + b"\r\n", HEAD + b"Content-Length: 3\r\n\r\n"])
)
def test_any_bytes_are_an_answer_or_an_error(garbage, before):
    """Bytes of any kind give an answer or HttpFailed, never another exception."""
    with RawServer(before + garbage) as server:
        try:
            asked(server).text.encode()
        except HttpFailed as error:
            str(error).encode()
