"""A server that answers each connection with bytes of the test's choice, and keeps what it was sent.

It stands for servers that no library would let one write: wrong, endless, slow, hostile.
"""

import socket
import threading
from contextlib import suppress


class RawServer:
    """Answers every connection with the pieces of `answer`, `pause_seconds` apart, in a thread of its own.

    The pieces may be endless: the client is who ends the connection then.
    """

    def __init__(self, *answer, pieces=None, pause_seconds=0.0):
        self._pieces = (lambda: answer) if pieces is None else pieces
        self._pause_seconds = pause_seconds
        self.requests = []
        self._ended = threading.Event()

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while not self._ended.is_set():
            connection, _ = self._socket.accept()
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        with connection, suppress(OSError):
            connection.settimeout(5)
            received = b""
            while b"\r\n\r\n" not in received:
                if not (more := connection.recv(65536)):
                    return
                received += more
            self.requests.append(received.decode())
            for piece in self._pieces():
                connection.sendall(piece)
                if self._ended.wait(self._pause_seconds):
                    return


def answer(body=b"{}", *, status=200, headers=()):
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
