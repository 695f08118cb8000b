"""A server that holds memory of a GPU: `gpu_server.py HOLD THREADS MISBEHAVING_ENGINE'S_ARGUMENTS…`.

HOLD is `share:0.92` (of the GPU, and a context beside it), `leaves:1024` (all but so many MiB), `mib:2048`,
`grows` (on SIGUSR1 as fast as it can, until nothing is left) or `nothing` (no CUDA at all).
"""

import runpy
import signal
import sys
import threading
import time
from pathlib import Path

_MIB = 2**20
_held = []


def _take(mib):
    import torch  # noqa: PLC0415 - one order needs no CUDA

    _held.append(torch.empty(int(mib) * _MIB, dtype=torch.uint8, device="cuda"))
    torch.cuda.synchronize()


def _grow(*_):
    import torch  # noqa: PLC0415 - one order needs no CUDA

    block = 1024
    while block:
        try:
            _take(block)
        except torch.OutOfMemoryError:
            block //= 2


def _hold(order):
    how, _, number = order.partition(":")
    if how == "nothing":
        return
    import torch  # noqa: PLC0415 - one order needs no CUDA

    torch.zeros(1, device="cuda")
    free, total = (mib / _MIB for mib in torch.cuda.mem_get_info())
    if how == "share":
        _take(float(number) * total)
    elif how == "leaves":
        _take(free - float(number))
    elif how == "mib":
        _take(float(number))
    else:
        signal.signal(signal.SIGUSR1, _grow)


if __name__ == "__main__":
    _hold(sys.argv[1])
    for _ in range(int(sys.argv[2])):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
    sys.argv = ["misbehaving_engine.py", *sys.argv[3:]]
    runpy.run_path(str(Path(__file__).with_name("misbehaving_engine.py")), run_name="__main__")
