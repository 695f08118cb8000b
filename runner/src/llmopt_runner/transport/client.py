"""Whole answers: one request to a server, and what it says, within a deadline and a limit."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio

from llmopt_runner.transport.connections import HttpExchange, HttpFailed
from llmopt_runner.transport.messages import readable, request_message

_MOST_BYTES = 8 << 20
_CANCEL_LOOK_SECONDS = 0.05


class HttpTimeout(HttpFailed):
    """The answer had not ended at the deadline, however much of it had come."""


class HttpCancelled(HttpFailed):
    """Who asked does not want the answer any more."""


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer; what its status and body mean is not judged here."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text that can be stored and shown."""
        return readable(self.body.decode("utf-8", "replace"))


class _Whole(HttpExchange):
    """Collects the body."""

    def __init__(self) -> None:
        super().__init__(_MOST_BYTES)
        self.body: list[bytes] = []

    def take(self, at: float, data: bytes) -> bool:
        """Keep a part of the body."""
        del at
        self.body.append(data)
        return False


async def ask(
    url: str,
    document: Mapping[str, Any] | None = None,
    *,
    api_key: str | None = None,
    timeout_seconds: float,
) -> HttpAnswer:
    """Return the answer to a GET of `url`, or to a POST of `document` as JSON.

    Raises HttpFailed, and HttpTimeout where the whole did not come within `timeout_seconds`.
    """
    try:
        address = urlsplit(url)
        body = b"" if document is None else json.dumps(document).encode()
        headers = {"Content-Type": "application/json"}
        message = request_message("GET" if document is None else "POST", address, headers, body, api_key)
    except ValueError as error:
        raise HttpFailed(str(error)) from error
    exchange = _Whole()
    try:
        with anyio.fail_after(timeout_seconds):
            await exchange.run(address, message)
    except TimeoutError as error:
        raise HttpTimeout(f"no whole answer within {timeout_seconds:g} s") from error
    return HttpAnswer(exchange.status or 0, b"".join(exchange.body))


def ask_now(
    url: str,
    document: Mapping[str, Any] | None = None,
    *,
    api_key: str | None = None,
    timeout_seconds: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> HttpAnswer:
    """Return what `ask` does, to who runs no event loop.

    Raises HttpCancelled once `cancelled`, which is asked again and again, says so.
    """

    async def asked() -> HttpAnswer:
        answer = asyncio.ensure_future(ask(url, document, api_key=api_key, timeout_seconds=timeout_seconds))
        while not (await asyncio.wait({answer}, timeout=_CANCEL_LOOK_SECONDS))[0]:
            if cancelled():
                raise HttpCancelled("asked to stop")
        return answer.result()

    return asyncio.run(asked())
