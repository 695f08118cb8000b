"""Where a host is, and which addresses a runner may ask.

In a cluster, link-local addresses are the node's: its cloud's metadata service gives credentials to every
client. A manifest names the addresses that a runner asks, so it must not be able to name these.
"""

import asyncio
import os
import socket
import threading
from contextlib import suppress
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


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the numeric addresses of `host`.

    Raises AddressForbidden where one of them is link-local and this is a cluster, and OSError and
    UnicodeError where there are none.
    """
    addresses = [host] if _is_numeric(host) else await _looked_up(host, port)
    for text in addresses if in_cluster() else ():
        if is_forbidden(text):
            raise AddressForbidden(
                f"{host} is {text}, an address of the node's own services: a runner in a cluster asks none"
                " of them; write the address of the server itself"
            )
    return addresses


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _looked_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver, in a thread that nobody waits for at the end.

    Where no name server answers, it takes a minute, and an event loop waits for its own threads when it ends:
    neither a deadline nor a request to stop would hold.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def look_up() -> None:
        found: list[str] | OSError | UnicodeError
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        except (OSError, UnicodeError) as error:
            found = error
        with suppress(RuntimeError):  # the loop has ended, and nobody asks any more
            loop.call_soon_threadsafe(_answer, answer, found)

    threading.Thread(target=look_up, name="resolver", daemon=True).start()
    return await answer


def _answer(asked: "asyncio.Future[list[str]]", found: list[str] | OSError | UnicodeError) -> None:
    if asked.done():
        return
    if isinstance(found, list):
        asked.set_result(found)
    else:
        asked.set_exception(found)


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
