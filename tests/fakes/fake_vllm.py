"""A stand-in for the program `vllm`, which needs a GPU: it answers, refuses and dies as it is ordered.

`install` puts it where the runner finds it. Run as a program it is the server: standard library only. Its
lines are those that vLLM 0.32 writes.
"""

import argparse
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_MAMBA = Path(__file__).parents[1] / "data/engine_logs/vllm-mamba-blocks.log"
_DEFAULT_SEQS = 1024


def install(folder, **orders):
    """Write the program and its orders into `folder`; return the path for LLMOPT_ENGINE_VLLM.

    `says` is written at its start. `most_seqs`: with a larger max_num_seqs it ends at its start, and names
    the limit. `no_draft`: with a draft model it says this, and ends at its start. `serves`: so many
    completions are answered, all later ones with 500, or never where `silent`; `dies_after` seconds later it
    writes `cause` and ends with exit code 1, or lives on where `lives`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orders.json").write_text(json.dumps(orders))
    program = folder / "vllm"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {__file__} {folder} "$@"\n')
    program.chmod(0o755)
    return program


def starts(folder):
    """Return the max_num_seqs of each start, in order."""
    path = folder / "starts"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def _fail(orders):
    time.sleep(orders.get("dies_after", 0))
    sys.stderr.write(orders["cause"] + "\n")
    sys.stderr.flush()
    if not orders.get("lives"):
        os._exit(1)


def _handler(options, orders):
    served = threading.Lock()
    counts = {"completions": 0}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(200, {"data": [{"id": options.model}]} if "models" in self.path else {})

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "completions" not in self.path:
                self._answer(200, {})
                return
            with served:
                counts["completions"] += 1
                late = counts["completions"] - orders.get("serves", 10**9)
                if late == 1:
                    threading.Thread(target=_fail, args=(orders,)).start()
            if late > 0 and orders.get("silent"):
                self.rfile.read(1)  # until the client goes
            elif late > 0:
                self._answer(500, {"error": {"message": "Internal server error"}})
            elif request.get("stream"):
                self._stream()
            else:
                message = {"role": "assistant", "content": "7"}
                self._answer(200, {"choices": [{"message": message}], "usage": {"completion_tokens": 1}})

        def _answer(self, status, document):
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _stream(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for delta in ({"role": "assistant", "content": ""}, {"content": "7"}, {"content": " apples"}):
                self._event({"choices": [{"index": 0, "delta": delta}]})
                time.sleep(orders.get("token_seconds", 0.002))
            self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            usage = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}
            self._event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, document):
            self.wfile.write(b"data: " + json.dumps(document).encode() + b"\n\n")
            self.wfile.flush()

    return Handler


def main():
    folder = Path(sys.argv[1])
    parser = argparse.ArgumentParser()
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--served-model-name", dest="model")
    parser.add_argument("--max-num-seqs", type=int, default=_DEFAULT_SEQS)
    options, _ = parser.parse_known_args(sys.argv[2:])
    orders = json.loads((folder / "orders.json").read_text())
    with (folder / "starts").open("a") as file:
        file.write(f"{options.max_num_seqs}\n")
    sys.stderr.write(orders.get("says", ""))
    sys.stderr.flush()
    most = orders.get("most_seqs", options.max_num_seqs)
    if options.max_num_seqs > most:
        said = _MAMBA.read_text().replace("1024", str(options.max_num_seqs)).replace("856", str(most))
        sys.stderr.write(said)
        sys.exit(1)
    if "no_draft" in orders and any('"draft_model"' in argument for argument in sys.argv):
        sys.stderr.write(orders["no_draft"])
        sys.exit(1)
    ThreadingHTTPServer.allow_reuse_address = True
    ThreadingHTTPServer((options.host, options.port), _handler(options, orders)).serve_forever()


if __name__ == "__main__":
    main()
