import socket

import pytest

from llmopt.local.metrics import PortsExhausted, metrics_ports, where_served


def test_no_port_is_no_metrics():
    """Without the option nothing is served and nothing said."""
    assert metrics_ports(None, 3) == ()
    assert list(where_served(())) == []


def test_ports_count_up_with_the_runners():
    """The first runner has the port that was asked for, the next ones those after it."""
    assert metrics_ports(9400, 3) == (9400, 9401, 9402)


def test_free_ports_are_as_many_as_runners():
    """With 0 every runner has a port of its own that is free."""
    ports = metrics_ports(0, 8)
    assert len(set(ports)) == 8
    assert all("http://127.0.0.1:" in line for line in where_served(ports))


def test_ports_beyond_the_last_are_refused():
    """The message names the option, the value and the highest that works."""
    with pytest.raises(PortsExhausted, match=r"--metrics-port 65534: 3 runners .* give 65533 or less"):
        metrics_ports(65534, 3)
    assert metrics_ports(65533, 3) == (65533, 65534, 65535)


def test_a_taken_port_is_said_with_its_runner():
    """The line is a warning that names the port and the runner, and says that the study continues."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (line,) = where_served((port,))
    assert line.startswith(f"warning: port {port} is taken, so the metrics of runner 0 are not served")
    assert "the study continues" in line
