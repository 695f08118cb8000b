"""Connections to Postgres that always come back: each wait for the server has an end, and each answer too.

A server, a proxy or a firewall may accept a connection and never answer. TCP then sees nothing wrong, and the
server's own time limits do not help. So each connection limits its waits itself, in the thread that waits.
Statements limit their answers, but a server of a tenant's own may send any amount. The driver collects an
answer whole before it returns it, so what is limited is how much the connection receives meanwhile.
"""

import socket
import struct
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from math import inf
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from llmopt_core.installation import install_command
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StorageUnavailable, StorageUnusable

# The first exchange after a rest is the pool's ping: a connection that was cut meanwhile must show soon.
_REST_SECONDS = 15.0
_PING_SECONDS = 5.0
_MOST_HOSTS = 6
# Where Linux (4.1 and later) has the received bytes in its struct tcp_info, and how much of that is read.
_COUNT, _RECEIVED_AT, _TCP_INFO_BYTES = struct.Struct("=Q"), 128, 136
# From which look at an answer on they are counted.
_COUNTED_LOOK = 3
Check = Callable[[], None]
# What a URL may say beside host, user, password and database. Others name files of the machine that connects.
_ALLOWED_PARAMETERS = frozenset(
    {
        "application_name", "channel_binding", "connect_timeout", "host", "hostaddr", "load_balance_hosts",
        "options", "port", "require_auth", "sslmode", "sslnegotiation", "sslrootcert", "target_session_attrs",
    }
)  # fmt: skip


def postgres_engine(url: URL, access: Access) -> sa.Engine:
    """Return a pool of connections to `url` within the limits of `access`.

    Raises StorageUnusable where no driver is installed, or where a foreign URL has parameters that reach
    beyond the connection.
    """
    if access.postgres_only:
        _check(url)
    try:
        engine = sa.create_engine(
            url,
            pool_pre_ping=True,
            pool_size=access.idle_connections,
            # One thread never waits long for a connection that others hold.
            pool_timeout=access.answer_seconds,
            connect_args={
                "connect_timeout": access.connect_seconds,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 30_000,
            },
        )
        limited = _limited_connection()
    except (ModuleNotFoundError, NoSuchModuleError):
        raise StorageUnusable(
            f"Postgres needs a driver that is not installed: {install_command('postgres')}"
        ) from None
    except ArgumentError:
        raise StorageUnusable("the storage URL's hosts and ports cannot be used: ports are numbers") from None

    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: Any) -> Any:
        connection = limited.connect(*arguments, **parameters)
        connection.answer_seconds, connection.heard_at = access.answer_seconds, time.monotonic()
        connection.answer_bytes = access.answer_bytes
        return connection

    def limit(connection: Any, _record: Any) -> None:
        _limit_session(connection, access)

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", limit)
    if access.answer_rows is not None:
        sa.event.listen(engine, "after_cursor_execute", _row_limit(access.answer_rows))
    return engine


def _row_limit(most_rows: int) -> Callable[..., None]:
    """Return what refuses an answer of more rows before they become objects: empty ones are sent fast."""

    def check(_connection: Any, cursor: Any, *_: Any) -> None:
        if cursor.pgresult is not None and cursor.pgresult.ntuples > most_rows:
            raise StorageUnavailable(f"the server's answer has more than {most_rows} rows")

    return check


def _check(url: URL) -> None:
    """Raise StorageUnusable where a stranger's URL says more than how to reach a server by the network."""
    if unknown := sorted(set(url.query) - _ALLOWED_PARAMETERS):
        raise StorageUnusable(
            f"the storage URL has parameters that are not accepted here: {', '.join(unknown)[:200]}; remove"
            " them"
        )
    named = (url.host or "", *_all(url, "host"), *_all(url, "hostaddr"))
    hosts = [host for part in named for host in part.split(",") if host]
    if not hosts or any(host.startswith(("/", "@")) for host in hosts):
        raise StorageUnusable("the storage URL must name the host of a server, and no socket of this machine")
    if len(hosts) > _MOST_HOSTS:
        raise StorageUnusable(f"the storage URL names more than {_MOST_HOSTS} hosts: each may be waited for")


def _all(url: URL, name: str) -> tuple[str, ...]:
    value = url.query.get(name, ())
    return (value,) if isinstance(value, str) else tuple(value)


@cache
def _limited_connection() -> Any:
    """Return the driver's connection class with limits on each answer; the driver is loaded only now."""
    import psycopg  # noqa: PLC0415 - only who uses Postgres has it

    idle = psycopg.pq.TransactionStatus.IDLE

    class LimitedConnection(psycopg.Connection[Any]):
        """A connection that is closed, with OperationalError, where an answer takes too long or is too large.

        Its size is not limited where `answer_bytes` is None.
        """

        answer_seconds = inf
        answer_bytes: int | None = None
        heard_at = 0.0

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            now = time.monotonic()
            pings = self.pgconn.transaction_status == idle and now - self.heard_at > _REST_SECONDS
            limit = min(self.answer_seconds, _PING_SECONDS if pings else self.answer_seconds, timeout or inf)
            checks = [_deadline(now + limit, limit)]
            if self.answer_bytes is not None:
                checks.append(_size_limit(self.pgconn.socket, self.answer_bytes))
            try:
                answer = super().wait(_checked(gen, checks), interval)
            except _Exceeded as exceeded:
                self.pgconn.finish()  # what the server may still answer would be taken for the next answer
                raise psycopg.OperationalError(str(exceeded)) from None
            self.heard_at = time.monotonic()
            return answer

    return LimitedConnection


class _Exceeded(Exception):
    """The server did not answer within the limits."""


def _deadline(deadline: float, seconds: float) -> Check:
    def check() -> None:
        if time.monotonic() > deadline:
            raise _Exceeded(f"the server gave no answer within {seconds:g} s")

    return check


def _size_limit(descriptor: int, most_bytes: int) -> Check:
    """Limit what is received after the first looks: most answers are whole by then, and cost nothing."""
    looks = before = 0

    def check() -> None:
        nonlocal looks, before
        looks += 1
        received = received_bytes(descriptor) if looks >= _COUNTED_LOOK else 0
        if looks == _COUNTED_LOOK:
            before = received
        elif received - before > most_bytes:
            raise _Exceeded(f"the server's answer has more than {most_bytes} bytes")

    return check


def _checked(waiting: Any, checks: Sequence[Check]) -> Any:
    """Pass the driver's waits on, and check after each of them, before what came is read."""
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            for check in checks:
                check()
            wanted = waiting.send(ready)
    except StopIteration as done:
        return done.value


def received_bytes(descriptor: int) -> int:
    """Return how many bytes a TCP connection has received so far, 0 where the system does not count them."""
    if sys.platform != "linux":
        return 0
    connection = socket.SocketType(socket.AF_INET, socket.SOCK_STREAM, 0, descriptor)
    try:
        counts = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:  # no TCP connection
        return 0
    finally:
        connection.detach()  # it is the driver's
    return int(_COUNT.unpack_from(counts, _RECEIVED_AT)[0]) if len(counts) == _TCP_INFO_BYTES else 0


def _limit_session(connection: Any, access: Access) -> None:
    """Have the server limit the session too."""
    limits = {
        "statement_timeout": access.statement_seconds,
        "lock_timeout": access.lock_seconds,
        "idle_in_transaction_session_timeout": access.idle_seconds,
    }
    given = {name: f"{seconds * 1000:.0f}" for name, seconds in limits.items() if seconds is not None}
    if not given:
        return
    settings = ", ".join("pg_catalog.set_config(%s, %s, false)" for _ in given)
    values = [part for pair in given.items() for part in pair]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pg_catalog.left(pg_catalog.current_setting('search_path'), 500), {settings}", values
        )
        path = cursor.fetchone()[0]
    connection.commit()
    if "pg_catalog" in path:  # then somebody else's functions could take the place of the server's own
        connection.close()
        raise StorageUnusable(
            "the role's search_path names pg_catalog: remove it (ALTER ROLE … SET search_path)"
        )
