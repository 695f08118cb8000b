"""A client of bare sockets, to compare a load generator with: it only sends, waits and looks at clocks.

Plain HTTP only. The time to the first token ends with the first read that holds a delta with content.
"""

import math
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_READ_BYTES = 1 << 16
# How servers begin a delta with text, with and without spaces in their JSON.
_CONTENT = (b'"content": "', b'"content":"')
_EMPTY = (b'"content": ""', b'"content":""')
_END = b"data: [DONE]"


@dataclass
class _Stream:
    """One request under way."""

    number: int
    connection: socket.socket
    message: bytes
    sent_at: float = 0.0
    first_at: float | None = None
    received: bytearray = field(default_factory=bytearray)

    def send(self) -> None:
        self.sent_at = time.monotonic()
        self.connection.sendall(self.message)

    def take(self) -> bool:
        """Read what came, and say whether the answer has ended."""
        data = self.connection.recv(_READ_BYTES)
        at = time.monotonic()
        if self.first_at is None:
            self.received += data
            text = sum(map(self.received.count, _CONTENT)) - sum(map(self.received.count, _EMPTY))
            self.first_at = at if text > 0 else None
        return not data or _END in data


def ttfts_ms(url: str, messages: Sequence[bytes], concurrency: int) -> list[float]:
    """Send `messages`, whole HTTP requests, `concurrency` at a time; return the TTFT of each, in ms.

    NaN where no text came.
    """
    address, waiting, found = urlsplit(url), iter(enumerate(messages)), [math.nan] * len(messages)
    place = (address.hostname or "", address.port or 80)
    with selectors.DefaultSelector() as selector:
        for _ in range(concurrency):
            _begin(selector, place, waiting)
        while selector.get_map():
            for key, _ in selector.select():
                stream: _Stream = key.data
                if not stream.take():
                    continue
                selector.unregister(stream.connection)
                stream.connection.close()
                if stream.first_at is not None:
                    found[stream.number] = 1000 * (stream.first_at - stream.sent_at)
                _begin(selector, place, waiting)
    return found


def _begin(
    selector: selectors.BaseSelector, place: tuple[str, int], waiting: Iterator[tuple[int, bytes]]
) -> None:
    number, message = next(waiting, (-1, b""))
    if not message:
        return
    connection = socket.create_connection(place)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = _Stream(number, connection, message)
    stream.send()
    selector.register(connection, selectors.EVENT_READ, stream)
