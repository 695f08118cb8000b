"""One request over one fresh connection, each of whose bytes is stamped as it arrives.

A protocol of asyncio on a C parser rather than a general HTTP client: opening a request costs such a client
about half a millisecond, so that sixty of them opened at once make first tokens of others seem tens of
milliseconds late; and what has arrived is stamped here before anything is parsed. Fresh connections, because
llama.cpp closes a kept-alive one after a streamed answer.
"""

import asyncio
import os
import ssl
import time
from functools import cache
from urllib.parse import SplitResult, urljoin

import httptools

from llmopt_core.errors.files import without_number
from llmopt_runner.transport.addresses import addresses_of
from llmopt_runner.transport.messages import shown_address

_INFORMATIONAL = range(100, 200)
_REDIRECTS = range(300, 400)
_LONGEST_HEAD_BYTES = 64 << 10


class HttpFailed(Exception):
    """No whole answer came: nothing can be reached, it is not HTTP, it redirects, or it is too long."""


class HttpExchange(asyncio.Protocol):
    """The client's side of one connection; a subclass takes the body as it comes.

    `most_bytes` is how long the whole answer may be, head included. An answer is never decompressed.
    """

    def __init__(self, most_bytes: int) -> None:
        self.sent_at = time.monotonic()
        self.last_at = self.sent_at
        self.status: int | None = None
        self.content_type = ""
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._most_bytes = most_bytes
        self._received = 0
        self._arrived: list[tuple[float, bytes]] = []
        self._bodies: list[bytes] = []
        self._location = ""
        self._encoding = ""
        self._complete = False

    def take(self, at: float, data: bytes) -> bool:
        """Take a part of the body that arrived at the time `at`; say whether it was the last that counts.

        Raises HttpFailed, or what else the exchange shall fail with.
        """
        raise NotImplementedError

    def take_end(self, at: float) -> None:
        """Take the end of the body, whose last part arrived at the time `at`; raises as `take` does."""

    async def run(self, url: SplitResult, message: bytes) -> None:
        """Send `message` and wait for the end of the answer; raises HttpFailed and what `take` raises."""
        try:
            transport = await self._connect(url)
            try:
                self.sent_at = time.monotonic()
                transport.write(message)
                await self._finished
            finally:
                transport.abort()
        finally:
            self._finished.cancel()  # a connection that ends after this has nobody to report to
        if self.status in _REDIRECTS and self._location:
            raise HttpFailed(self._redirects(url))

    def _redirects(self, url: SplitResult) -> str:
        target = shown_address(urljoin(f"{url.scheme}://{url.netloc}{url.path}", self._location))
        return (
            f"HTTP {self.status}: {shown_address(url.geturl())} redirects to {target}, which is not followed:"
            " write the address of the server itself"
        )

    async def _connect(self, url: SplitResult) -> asyncio.Transport:
        host, tls = url.hostname or "", _tls() if url.scheme == "https" else None
        port = _port(url) or (443 if tls else 80)
        try:
            return await self._connect_to_any(await addresses_of(host, port), port, tls, host)
        except (OSError, UnicodeError) as error:  # the second: a name that no resolver can be asked
            raise HttpFailed(f"cannot connect to {host}:{port}: {_reason(error)}") from error

    async def _connect_to_any(
        self, addresses: list[str], port: int, tls: ssl.SSLContext | None, name: str
    ) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        *others, last = addresses
        for address in others:
            try:
                transport, _ = await loop.create_connection(
                    lambda: self, address, port, ssl=tls, server_hostname=name if tls else None
                )
            except OSError:
                continue
            return transport
        transport, _ = await loop.create_connection(
            lambda: self, last, port, ssl=tls, server_hostname=name if tls else None
        )
        return transport

    def data_received(self, data: bytes) -> None:
        """Stamp what came; parse it once all that came with it on other connections is stamped too."""
        self._arrived.append((time.monotonic(), data))
        asyncio.get_running_loop().call_soon(self._parse)

    def connection_lost(self, error: Exception | None) -> None:
        """End what has not ended."""
        asyncio.get_running_loop().call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        if self._finished.done():
            return
        if error is not None:
            self._fail(HttpFailed(f"the connection broke: {_reason(error)}"))
        elif self.status is None:
            self._fail(HttpFailed("the server closed the connection without an answer"))
        else:
            self._finish()

    def _finish(self) -> None:
        if self._finished.done():
            return
        try:
            self.take_end(self.last_at)
        except Exception as error:  # noqa: BLE001 - a callback: the waiter is who raises it
            self._fail(error)
        else:
            self._finished.set_result(None)

    def _parse(self) -> None:
        arrived, self._arrived = self._arrived, []
        try:
            for at, data in arrived:
                self._feed(at, data)
        except Exception as error:  # noqa: BLE001 - a callback: the waiter is who raises it
            self._fail(error)

    def _feed(self, at: float, data: bytes) -> None:
        if self._finished.done():
            return
        self.last_at = at
        self._received += len(data)
        problem = self._parse_problem(data)
        bodies, self._bodies = self._bodies, []
        for body in bodies:
            if self.take(at, body):
                self._finish()
                return
        if problem is not None:
            raise HttpFailed(problem)
        if self.status is None or self._encoding or self._received > self._most_bytes:
            self._require_bounds()
        if self._complete:
            self._finish()

    def _parse_problem(self, data: bytes) -> str | None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return "the server wants to speak another protocol than HTTP"
        except httptools.HttpParserError as error:
            return None if self._complete else f"the answer is not HTTP: {error}"
        return None

    def _require_bounds(self) -> None:
        if self._encoding not in {"", "identity"}:
            shown = repr(self._encoding[:40])
            raise HttpFailed(f"the answer is compressed ({shown}), though no compression was asked for")
        if self.status is None and self._received > _LONGEST_HEAD_BYTES:
            raise HttpFailed(f"the head of the answer is longer than {_LONGEST_HEAD_BYTES:,} bytes")
        if self._received > self._most_bytes:
            raise HttpFailed(f"the answer is longer than {self._most_bytes:,} bytes")

    def _fail(self, error: Exception) -> None:
        if not self._finished.done():
            self._finished.set_exception(error)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        match name.lower():
            case b"content-type":
                self.content_type = value.decode("latin-1").lower()
            case b"content-encoding":
                self._encoding = value.decode("latin-1").strip().lower()
            case b"location":
                self._location = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser; the body of a redirect says nothing."""
        status = self._parser.get_status_code()
        if status in _INFORMATIONAL:
            return
        self.status = status
        if status in _REDIRECTS and self._location:
            self._finish()

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._bodies.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser; an informational answer is not the one that was asked for."""
        self._complete = self.status is not None


def _port(url: SplitResult) -> int | None:
    """Return the port that `url` names; raises HttpFailed where there is no such port."""
    try:
        return url.port
    except ValueError as error:
        raise HttpFailed(f"cannot connect to {shown_address(url.geturl())}: {error}") from error


def _reason(error: Exception) -> str:
    """Return what `error` says to a person, without the number of an error of the system."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)  # asyncio says "Connect call failed" and no reason
    return without_number(error)


@cache
def _tls() -> ssl.SSLContext:
    """The context for all servers: to read the machine's certificates takes some 20 ms."""
    return ssl.create_default_context()
