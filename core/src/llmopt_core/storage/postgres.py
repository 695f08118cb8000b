"""Connections to Postgres that always come back: every wait for the server has an end.

A server, a proxy or a firewall may accept a connection and never answer. TCP then sees nothing wrong, and the
server's own time limits do not help. So each connection limits its waits itself, in the thread that waits.
"""

import time
from functools import cache
from math import inf
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from llmopt_core.installation import install_command
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StorageUnusable

# The first exchange after a rest is the pool's ping: a connection that was cut meanwhile must show soon.
_REST_SECONDS = 15.0
_PING_SECONDS = 5.0
_MOST_HOSTS = 6
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
        return connection

    def limit(connection: Any, _record: Any) -> None:
        _limit_session(connection, access)

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "connect", limit)
    return engine


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
    """Return the driver's connection class with a limit on each wait; the driver is loaded only now."""
    import psycopg  # noqa: PLC0415 - only who uses Postgres has it

    idle = psycopg.pq.TransactionStatus.IDLE

    class LimitedConnection(psycopg.Connection[Any]):
        """A connection that is closed, with OperationalError, where an answer takes too long."""

        answer_seconds = inf
        heard_at = 0.0

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            now = time.monotonic()
            pings = self.pgconn.transaction_status == idle and now - self.heard_at > _REST_SECONDS
            limit = min(self.answer_seconds, _PING_SECONDS if pings else self.answer_seconds, timeout or inf)
            try:
                answer = super().wait(_until(gen, now + limit, limit), interval)
            except _TooLate as late:
                self.pgconn.finish()  # what the server may still answer would be taken for the next answer
                raise psycopg.OperationalError(str(late)) from None
            self.heard_at = time.monotonic()
            return answer

    return LimitedConnection


class _TooLate(Exception):
    """The server did not answer within the limit."""


def _until(waiting: Any, deadline: float, limit: float) -> Any:
    """Pass the driver's waits on until `deadline`; raises _TooLate."""
    try:
        wanted = next(waiting)
        while True:
            ready = yield wanted
            if time.monotonic() > deadline:
                raise _TooLate(f"the server gave no answer within {limit:g} s")
            wanted = waiting.send(ready)
    except StopIteration as done:
        return done.value


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
