"""A real process that takes a given amount of a real GPU's memory."""

import subprocess
from contextlib import contextmanager

HOLD = """
import sys, torch
block = torch.empty(int(sys.argv[1]) * 2**20, dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("held", flush=True)
sys.stdin.read()
"""
# Only inside a process is it known what its own context leaves free.
_LEAVE = """
import sys, torch
free, _ = torch.cuda.mem_get_info()
block = torch.empty(free - int(sys.argv[1]) * 2**20, dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print("held", flush=True)
sys.stdin.read()
"""


def holding(python, mib):
    """A process that holds `mib` of the GPU while the block runs."""
    return _running(python, HOLD, mib)


def leaving(python, mib):
    """A process that holds all of the GPU but `mib` while the block runs."""
    return _running(python, _LEAVE, mib)


@contextmanager
def _running(python, program, mib):
    command = (python, "-c", program, str(mib))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()
        process.wait()
