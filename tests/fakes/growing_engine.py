"""A real llama.cpp server with a child that grows on order: started as `llama-server` is, by a script of it.

Run as a program it is that child: `growing_engine.py ORDER PERCENT`. Once the file ORDER is there it takes it
away, so that no later child grows, and takes memory until PERCENT of all there is are in use.
"""

import os
import sys
import time
from pathlib import Path

from llmopt_runner.host.host_memory import HostMemory

_STEP_MIB = 8
# Slow enough for a guard to see what it passes.
_STEP_SECONDS = 0.02
_SCRIPT = """#!/bin/sh
case " $* " in *" --port "*) "{python}" "{child}" "{order}" {percent} & ;; esac
exec "{python}" -P -m llmopt_runner.engines.llamacpp.wheel_server "$@"
"""


def growing_server(folder, order, percent):
    """Write the script; LLMOPT_ENGINE_LLAMACPP may name it."""
    script = folder / "llama-server"
    script.write_text(
        _SCRIPT.format(python=sys.executable, child=Path(__file__), order=order, percent=percent)
    )
    script.chmod(0o755)
    return script


def _grow(percent):
    memory, held = HostMemory(), []
    while memory.occupancy().percent < percent:
        held.append(bytearray(os.urandom(1) * _STEP_MIB * 2**20))
        time.sleep(_STEP_SECONDS)
    time.sleep(3600)
    del held


def _wait_for(order):
    while True:
        try:
            return order.unlink()
        except FileNotFoundError:
            time.sleep(0.05)


if __name__ == "__main__":
    _wait_for(Path(sys.argv[1]))
    _grow(float(sys.argv[2]))
