"""A TCP proxy between a client and a server that can misbehave as networks and firewalls do."""

import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self


class TcpProxy:
    """Forwards to `port` of this machine; `port` of its own is where clients connect.

    `swallow` stops forwarding without closing anything: what is sent is accepted, and no answer comes. So
    does a firewall that forgot the connections, or a server that hangs. `cut` closes all connections.
    `answer` answers in the server's place.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._swallowed: set[socket.socket] = set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads: list[threading.Thread] = []
        self._swallow_new = False
        self._asked = b""  # what holds this is answered here
        self._answer: Iterable[bytes] = ()
        self.answered_bytes = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # it wakes who accepts
        self._listener.close()
        self._threads[0].join()
        self.cut()
        for thread in self._threads:
            thread.join()

    def swallow(self, *, new: bool) -> None:
        """Forward nothing more on the connections that are there, and with `new` on later ones."""
        self._swallow_new = new
        for pair in self._pairs:
            self._swallowed.update(pair)

    def forward(self) -> None:
        """Forward new connections; those that were swallowed stay dead."""
        self._swallow_new = False

    def answer(self, asked: bytes, parts: Iterable[bytes]) -> None:
        """Answer the next message that holds `asked` with `parts`, and do not ask the server."""
        self._answer, self._asked, self.answered_bytes = parts, asked, 0

    def cut(self) -> None:
        """Close all connections."""
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._pairs.clear()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._pairs.append((client, server))
                if self._swallow_new:
                    self._swallowed.update((client, server))
                for source, sink in ((client, server), (server, client)):
                    self._start(self._pump, source, sink)

    def _start(self, target: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(65536):
                if self._asked and self._asked in part:
                    self._flood(source)
                elif source not in self._swallowed:
                    sink.sendall(part)
            if source not in self._swallowed:
                sink.shutdown(socket.SHUT_WR)

    def _flood(self, client: socket.socket) -> None:
        parts, self._asked = self._answer, b""
        for part in parts:
            client.sendall(part)
            self.answered_bytes += len(part)
