"""A chat server whose paths, listing and models the test says, as public servers differ in them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ListingServer:
    """Answers a GET of `listing_at` with `listing` (None: 404), and a chat below `base` for `models`.

    `models` None answers for any name; another name, and any other path, is a 404. `slow` is the seconds that
    a chat takes.
    """

    def __init__(self, listing, *, models, base="/v1", listing_status=200, slow=None):
        self._ended = threading.Event()
        self.asked = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                owner.asked.append(("GET", self.path))
                if listing is None or self.path.partition("?")[0] != f"{base}/models":
                    self.answer(404, {"error": "no such page"})
                    return
                self.answer(listing_status, listing)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.asked.append(("POST", self.path, body["model"]))
                if slow is not None:
                    owner._ended.wait(slow)
                if self.path.partition("?")[0] != f"{base}/chat/completions":
                    self.answer(404, {"error": "no such page"})
                elif models is not None and body["model"] not in models:
                    self.answer(404, {"error": f"The model {body['model']} does not exist"})
                else:
                    self.answer(200, {"choices": [{"message": {"content": "hello"}}]})

            def answer(self, status, document):
                content = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def chatted_with(self):
        return [name for kind, *_, name in self.asked if kind == "POST"]


def listed(*ids):
    """Return a listing of models as OpenAI's API has it."""
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in ids]}
