"""Sends the requests of a load in its shape and keeps a record of each."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from llmopt_runner.load.exchanges import Exchange, http_message
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord
from llmopt_runner.load.shapes import ClosedLoop, LoadShape, OpenLoop
from llmopt_runner.load.sse import MalformedStream
from llmopt_runner.transport.connections import HttpFailed

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
    ends, between arrivals: what takes long belongs elsewhere. Once `stop` is set no request is begun and
    those under way are cut off, without a record.
    """
    sender = _Sender(endpoint, request_timeout_seconds, on_record)
    with _heap_set_aside():
        async with anyio.create_task_group() as group:
            if stop is not None:
                group.start_soon(_cancel_when, stop, group)
            await _drive(sender, iter(requests), shape)
            group.cancel_scope.cancel()
    return sender.run()


@contextmanager
def _heap_set_aside() -> Iterator[None]:
    """Let the collector pass over what exists already: a full pass stops all clocks for some 100 ms."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


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
    sender: "_Sender", requests: Iterator[ChatRequest], shape: OpenLoop, group: TaskGroup
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
    timeout_seconds: float
    on_record: OnRecord | None
    started_at: float = field(default_factory=time.monotonic)
    records: list[RequestRecord] = field(default_factory=list)
    offered: int = 0
    sent: int = 0

    async def send(self, request: ChatRequest, due: float | None = None) -> None:
        message = http_message(self.endpoint, request)
        self.sent += 1
        exchange = Exchange()
        error = await self._error_of(exchange, message)
        record = _record(request, exchange, error, due)
        self.records.append(record)
        if self.on_record is not None:
            self.on_record(record)

    async def _error_of(self, exchange: Exchange, message: bytes) -> str | None:
        try:
            with anyio.fail_after(self.timeout_seconds):
                await exchange.ask(self.endpoint, message)
        except TimeoutError:
            return f"the answer had not ended after {self.timeout_seconds:g} s"
        except (HttpFailed, MalformedStream) as error:
            return str(error)
        return None

    def run(self) -> LoadRun:
        return LoadRun(tuple(self.records), self.started_at, time.monotonic(), self.sent, self.offered)


def _record(request: ChatRequest, exchange: Exchange, error: str | None, due: float | None) -> RequestRecord:
    answer, times = exchange.answer, tuple(exchange.answer.chunk_times)
    ended_at = answer.last_chunk_at if error is None else None
    counts, separated = answer.counts(request.max_tokens), answer.separated()
    estimated = None if counts.impossible else answer.estimated_tokens(request.max_tokens)
    return RequestRecord(
        item_id=request.item_id,
        sent_at=exchange.sent_at,
        first_text_at=times[0] if times else None,
        last_text_at=times[-1] if times else None,
        ended_at=time.monotonic() if ended_at is None else ended_at,
        chunk_times=times,
        text=separated.answer,
        prompt_tokens=counts.prompt or 0,
        output_tokens=counts.output if counts.reported else estimated,
        cached_tokens=counts.cached,
        finish_reason=answer.finish_reason,
        error=error,
        status=exchange.status,
        usage_reported=counts.reported,
        scheduled_at=due,
        reasoned=answer.reasoned_apart or bool(separated.reasoning.strip()),
        impossible=counts.impossible,
    )
