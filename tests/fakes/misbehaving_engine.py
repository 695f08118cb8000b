"""An engine that answers as a server should and misbehaves on order, and the plug-in that starts it.

Run as a program it is the server: standard library only, the orders are its command line.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

_HELD = []


def _answer(handler, document):
    content = json.dumps(document).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def _handler(orders):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            _answer(self, {"data": [{"id": orders.model}]})

        def do_POST(self):
            if orders.hang:
                time.sleep(3600)
            if orders.refuse:
                self.send_error(orders.refuse, "refused on order")
                return
            _answer(self, {"choices": [{"message": {"content": "hello"}}], "usage": {"completion_tokens": 1}})

    return Handler


def _sleep_forever(*, mark):
    """Be a process that ends by SIGKILL only; `mark` False: its environment does not say whose it is."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if not mark:
        code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
        os.execve(sys.executable, (sys.executable, "-I", "-S", "-c", code), {})  # noqa: S606 - as a daemon would
    time.sleep(3600)


def _daemonise(*, mark):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _sleep_forever(mark=mark)
        os._exit(0)
    os.wait()


def _eat(mib):
    """Take memory and keep it; a little at a time, as a load of weights does."""
    held = []
    for _ in range(mib):
        held.append(bytearray(os.urandom(1) * 2**20))
        time.sleep(0.002)
    _sleep_forever(mark=True)
    del held


def _eat_in_a_grandchild(mib, when):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            while not Path(when).exists():
                time.sleep(0.005)
            _eat(mib)
        _sleep_forever(mark=True)


def _litter():
    """Leave a folder among the temporary files, and a page of named shared memory."""
    (Path(tempfile.gettempdir()) / "litter" / "deep").mkdir(parents=True)
    held = SharedMemory(create=True, size=4096, name=f"litter-{os.getpid()}")
    resource_tracker.unregister(held._name, "shared_memory")  # nobody tidies up after one that is killed
    _HELD.append(held)


def _misbehave(orders):
    if orders.litter:
        _litter()
    if orders.ignore_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if orders.eat:
        _eat(orders.eat)
    if orders.eat_below:
        _eat_in_a_grandchild(orders.eat_below, orders.when)
    if orders.fork and os.fork() == 0:
        _sleep_forever(mark=True)
    if orders.daemonise:
        _daemonise(mark=True)
    if orders.hide:
        _daemonise(mark=False)
    if orders.exit is not None:
        sys.stderr.write("the root cause\n" + "noise\n" * 60 + "the end\n")
        sys.stderr.flush()
        os._exit(orders.exit)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--exit", type=int)
    parser.add_argument("--refuse", type=int)
    parser.add_argument("--late", type=float, default=0.0, help="seconds before it listens")
    parser.add_argument("--eat", type=int, default=0, help="MiB, instead of ever listening")
    parser.add_argument("--eat-below", type=int, default=0, help="MiB, by a daemon's child")
    parser.add_argument("--when", default="/", help="a path: --eat-below begins once it exists")
    for switch in ("hang", "fork", "daemonise", "hide", "ignore-sigterm", "abort", "litter"):
        parser.add_argument(f"--{switch}", action="store_true")
    orders = parser.parse_args()
    _misbehave(orders)
    if orders.abort:
        os.abort()
    time.sleep(orders.late)
    ThreadingHTTPServer.allow_reuse_address = True
    server = ThreadingHTTPServer(("127.0.0.1", orders.port), _handler(orders))
    server.serve_forever()


if __name__ == "__main__":
    main()
