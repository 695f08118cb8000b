"""A fake OpenAI-compatible server in its own process, which writes down when it really sent each token.

It stands for an engine where none is needed: its latencies are known, its faults come on order. `/truth`
says what it did, in the monotonic clock that all processes of a host share. Like llama.cpp it closes every
connection after the answer without saying so beforehand. `select()` drives it (at most 1000 connections),
because epoll's timers in asyncio have a resolution of a millisecond, these of a microsecond.
"""

import argparse
import asyncio
import gc
import http.client
import json
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fakes.scripted_answers import FakeOptions, Memory, Piece, Script, write_script

__all__ = ["FakeOptions", "FakeServer"]

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event(document: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def _whole(status: int, content: bytes, content_type: str = "application/json") -> bytes:
    head = (
        f"HTTP/1.1 {status} Status\r\nContent-Type: {content_type}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


@dataclass
class Truth:
    """What really happened to one request; times by the monotonic clock."""

    number: int
    question: str
    received_at: float
    fault: str | None
    fields: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)
    planned: list[float] = field(default_factory=list)
    token_times: list[float] = field(default_factory=list)
    output_tokens: int = 0
    ended_at: float | None = None


class Desk:
    """What all connections share: the options, the slots and the truth."""

    def __init__(self, options: FakeOptions) -> None:
        self.options = options
        self.truths: list[Truth] = []
        self.memory = Memory(options.keeps)
        self._running = 0
        self._waiting: deque[Callable[[float], None]] = deque()

    def enter(self, begin: Callable[[float], None], received_at: float) -> None:
        """Call `begin` with the time from which its answer counts: at once, or when a slot is free."""
        if self.options.slots and self._running >= self.options.slots:
            self._waiting.append(begin)
            return
        self._running += 1
        begin(received_at)

    def leave(self) -> None:
        self._running -= 1
        if self._waiting:
            self.enter(self._waiting.popleft(), time.monotonic())

    def metrics(self) -> str:
        tokens = sum(truth.output_tokens for truth in self.truths)
        return (
            f"fake:requests_total {len(self.truths)}\nfake:tokens_total {tokens}\n"
            f"fake:requests_running {self._running}\nfake:requests_waiting {len(self._waiting)}\n"
        )


class Connection(asyncio.Protocol):
    """One connection: one request, one answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._received = b""
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self._stream is not None:
            self._stream.end()

    def data_received(self, data: bytes) -> None:
        received_at = time.monotonic()
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _content_length(head):
            return
        method, path, _ = head.decode("latin-1").split("\r\n", 1)[0].split(" ")
        if method == "POST" and path == "/v1/chat/completions":
            # Later, so that of requests that come at once each has its own arrival time.
            asyncio.get_running_loop().call_soon(self._chat, body, received_at)
        else:
            self._transport.write(self._page(path))
            self._transport.close()

    def _page(self, path: str) -> bytes:
        desk = self._desk
        pages: dict[str, Callable[[], Any]] = {
            "/health": lambda: {"status": "ok"},
            "/v1/models": lambda: {"object": "list", "data": [{"id": desk.options.model, "object": "model"}]},
            "/truth": lambda: [asdict(truth) for truth in desk.truths],
        }
        if path == "/metrics":
            return _whole(200, desk.metrics().encode(), "text/plain")
        if path in pages:
            return _whole(200, json.dumps(pages[path]()).encode())
        return _whole(404, b'{"error": {"message": "no such page"}}')

    def _chat(self, body: bytes, received_at: float) -> None:
        try:
            document = json.loads(body)
            options = self._desk.memory.hurry(self._desk.options, document)
            script = write_script(options, len(self._desk.truths) + 1, document)
        except (ValueError, LookupError, TypeError) as error:
            message = {"error": {"message": f"bad request: {error!r}"}}
            self._transport.write(_whole(400, json.dumps(message).encode()))
            self._transport.close()
            return
        sampling = {name: value for name, value in document.items() if name != "messages"}
        truth = Truth(
            script.number, script.question, received_at, script.fault, sampling, document["messages"]
        )
        self._desk.truths.append(truth)
        self._stream = Stream(
            self._desk, self._transport, script, truth, streams=bool(document.get("stream"))
        )
        self._desk.enter(self._stream.begin, received_at)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


class Stream:
    """One answer on its way out, piece by piece, each at its time."""

    def __init__(self, desk: Desk, transport: Any, script: Script, truth: Truth, *, streams: bool) -> None:
        self._desk = desk
        self._transport = transport
        self._script = script
        self._truth = truth
        self._streams = streams
        self._loop = asyncio.get_running_loop()
        self._begun = self._ended = False
        pieces = script.pieces
        self._left = deque(pieces[: len(pieces) // 2] if script.fault else pieces)

    def begin(self, started_at: float) -> None:
        if self._ended:  # the client gave up while it waited for the slot
            self._desk.leave()
            return
        self._begun = True
        fault = self._script.fault or ""
        if fault.startswith("status="):
            message = {"error": {"message": "injected failure", "code": int(fault[7:])}}
            self._close(_whole(int(fault[7:]), json.dumps(message).encode()))
        elif fault == "hang":
            self._transport.write(_STREAM_HEAD)
        else:
            self._schedule(started_at)

    def _schedule(self, started_at: float) -> None:
        self._truth.planned = [started_at + piece.at for piece in self._script.pieces]
        if self._whole_answer:
            last = self._truth.planned[-1:] or [started_at]
            self._loop.call_at(last[0], self._write_whole)
            return
        first = (
            _chunk(self._delta({"role": "assistant", "content": ""}))
            if self._desk.options.role_chunk
            else b""
        )
        self._transport.write(_STREAM_HEAD + first)
        self._due = deque(self._truth.planned)
        self._next()

    @property
    def _whole_answer(self) -> bool:
        return not self._streams or self._script.fault == "json"

    def _next(self) -> None:
        if self._left:
            piece = self._left.popleft()
            self._loop.call_at(self._due.popleft(), self._write_piece, piece, _chunk(self._text(piece)))
        elif self._desk.options.usage_delay_ms:
            self._loop.call_later(self._desk.options.usage_delay_ms / 1000, self._finish)
        else:
            self._finish()

    def _write_piece(self, piece: Piece, data: bytes) -> None:
        if self._ended:
            return
        self._truth.token_times.append(time.monotonic())
        self._transport.write(data)
        self._truth.output_tokens += piece.tokens
        self._next()

    def _finish(self) -> None:
        if self._script.fault == "drop":
            self._close(b"")
            return
        self._truth.ended_at = time.monotonic()
        self._close(b"".join(_chunk(event) for event in self._last_events()) + b"0\r\n\r\n")

    def _last_events(self) -> list[bytes]:
        match self._script.fault:
            case "truncate":
                return []
            case "sse_error":
                return [_event({"error": {"message": "injected failure", "code": 500}}), b"data: [DONE]\n\n"]
            case "garbage":
                return [b"<html>Bad Gateway</html>\n\n"]
        end = self._document([{"index": 0, "delta": {}, "finish_reason": self._script.finish_reason}])
        usage = [self._document([], usage=self._usage())] if self._desk.options.usage else []
        return [_event(document) for document in (end, *usage)] + [b"data: [DONE]\n\n"]

    def _write_whole(self) -> None:
        message = {"role": "assistant", "content": self._script.text}
        choice = {"index": 0, "message": message, "finish_reason": self._script.finish_reason}
        self._truth.output_tokens = self._script.output_tokens
        self._truth.ended_at = time.monotonic()
        self._close(_whole(200, json.dumps(self._document([choice], usage=self._usage())).encode()))

    def _usage(self) -> dict[str, Any]:
        prompt, answer = self._script.prompt_tokens, self._script.output_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": answer,
            "total_tokens": prompt + answer,
            "prompt_tokens_details": {"cached_tokens": min(prompt, self._desk.options.cached_tokens)},
        }

    def _document(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        kind = "chat.completion.chunk" if not self._whole_answer else "chat.completion"
        name = {"id": f"chatcmpl-{self._script.number}", "object": kind, "model": self._desk.options.model}
        return {**name, "choices": choices, **more}

    def _delta(self, delta: dict[str, str]) -> bytes:
        return _event(self._document([{"index": 0, "delta": delta, "finish_reason": None}]))

    def _text(self, piece: Piece) -> bytes:
        return self._delta({"reasoning_content" if piece.reasoning else "content": piece.text})

    def _close(self, last: bytes) -> None:
        self._transport.write(last)
        self._transport.close()
        self.end()

    def end(self) -> None:
        if self._begun and not self._ended:
            self._desk.leave()
        self._ended = True


class FakeServer:
    """The fake in a child process, as a context manager; it ends with this process at the latest.

    `port` is where it listens; 0: at any that is free.
    """

    def __init__(self, options: FakeOptions | None = None, *, port: int = 0) -> None:
        self._options = options or FakeOptions()
        self.port = port

    def __enter__(self) -> Self:
        settings = json.dumps(asdict(self._options))
        command = [sys.executable, "-m", "fakes.openai_server", "--options", settings, "--end-with-stdin"]
        command += ["--port", str(self.port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1], text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline().rsplit(":", 1)[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def truth(self) -> list[Truth]:
        """Return what happened to each request, in the order in which they came."""
        return [Truth(**document) for document in json.loads(self.page("/truth"))]

    def page(self, path: str) -> str:
        """Return what a GET of `path` says."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read().decode()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--end-with-stdin", action="store_true")
    parser.add_argument("--options", type=json.loads, default={}, help="JSON object of the options' fields")
    for option in fields(FakeOptions):
        kind = option.type if option.type in (int, float, str) else json.loads
        parser.add_argument(f"--{option.name.replace('_', '-')}", type=kind, dest=f"option_{option.name}")
    return parser.parse_args()


async def _serve(port: int, options: FakeOptions, *, end_with_stdin: bool) -> None:
    desk, loop = Desk(options), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(desk), "127.0.0.1", port, backlog=512)
    sys.stdout.write(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    gc.disable()
    ended = asyncio.Event()
    if end_with_stdin:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


def main() -> None:
    given = _arguments()
    named = {
        name.removeprefix("option_"): value
        for name, value in vars(given).items()
        if name.startswith("option_") and value is not None
    }
    options = FakeOptions(**{**given.options, **named})
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(_serve(given.port, options, end_with_stdin=given.end_with_stdin))


if __name__ == "__main__":
    main()
