"""A hub of models on this machine: what the hub's own library asks of it to read configurations and headers.

It counts the bytes that it was asked for, and knows ranges, as the real one does.
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_COMMIT = "0" * 40
_FILE = re.compile(r"^/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)$")
_API = re.compile(r"^/api/models/([\w.-]+/[\w.-]+)(/.*)?$")


class HubServer:
    """Serves `repositories`: by name, the content of each file by its path.

    `held`: of each file only the first half is sent until `released` is set.
    """

    def __init__(self, repositories, *, held=False):
        self.repositories = repositories
        self.sent_bytes = 0
        self.released = threading.Event()
        if not held:
            self.released.set()

    def __enter__(self):
        hub = self

        class Handler(_Handler):
            server_state = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server_state = None
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self._file(send=False)

    def do_GET(self):
        if _FILE.match(self.path):
            self._file(send=True)
        else:
            self._api()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._api(body)

    def log_message(self, *_):
        pass

    def _file(self, *, send):
        found = _FILE.match(self.path.partition("?")[0])
        files = self.server_state.repositories.get(found[1]) if found else None
        content = None if files is None else files.get(found[3])
        if content is None:
            self._refuse("RepoNotFound" if files is None else "EntryNotFound")
            return
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        begin, end = 0, len(content)
        if wanted:
            begin, end = int(wanted[1]), min(int(wanted[2] or len(content)) + 1, len(content))
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - begin))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", _COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if send:
            middle = (begin + end) // 2
            self.wfile.write(content[begin:middle])
            assert self.server_state.released.wait(120)
            self.wfile.write(content[middle:end])
            self.server_state.sent_bytes += end - begin

    def _api(self, body=b""):
        found = _API.match(self.path.partition("?")[0])
        files = self.server_state.repositories.get(found[1]) if found else None
        if files is None:
            self._refuse("RepoNotFound")
        elif (found[2] or "").startswith("/paths-info"):
            paths = json.loads(body)["paths"]
            self._answer([_entry(path, files[path]) for path in paths if path in files])
        elif (found[2] or "").startswith("/tree"):
            self._answer([_entry(path, content) for path, content in files.items()])
        else:
            siblings = [{"rfilename": path} for path in files]
            self._answer({"id": found[1], "modelId": found[1], "sha": _COMMIT, "siblings": siblings})

    def _answer(self, document, status=200):
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, code):
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", f"{code} here")
        self.send_header("Content-Length", "0")
        self.end_headers()


def _entry(path, content):
    oid = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": path, "size": len(content), "oid": oid}
