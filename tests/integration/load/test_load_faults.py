"""What goes wrong with a request is its record's error, never an exception and never a good time."""

import asyncio
import socket
from pathlib import Path

import pytest
from fakes.openai_server import FakeOptions, FakeServer
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun
from llmopt_runner.load.shapes import ClosedLoop
from llmopt_runner.load.summary import RequestsFailed, load_warnings, summarise
from llmopt_runner.trial.validity import check_validity

STREAMS = Path(__file__).parents[2] / "data" / "streams"


def questions(number, max_tokens):
    messages = [(str(i), ({"role": "user", "content": str(i)},)) for i in range(1, number + 1)]
    return [ChatRequest(item, message, max_tokens) for item, message in messages]


async def run(base_url, number=1, limit=10.0, max_tokens=16):
    endpoint, asked = Endpoint(base_url, "m"), questions(number, max_tokens)
    return await run_load(endpoint, asked, ClosedLoop(1), request_timeout_seconds=limit)


@pytest.mark.parametrize(
    ("fault", "status", "error", "chunks"),
    [
        ("status=500", 500, "HTTP 500: injected failure", 0),
        ("status=429", 429, "HTTP 429: injected failure", 0),
        ("drop", 200, "the stream ended without finish_reason or [DONE] after 4 chunks with text", 4),
        ("truncate", 200, "the stream ended without finish_reason or [DONE] after 4 chunks with text", 4),
        ("sse_error", 200, "the server reported in the stream: injected failure", 4),
        ("garbage", 200, "expected a line such as 'data: …' in the event stream, got b'<html>Bad", 4),
        ("json", 200, "expected an event stream, got application/json: ", 0),
        ("hang", 200, "the answer had not ended after 0.4 s", 0),
    ],
)
def test_a_fault_is_the_error_of_its_own_request(fault, status, error, chunks):
    """The second of three requests fails with a clear text; those beside it are good."""
    with FakeServer(FakeOptions(ttft_ms=5, gap_ms=1, tokens=8, faults={"2": fault})) as server:
        records = asyncio.run(run(server.base_url, 3, limit=0.4 if fault == "hang" else 10)).records
    assert [record.error is None for record in records] == [True, False, True]
    assert records[1].error.startswith(error)
    assert (records[1].status, len(records[1].chunk_times)) == (status, chunks)


def test_a_run_with_a_failed_request_is_no_result():
    """summarise refuses the run, with the count and the message."""
    with FakeServer(FakeOptions(ttft_ms=2, gap_ms=1, tokens=2, faults={"2": "status=500"})) as server:
        done = asyncio.run(run(server.base_url, 4))
    with pytest.raises(RequestsFailed, match=r"1 of 4 requests failed; .*HTTP 500: injected failure"):
        summarise(done)


def test_a_run_in_which_all_fail_ends_and_is_no_result():
    """Nothing is reported over a run whose every request failed."""
    with FakeServer(FakeOptions(faults={"*": "status=503"})) as server:
        done = asyncio.run(run(server.base_url, 5))
    with pytest.raises(RequestsFailed, match="5 of 5"):
        summarise(done, max_error_ratio=1.0)


def test_a_refused_connection_names_the_address():
    """Nothing listens: the error says where, and the run ends all the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        (record,) = asyncio.run(run(f"http://127.0.0.1:{port}")).records
    assert record.error == f"cannot connect to 127.0.0.1:{port}: Connection refused"
    assert record.status is None


def test_a_name_that_does_not_resolve_is_an_error_too():
    """A wrong host gives the same error as a wrong port (`.invalid` never resolves, RFC 2606)."""
    (record,) = asyncio.run(run("http://nowhere.invalid:80")).records
    assert record.error.startswith("cannot connect to nowhere.invalid:80: ")
    assert "Errno" not in record.error


async def _against(answer, max_tokens=16):
    """Run one request against a server that sends `answer` to it and closes."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        return (await run(f"http://127.0.0.1:{port}", max_tokens=max_tokens)).records[0]


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
CHUNKED = HEAD[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b'data: {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}\n\n'


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "the server closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n", "the answer is not HTTP: "),
        (HEAD, "the stream ended without finish_reason or [DONE] after 0 chunks"),
        (HEAD + b"data: {oops\n\n", "an event's data is not JSON: '{oops'"),
        (
            HEAD + b'event: error\ndata: [{"error": ' + b"[" * 900 + b"]" * 900 + b"}]\n\n",
            "the server reported in the stream: [[[[",
        ),
        (HEAD[:-2] + b"Content-Length: 9\r\n\r\n" + CHUNK, "the stream ended without finish_reason"),
        (CHUNKED + b"zz\r\n" + CHUNK, "the answer is not HTTP: Invalid character in chunk size"),
        (CHUNKED + b"9\r\n" + CHUNK[:9], "the stream ended without finish_reason or [DONE] after 0 chunks"),
        (b"HTTP/1.1 404 Not Found\r\n\r\nno such page", "HTTP 404: no such page"),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", "HTTP 429, and nothing said"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP 304, and nothing said"),
        (b'HTTP/1.1 400 Bad\r\n\r\n[{"error": {"message": "no such model"}}]', "HTTP 400: no such model"),
        (b"HTTP/1.1 200 OK\r\n\r\nhi", "expected an event stream, got no content type: hi"),
        (b"HTTP/1.1 307 Go\r\nLocation: http://u:p@h/x?k\r\n\r\n", "HTTP 307: http://127.0.0.1:"),
        (HEAD[:-2] + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", "the answer is compressed ('gzip')"),
    ],
)
def test_a_strange_server_is_distinguished(answer, error):
    """Each way of not answering has its own text."""
    assert asyncio.run(_against(answer)).error.startswith(error)


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("magistral", "The answer is 7.", None),
        ("think_in_content", "7", None),
        ("ollama_reasoning", "The answer is 7.", None),
        ("split_utf8", "정답은 「7」입니다 😀", None),
        ("tgi", "The answer is 7.", None),
        ("nousage_bundled", "가나다라 " * 4, None),
        ("ogx_error", "", "the server reported in the stream: model not found"),
        ("lmstudio_error", "", "the server reported in the stream: Compute error."),
        ("openrouter_error", "", "the server reported in the stream: Worker local total request limit"),
    ],
)
def test_streams_of_servers_in_the_field_are_records(name, text, error):
    """Each is a good record with its answer alone, or a failed one with the server's message."""
    record = asyncio.run(_against(HEAD + (STREAMS / f"{name}.sse").read_bytes(), max_tokens=1000))
    assert record.text == text
    assert (record.error or "").startswith(error or "")
    assert (record.error is None) == (error is None)
    assert record.impossible is None


def test_an_answer_cut_at_its_limit_that_nobody_counted_is_a_measurement():
    """Sixteen tokens in four chunks: it reached max_tokens, its counts are unknown, and both are said."""
    stream = (STREAMS / "nousage_bundled.sse").read_bytes()
    record = asyncio.run(_against(HEAD + stream, max_tokens=16))
    done = LoadRun((record,), record.sent_at, record.ended_at, 1, 1)
    found = check_validity(done, [ChatRequest("1", ({"role": "user", "content": "1"},), 16)], ClosedLoop(1))
    assert (found.invalid, found.context_cut) == ((), None)
    assert found.warnings == ("1 of 1 answers reached workload.maxTokens and were cut there",)
    assert "token counts and rates by token are unknown" in load_warnings(done)[0]
    assert "output_tokens_per_second" not in summarise(done)


def test_a_redirect_names_both_addresses_and_no_secret():
    """The key went to the address that it was given for, and to no other."""
    answer = b"HTTP/1.1 302 Go\r\nLocation: https://user:secret@other.example/x?key=secret\r\n\r\n"
    error = asyncio.run(_against(answer)).error
    assert "/v1/chat/completions redirects to https://other.example/x, which is not followed" in error
    assert "secret" not in error


@settings(max_examples=40)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"", HEAD, HEAD + CHUNK, HEAD + b"data: ", b"HTTP/1.1 500 No\r\n\r\n"]),
)
def test_any_bytes_are_a_record(garbage, before):
    """Whatever a server sends, the request has a record whose texts can be written."""
    record = asyncio.run(_against(before + garbage))
    f"{record.error} {record.text}".encode()


@pytest.mark.parametrize("kind", [b"", b"Content-Type: text/plain; charset=utf-8\r\n"])
def test_a_stream_without_its_type_is_known_by_its_beginning(kind):
    """A proxy that drops or replaces the type does not make the answer another one."""
    record = asyncio.run(_against(b"HTTP/1.1 200 OK\r\n" + kind + b"\r\n" + CHUNK))
    assert (record.error, record.text) == (None, "a")


@pytest.mark.parametrize("ending", [b"", b"data: [DONE]\n\n"])
def test_a_stream_may_end_with_its_connection(ending):
    """Neither a length nor chunked encoding is needed where the end of the connection ends the answer."""
    record = asyncio.run(_against(HEAD + CHUNK + ending))
    assert (record.error, record.text) == (None, "a")


def test_a_failed_request_ends_when_it_failed():
    """The end of a request that timed out is the time-out, not the last chunk before it."""
    with FakeServer(FakeOptions(faults={"1": "hang"})) as server:
        (record,) = asyncio.run(run(server.base_url, limit=0.2)).records
    assert 0.15 < record.ended_at - record.sent_at < 5
