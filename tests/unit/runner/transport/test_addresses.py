"""Which addresses a runner in a cluster may ask."""

import asyncio
import socket
from pathlib import Path

import pytest
import yaml

from llmopt_runner.transport import addresses
from llmopt_runner.transport.addresses import AddressForbidden, addresses_of, is_forbidden


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%lo",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:168.63.129.16",
    ],
)
def test_the_nodes_own_services_are_forbidden(address):
    """Link-local addresses and clouds' metadata services, also written as IPv6."""
    assert is_forbidden(address)


def test_what_the_charts_policy_blocks_is_forbidden_without_it():
    """The NetworkPolicy for runners is off by default: the runner itself asks none of its addresses."""
    values = yaml.safe_load((Path(__file__).parents[4] / "helm/llmopt/values.yaml").read_text())
    blocked = values["networkPolicy"]["runners"]["blocked"]
    assert blocked
    assert all(is_forbidden(network.partition("/")[0]) for network in blocked)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fd00::1", "169.253.1.1", "8.8.8.8"])
def test_other_addresses_are_allowed(address):
    """Services of the cluster, this pod and the world may be asked."""
    assert not is_forbidden(address)


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "0xa9fea9fe", "169.254.43518"])
def test_an_address_is_known_however_it_is_written(host, monkeypatch):
    """Forms that only the system's resolver reads are resolved first, as a name is."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(
        AddressForbidden, match=rf"{host} is 169\.254\.169\.254, an address of the node's own"
    ):
        asyncio.run(addresses_of(host, 80))


def test_one_forbidden_address_of_a_name_is_enough(monkeypatch):
    """A name that leads to a good and to a forbidden address is not asked at all."""

    def getaddrinfo(_host, port, **_):
        return [(2, 1, 6, "", (address, port)) for address in ("10.0.0.1", "169.254.169.254")]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    assert asyncio.run(addresses_of("metadata.example", 80)) == ["10.0.0.1", "169.254.169.254"]
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(AddressForbidden, match=r"metadata\.example is 169\.254"):
        asyncio.run(addresses_of("metadata.example", 80))


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("too long")]
)
def test_a_name_that_leads_nowhere_is_an_error(monkeypatch, error):
    """What the resolver raises comes to who asks."""

    def getaddrinfo(*_, **__):
        raise error

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    with pytest.raises(type(error)):
        asyncio.run(addresses_of("nowhere.example", 80))


def test_a_pod_is_known_by_its_environment(monkeypatch):
    """The kubelet sets the API server's address in every pod."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert not addresses.in_cluster()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert addresses.in_cluster()
