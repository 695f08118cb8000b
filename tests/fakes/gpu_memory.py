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


@contextmanager
def holding(python, mib):
    """A process that holds `mib` of the GPU while the block runs."""
    command = (python, "-c", HOLD, str(mib))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.stdin.close()
        process.wait()
