"""One request over one fresh connection, each of whose bytes is stamped as it arrives.

A protocol of asyncio on a C parser rather than an HTTP client: opening a request costs a general client about
half a millisecond, so that sixty of them opened at once make first tokens of others seem tens of milliseconds
late; and what has arrived is stamped here before anything is parsed. Fresh connections, because llama.cpp
closes a kept-alive one after a streamed answer.
"""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httptools

from llmopt_runner.load.answers import StreamedAnswer, error_message
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.sse import MalformedStream

_OK = 200
_SHOWN = 500  # characters of an unexpected body


class ExchangeFailed(Exception):
    """The request did not get a whole answer."""


class Exchange(asyncio.Protocol):
    """The client's side of one connection; `finished` is done when the answer has ended."""

    def __init__(self) -> None:
        self.answer = StreamedAnswer()
        self.sent_at = time.monotonic()
        self.status: int | None = None
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._arrived: list[tuple[float, bytes]] = []
        self._last_at = self.sent_at
        self._bodies: list[bytes] = []
        self._refusal = b""
        self._content_type = ""

    async def run(self, endpoint: Endpoint, message: bytes) -> None:
        """Send `message` and wait for the end of the answer; raises ExchangeFailed and MalformedStream."""
        transport = await self._connect(endpoint)
        try:
            self.sent_at = time.monotonic()
            transport.write(message)
            await self.finished
        finally:
            transport.abort()
        if problem := self._refused() or self.answer.fault:
            raise ExchangeFailed(problem)

    async def _connect(self, endpoint: Endpoint) -> asyncio.Transport:
        url = urlsplit(endpoint.chat_url)
        host, tls = url.hostname or "", True if url.scheme == "https" else None
        port = url.port or (443 if tls else 80)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: self, host, port, ssl=tls
            )
        except OSError as error:
            raise ExchangeFailed(f"cannot connect to {host}:{port}: {error}") from error
        return transport

    def data_received(self, data: bytes) -> None:
        """Stamp what came; parse it once all that came with it on other connections is stamped too."""
        self._arrived.append((time.monotonic(), data))
        asyncio.get_running_loop().call_soon(self._parse)

    def connection_lost(self, error: Exception | None) -> None:
        """End what has not ended: `fault` of the answer says whether it is whole."""
        asyncio.get_running_loop().call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        if error is not None:
            self._fail(ExchangeFailed(f"the connection broke: {error}"))
        elif self.status is None:
            self._fail(ExchangeFailed("the server closed the connection without an answer"))
        elif not self.finished.done():
            self._finish()

    def _finish(self) -> None:
        try:
            self.answer.end(self._last_at)
        except MalformedStream as error:
            self._fail(error)
        else:
            self.finished.set_result(None)

    def _parse(self) -> None:
        arrived, self._arrived = self._arrived, []
        try:
            for at, data in arrived:
                self._last_at = at
                self._parser.feed_data(data)
                self._take(at)
        except httptools.HttpParserError as error:
            self._fail(ExchangeFailed(f"the answer is not HTTP: {error}"))
        except MalformedStream as error:
            self._fail(error)
        if self.answer.done:
            self._end(None)

    def _fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)

    def _take(self, at: float) -> None:
        bodies, self._bodies = self._bodies, []
        for data in bodies:
            if self._streams:
                self.answer.feed(at, data)
            else:
                self._refusal += data

    @property
    def _streams(self) -> bool:
        return self.status == _OK and self._content_type.startswith("text/event-stream")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if name.lower() == b"content-type":
            self._content_type = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._bodies.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser; the last bodies are taken first."""
        asyncio.get_running_loop().call_soon(self._end, None)

    def _refused(self) -> str | None:
        if self._streams:
            return None
        said = self._refusal.decode(errors="replace")
        with suppress(ValueError, RecursionError):  # not JSON: then as it is
            said = error_message(json.loads(said))
        if self.status == _OK:
            return f"expected an event stream, got {self._content_type or 'no content type'}: {said[:_SHOWN]}"
        return f"HTTP {self.status}: {said[:_SHOWN]}"


def http_message(endpoint: Endpoint, request: ChatRequest) -> bytes:
    """Return the bytes that ask `endpoint` for a streamed answer to `request`."""
    url = urlsplit(endpoint.chat_url)
    body = json.dumps(_body(endpoint.model, request)).encode()
    lines = [
        f"POST {url.path} HTTP/1.1",
        f"Host: {url.netloc.rpartition('@')[2]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Accept: text/event-stream",
        "Accept-Encoding: identity",  # a compressed stream would be held back until a block is full
        "Connection: close",
    ]
    if endpoint.api_key is not None:
        lines.append(f"Authorization: Bearer {endpoint.api_key}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _body(model: str, request: ChatRequest) -> dict[str, Any]:
    return {
        "model": model,
        "messages": request.messages,
        "max_tokens": request.max_tokens,
        **request.fields,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
