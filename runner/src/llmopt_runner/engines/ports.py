"""TCP ports of this machine: which are free, and who listens."""

import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_LOOK_SECONDS = 0.01
_GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(host: str) -> int:
    """Return a port that is free at `host` now; nothing keeps another process from taking it.

    Raises OSError where every port that the system gives by itself is taken, see `given_ports`.
    """
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def given_ports() -> str:
    """Return in words which ports the system gives to programs that name none."""
    try:
        low, high = _GIVEN.read_text().split()
    except (OSError, ValueError):
        return "of those that the system gives"
    return f"from {low} to {high}"


def is_free(host: str, port: int) -> bool:
    """Say whether a server could listen at `port`; connections that are only closing do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def frees_up(host: str, port: int, limit_seconds: float) -> bool:
    """Say whether `port` is free, or becomes so in time: a killed process of many threads lets go late."""
    give_up_at = time.monotonic() + limit_seconds
    while not is_free(host, port):
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def any_listens(pids: Iterable[int], port: int) -> bool:
    """Say whether one of the processes listens at `port`."""
    return any(_listens(pid, port) for pid in pids)


def _listens(pid: int, port: int) -> bool:
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )
