"""Stands in for a node's log endpoint: the API server asks it as it asks a kubelet, by TLS and by path.

Real containers' logs are the end-to-end tests' matter; the way from the command through the API server to a
node is real here.
"""

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import trustme
from fakes.api_client import ApiClient
from fakes.kubelet import NODE

# Takes a pod's name and whether it is followed; gives its lines as they come.
Lines = Callable[[str, bool], Iterator[str]]


class KubeletLogs:
    """Serves the logs of the stand-in node's pods while the context is open; `asked` are the paths."""

    def __init__(self, api: ApiClient, lines: Lines) -> None:
        self._api = api
        self._lines = lines
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._report(self._server.server_address[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _report(self, port: int) -> None:
        """Say on the node where its kubelet listens."""
        path = f"/api/v1/nodes/{NODE}"
        if self._api.get(path) is None:
            self._api.create(
                "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}
            )
        status = {
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        self._api.patch(f"{path}/status", {"status": status})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                parts = urlsplit(self.path)
                pod = parts.path.split("/")[3]
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.end_headers()
                for line in outer._lines(pod, "follow" in parse_qs(parts.query)):
                    self.wfile.write(f"{line}\n".encode())
                    self.wfile.flush()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
