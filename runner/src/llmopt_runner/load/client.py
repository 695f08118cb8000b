"""Sends the requests of a load and times their answers.

The path from the socket to a time is short: one read, one clock, one append. Connections are fresh for every
request (llama.cpp closes a kept-alive one after a streamed answer), and opening one is not part of a time.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
import anyio
from anyio.abc import TaskGroup

from llmopt_runner.load.answers import StreamedAnswer, error_message
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, LoadShape, Poisson
from llmopt_runner.load.sse import MalformedStream

__all__ = ["Endpoint", "LoadRun", "run_load"]

OnRecord = Callable[[RequestRecord], None]


class StopSignal(Protocol):
    """An event of asyncio or anyio."""

    async def wait(self) -> object:
        """Return once the event is set."""


async def run_load(
    endpoint: Endpoint,
    requests: Iterable[ChatRequest],
    shape: LoadShape,
    *,
    on_record: OnRecord | None = None,
    stop: StopSignal | None = None,
    request_timeout_seconds: float,
) -> LoadRun:
    """Send `requests` in the given shape and return a record of each once all have ended.

    A request that fails is a record with its error, never an exception. `on_record` is called as each one
    ends. Once `stop` is set no request is begun and those under way are cut off, without a record.
    """
    async with _open_session() as session, anyio.create_task_group() as group:
        sender = _Sender(endpoint, session, request_timeout_seconds, on_record)
        if stop is not None:
            group.start_soon(_cancel_when, stop, group)
        await _drive(sender, iter(requests), shape)
        group.cancel_scope.cancel()
    return sender.run()


async def _cancel_when(stop: StopSignal, group: TaskGroup) -> None:
    await stop.wait()
    group.cancel_scope.cancel()


async def _drive(sender: "_Sender", requests: Iterator[ChatRequest], shape: LoadShape) -> None:
    async with anyio.create_task_group() as group:
        if isinstance(shape, ClosedLoop):
            for _ in range(shape.concurrency):
                group.start_soon(_answer_after_answer, sender, requests)
        else:
            await _by_schedule(sender, requests, shape, group)


async def _answer_after_answer(sender: "_Sender", requests: Iterator[ChatRequest]) -> None:
    for request in requests:
        sender.offered += 1
        await sender.send(request)


async def _by_schedule(
    sender: "_Sender", requests: Iterator[ChatRequest], shape: Poisson, group: TaskGroup
) -> None:
    for arrival, request in zip(shape.arrivals(), requests, strict=False):
        due = sender.started_at + arrival
        await anyio.sleep(max(0.0, due - time.monotonic()))
        sender.offered += 1
        group.start_soon(sender.send, request, due)


@dataclass
class _Sender:
    """One run under way."""

    endpoint: Endpoint
    session: aiohttp.ClientSession
    timeout_seconds: float
    on_record: OnRecord | None
    started_at: float = field(default_factory=time.monotonic)
    records: list[RequestRecord] = field(default_factory=list)
    offered: int = 0
    sent: int = 0

    async def send(self, request: ChatRequest, due: float | None = None) -> None:
        self.sent += 1
        exchange = _Exchange(request, due)
        await exchange.run(self)
        record = exchange.record(time.monotonic())
        self.records.append(record)
        if self.on_record is not None:
            self.on_record(record)

    def run(self) -> LoadRun:
        return LoadRun(tuple(self.records), self.started_at, time.monotonic(), self.sent, self.offered)


class _Exchange:
    """One request and what has come of its answer."""

    def __init__(self, request: ChatRequest, due: float | None) -> None:
        self._request = request
        self._due = due
        self._answer = StreamedAnswer()
        self._clock = SimpleNamespace(sent_at=time.monotonic())
        self._status: int | None = None
        self._error: str | None = None

    async def run(self, sender: _Sender) -> None:
        try:
            with anyio.fail_after(sender.timeout_seconds):
                await self._exchange(sender)
        except TimeoutError:
            self._error = f"the answer had not ended after {sender.timeout_seconds:g} s"
        except (aiohttp.ClientError, MalformedStream) as error:
            self._error = f"{type(error).__name__}: {error}"

    async def _exchange(self, sender: _Sender) -> None:
        async with sender.session.post(
            sender.endpoint.chat_url,
            data=body(sender.endpoint.model, self._request),
            headers=_headers(sender.endpoint),
            trace_request_ctx=self._clock,
        ) as response:
            self._status = response.status
            if problem := await _refusal(response):
                self._error = problem
                return
            await self._read(response.content)
        self._error = self._answer.fault

    async def _read(self, content: aiohttp.StreamReader) -> None:
        while not self._answer.done and (data := await content.readany()):
            self._answer.feed(time.monotonic(), data)

    def record(self, now: float) -> RequestRecord:
        answer, times = self._answer, tuple(self._answer.chunk_times)
        whole = self._error is None and answer.last_chunk_at is not None
        return RequestRecord(
            item_id=self._request.item_id,
            sent_at=self._clock.sent_at,
            first_text_at=times[0] if times else None,
            last_text_at=times[-1] if times else None,
            ended_at=answer.last_chunk_at if whole and answer.last_chunk_at else now,
            chunk_times=times,
            text=answer.text,
            prompt_tokens=answer.prompt_tokens,
            output_tokens=answer.output_tokens,
            cached_tokens=answer.cached_tokens,
            finish_reason=answer.finish_reason,
            error=self._error,
            status=self._status,
            usage_reported=answer.usage_reported,
            scheduled_at=self._due,
        )


def body(model: str, request: ChatRequest) -> bytes:
    """Return the JSON body that is posted for `request`."""
    document = {
        "model": model,
        "messages": request.messages,
        "max_tokens": request.max_tokens,
        **request.fields,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return json.dumps(document).encode()


def _headers(endpoint: Endpoint) -> dict[str, str]:
    # A compressed stream would be held back until a block is full.
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if endpoint.api_key is not None:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    return headers


async def _refusal(response: aiohttp.ClientResponse) -> str | None:
    if response.status == 200 and response.content_type == "text/event-stream":  # noqa: PLR2004 - OK
        return None
    said = await response.text(errors="replace")
    with suppress(json.JSONDecodeError, AttributeError):  # not JSON, or no object: then as it is
        said = error_message(json.loads(said))
    if response.status == 200:  # noqa: PLR2004 - OK
        return f"expected an event stream, got {response.content_type}: {said[:500]}"
    return f"HTTP {response.status}: {said[:500]}"


@asynccontextmanager
async def _open_session() -> AsyncIterator[aiohttp.ClientSession]:
    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(_stamp)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trace_configs=[trace]) as session:
        yield session


async def _stamp(_session: Any, context: SimpleNamespace, _parameters: Any) -> None:
    context.trace_request_ctx.sent_at = time.monotonic()
