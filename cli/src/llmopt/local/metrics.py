"""Where the runners on this machine serve their metrics: one port each."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from llmopt.option_labels import labelled
from llmopt.options import LAST_PORT
from llmopt_core.errors.classes import LlmoptError

# Only programs on this machine can read the metrics; from elsewhere, forward the port.
LOOPBACK = "127.0.0.1"


class PortsExhausted(LlmoptError):
    """There is no port for every runner."""


def metrics_ports(first: int | None, count: int) -> tuple[int, ...]:
    """Return a port for each of `count` runners: `first` and the next ones; with 0, free ones.

    None: no metrics, and no ports. Raises PortsExhausted where they would go beyond the last port.
    """
    if first is None:
        return ()
    if first == 0:
        return _free_ports(count)
    require_ports(first, count)
    return tuple(range(first, first + count))


def require_ports(first: int | None, count: int) -> None:
    """Raise PortsExhausted where the ports of `count` runners from `first` on go beyond the last one."""
    if first and first + count - 1 > LAST_PORT:
        raise PortsExhausted(
            f"{labelled('--metrics-port', first)}: {count} runners need ports up to {first + count - 1}, and"
            f" the last is {LAST_PORT}; give {LAST_PORT - count + 1} or less"
        )


def where_served(ports: Sequence[int]) -> Iterator[str]:
    """Yield where each runner's metrics are, or that its port is taken.

    A taken port is no reason to refuse the study: what it costs is a graph, not a result.
    """
    for index, port in enumerate(ports):
        if _is_free(port):
            yield f"metrics of runner {index}: http://{LOOPBACK}:{port}/metrics"
        else:
            yield (
                f"warning: port {port} is taken, so the metrics of runner {index} are not served; the study "
                "continues (give --metrics-port another one, or 0 for any that is free)"
            )


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as held:  # all at once, so that none comes twice
        sockets = [held.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return tuple(one.getsockname()[1] for one in sockets)


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False
