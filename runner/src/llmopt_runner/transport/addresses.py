"""Which addresses a runner may ask.

In a cluster, link-local addresses are the node's: its cloud's metadata service gives credentials to every
client. A manifest names the addresses that a runner asks, so it must not be able to name these.
"""

import asyncio
import os
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_CLUSTER_VARIABLE = "KUBERNETES_SERVICE_HOST"
_TRANSLATED = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four bytes are an IPv4 address
# What gives credentials and is not at a link-local address.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",  # EKS, for pods
            "fd20:ce::254",  # Google Cloud
            "fd00:c1::a9fe:a9fe",  # Oracle Cloud
            "fd00:42::42",  # Scaleway
            "100.100.100.200",  # Alibaba Cloud
            "168.63.129.16",  # Azure, of the machine's agent
        ),
    )
)
Address = IPv4Address | IPv6Address


class AddressForbidden(OSError):
    """The address is not to be asked from within a cluster."""


def in_cluster() -> bool:
    """Say whether this process runs in a pod."""
    return _CLUSTER_VARIABLE in os.environ


async def allowed_addresses(host: str, port: int) -> list[str]:
    """Return the numeric addresses of `host`.

    Raises AddressForbidden where one of them is link-local, and OSError where there are none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for text in addresses:
        if is_forbidden(text):
            raise AddressForbidden(
                f"{host} is {text}, an address of the node's own services: a runner in a cluster asks none"
                " of them; write the address of the server itself"
            )
    return addresses


def is_forbidden(text: str) -> bool:
    """Say whether the numeric address `text` is link-local or a cloud's metadata service, however written."""
    address = _plain(ip_address(text))
    return address.is_link_local or address in _METADATA


def _plain(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    # The zone of a link-local address (fe80::1%eth0) is no part of it.
    return address.ipv4_mapped or address.sixtofour or IPv6Address(address.packed)
