"""A program in the place of `llama-server` that hangs where it is asked to, and records that it got there.

`install` writes it: what it does stands in its text, since an engine gets none of a test's variables.
"""

import sys

_PROGRAM = """#!{python} -ISu
import argparse, json, pathlib, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE, REACHED = {mode!r}, pathlib.Path({reached!r})

def hang():
    REACHED.touch()
    time.sleep(3600)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({{"data": [{{"id": orders.alias}}]}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if MODE == "completion" or body.get("stream"):
            hang()
        self.answer({{"choices": [{{"message": {{"content": "hello"}}}}]}})

    def answer(self, document):
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--alias")
orders, _ = parser.parse_known_args()
if MODE == "start":
    hang()
ThreadingHTTPServer(("127.0.0.1", orders.port), Handler).serve_forever()
"""


def install(folder, mode):
    """Write the program into `folder`; return its path, and the file that it makes before it hangs.

    It hangs at its `start`, in the first `completion`, or at the first streamed one, in a `warmup`.
    """
    program, reached = folder / "llama-server", folder / "reached"
    program.write_text(_PROGRAM.format(python=sys.executable, mode=mode, reached=str(reached)))
    program.chmod(0o755)
    return program, reached
