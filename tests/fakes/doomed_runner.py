"""A runner that starts an engine, prints its processes, and waits to be killed.

Reads a pickled (engine, settings) on standard input; writes one line of JSON when the engine is ready.
"""

import json
import pickle
import sys
import time

from llmopt_runner.engines.server import EngineServer

if __name__ == "__main__":
    engine, settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the test that starts it
    server = EngineServer(engine, settings)
    server.start(300)
    started = {"pids": server.pids(), "supervisor": server.supervisor_pid, "port": server.settings.port}
    print(json.dumps(started), flush=True)  # noqa: T201 - its answer
    time.sleep(3600)
