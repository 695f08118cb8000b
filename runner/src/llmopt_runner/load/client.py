"""Sends the requests of a load in its shape and keeps a record of each."""

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from llmopt_runner.load.conversations import later_turns
from llmopt_runner.load.exchanges import Exchange, http_message
from llmopt_runner.load.requests import ChatRequest, Endpoint, LoadRun, RequestRecord, SentTurn
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

    A request with a follow-up stands for its whole conversation: a client of a closed loop takes the next one
    when the last turn was answered, and in an open loop conversations arrive.

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
        await _converse(sender, request)


async def _by_schedule(
    sender: "_Sender", requests: Iterator[ChatRequest], shape: OpenLoop, group: TaskGroup
) -> None:
    for arrival, request in zip(shape.arrivals(), requests, strict=False):
        due = sender.started_at + arrival
        await anyio.sleep(max(0.0, due - time.monotonic()))
        sender.offered += 1
        group.start_soon(_converse, sender, request, due)


async def _converse(sender: "_Sender", request: ChatRequest, due: float | None = None) -> None:
    """Send `request`, and each turn that follows it when the time to think after its answer is over."""
    record = await sender.send(request, due)
    while (follow_up := request.follow_up) is not None:
        if record.error is not None:
            sender.unsent_turns += len(list(later_turns(request)))
            return
        turn_due = record.ended_at + follow_up.think_seconds
        await anyio.sleep(max(0.0, turn_due - time.monotonic()))
        sender.offered += 1
        request = follow_up.after(request, record.text)
        record = await sender.send(request, None if due is None else turn_due, turn_due)


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
    unsent_turns: int = 0

    async def send(
        self, request: ChatRequest, due: float | None = None, turn_due: float | None = None
    ) -> RequestRecord:
        message = http_message(self.endpoint, request)
        self.sent += 1
        exchange = Exchange()
        error = await self._error_of(exchange, message)
        record = replace(_record(request, exchange, error, due), turn=_sent_turn(request, turn_due))
        self.records.append(record)
        if self.on_record is not None:
            self.on_record(record)
        return record

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
        return LoadRun(
            tuple(self.records),
            self.started_at,
            time.monotonic(),
            self.sent,
            self.offered,
            self.unsent_turns,
        )


def _sent_turn(request: ChatRequest, due: float | None) -> SentTurn | None:
    if request.conversation is None:
        return None
    earlier = request.messages[:-1] if request.turn > 1 else ()
    return SentTurn(request.conversation, request.turn, earlier, due)


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
