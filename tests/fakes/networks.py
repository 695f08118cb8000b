"""A real network of its own, with few ports, all of them taken: for processes that enter it."""

import subprocess
import sys
from contextlib import contextmanager

import pytest

FIRST_PORT, LAST_PORT = 40_000, 40_399
_PREPARE = f"""
ip link set lo up &&
echo {FIRST_PORT} {LAST_PORT} > /proc/sys/net/ipv4/ip_local_port_range &&
exec "$@"
"""
_HOLD = f"""
import socket
held = [socket.create_server(("127.0.0.1", port)) for port in range({FIRST_PORT}, {LAST_PORT + 1})]
print("held", flush=True)
input()
for each in held:
    each.close()
print("freed", flush=True)
input()
"""


class CrowdedNetwork:
    """The network while somebody listens at each of its ports; `within` runs a command in it."""

    def __init__(self, holder):
        self._holder = holder
        self.within = ("nsenter", f"--net=/proc/{holder.pid}/ns/net")

    def free_ports(self):
        self._holder.stdin.write("\n")
        self._holder.stdin.flush()
        assert self._holder.stdout.readline() == "freed\n"


@contextmanager
def crowded_network():
    """Make the network, and take it away at the end."""
    command = ("unshare", "--net", "sh", "-c", _PREPARE, "sh", sys.executable, "-I", "-S", "-c", _HOLD)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        try:
            if holder.stdout.readline() != "held\n":
                pytest.skip(f"NOT TESTED: no network can be made here ({holder.stderr.read().strip()})")
            yield CrowdedNetwork(holder)
        finally:
            holder.kill()
