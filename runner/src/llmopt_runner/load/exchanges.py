"""One request of a load: what is sent, and the streamed answer that comes back."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from llmopt_runner.load.answers import StreamedAnswer, error_message
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.transport.connections import HttpExchange, HttpFailed
from llmopt_runner.transport.messages import readable, request_message

_OK = 200
_STREAM = "text/event-stream"
# Types that proxies and small servers put on any body, and how an event stream begins.
_UNTYPED = frozenset({"", "text/plain", "application/octet-stream"})
_BEGINNINGS = (b"data:", b"event:", b"id:", b"retry:", b":", b"\xef\xbb\xbf")
_SHOWN = 500  # characters of an unexpected body
_KEPT_BYTES = 64 << 10
# A token comes in some 200 bytes: no answer that a trial asks for is as long.
_LONGEST_ANSWER_BYTES = 256 << 20


class Exchange(HttpExchange):
    """One request over one connection, and its answer as far as it came."""

    def __init__(self) -> None:
        super().__init__(_LONGEST_ANSWER_BYTES)
        self.answer = StreamedAnswer()
        self._refusal = b""
        self._streams: bool | None = None  # None: nothing has come of the body

    async def ask(self, endpoint: Endpoint, message: bytes) -> None:
        """Send `message` and wait for the end of the answer; raises HttpFailed and MalformedStream."""
        await self.run(urlsplit(endpoint.chat_url), message)
        if problem := self._refused() or self.answer.fault:
            raise HttpFailed(problem)

    def take(self, at: float, data: bytes) -> bool:
        """Take a part of the answer; raises MalformedStream."""
        if self._streams is None:
            self._streams = self._is_stream(data)
        if self._streams:
            self.answer.feed(at, data)
        elif len(self._refusal) < _KEPT_BYTES:
            self._refusal += data
        return self.answer.done

    def take_end(self, at: float) -> None:
        """Take what is whole of the last event; raises MalformedStream."""
        if self._streams:
            self.answer.end(at)

    def _is_stream(self, beginning: bytes) -> bool:
        """Say whether the body is an event stream: by its type, or else by its beginning."""
        if self.status != _OK:
            return False
        kind = self.content_type.partition(";")[0].strip()
        return kind == _STREAM or (kind in _UNTYPED and beginning.startswith(_BEGINNINGS))

    def _refused(self) -> str | None:
        if self._streams or (self._streams is None and self._is_stream(b"")):
            return None
        said = self._refusal.decode(errors="replace")
        with suppress(ValueError, RecursionError):  # not JSON: then as it is
            said = error_message(json.loads(said))
        said = readable(said[:_SHOWN])
        if self.status == _OK:
            return f"expected an event stream, got {self.content_type or 'no content type'}: {said}"
        return f"HTTP {self.status}: {said}" if said else f"HTTP {self.status}, and nothing said"


def http_message(endpoint: Endpoint, request: ChatRequest) -> bytes:
    """Return the bytes that ask `endpoint` for a streamed answer to `request`."""
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    body = json.dumps(_body(endpoint.model, request)).encode()
    return request_message("POST", urlsplit(endpoint.chat_url), headers, body, endpoint.api_key)


def _body(model: str, request: ChatRequest) -> dict[str, Any]:
    return {
        "model": model,
        "messages": request.messages,
        "max_tokens": request.max_tokens,
        **request.fields,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
