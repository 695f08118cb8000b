"""Connections to the study database: SQLite on a laptop, Postgres in a cluster, the same transactions."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError

from llmopt_core.storage.access import OWNER, Access
from llmopt_core.storage.database_errors import of_sqlite, translate
from llmopt_core.storage.errors import StorageReadOnly, StorageUnavailable, StorageUnusable
from llmopt_core.storage.postgres import postgres_engine
from llmopt_core.storage.tables import REVISION, SCHEMA_VERSION, create_tables, stored_version

_BUSY_TIMEOUT_MS = 60_000
# Half of the key of each study's advisory lock, so that no other program's locks are met by chance.
_LOCK_SPACE = 0x6C6C6D6F
_SCHEMA_LOCK = -1
_WRITES = "llmopt_writes"


class Database:
    """One database: a pool of connections and two kinds of transactions.

    Safe to use from several threads. Raises StorageUnavailable where it does not answer, StorageUnusable
    where what answers is not a study database.
    """

    def __init__(self, url: str, access: Access = OWNER) -> None:
        self.access = access
        self._url = _parse(url, postgres_only=access.postgres_only)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._engine = _sqlite_engine(self._url) if self._sqlite else postgres_engine(self._url, access)
        try:
            with self._translated():
                self._prepare()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The address without its password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def engine(self) -> sa.Engine:
        """The pool of connections, for those who count statements."""
        return self._engine

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that sees one state of the database."""
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end, or undone when an error passes."""
        with (
            self._translated(),
            self._engine.connect() as connection,
            connection.execution_options(**{_WRITES: True}).begin(),
        ):
            yield connection

    @contextmanager
    def exclusive(self, study_id: int, *, patience_seconds: float | None = None) -> Iterator[Connection]:
        """Give a writing transaction that no other exclusive one of the same study overlaps.

        `patience_seconds` is how long each of its statements may take, where that is longer than usual.
        """
        with self.writing() as connection, self._patient(connection, patience_seconds):
            self._lock(connection, study_id)
            yield connection

    @contextmanager
    def _patient(self, connection: Connection, seconds: float | None) -> Iterator[None]:
        if self._sqlite or seconds is None:
            yield
            return
        driver: Any = connection.connection.driver_connection
        before, driver.answer_seconds = driver.answer_seconds, max(seconds, driver.answer_seconds)
        try:
            if self.access.statement_seconds is not None:
                limit = sa.text("SELECT set_config('statement_timeout', :limit, true)")
                connection.execute(limit, {"limit": f"{seconds * 1000:.0f}"})
            yield
        finally:
            driver.answer_seconds = before

    def _lock(self, connection: Connection, key: int) -> None:
        if self._sqlite:
            return  # BEGIN IMMEDIATE excludes all other writers already
        # A client whose machine vanished in the middle must not hold the lock for TCP's two hours.
        connection.execute(
            sa.text(
                "SELECT set_config('idle_in_transaction_session_timeout', '60s', true),"
                " pg_advisory_xact_lock(:space, :key)"
            ),
            {"space": _LOCK_SPACE, "key": key},
        )

    def _prepare(self) -> None:
        if self._sqlite:
            _create_sqlite(self._path)
        if not self._is_ready():
            self._create()

    @property
    def _path(self) -> Path:
        return Path(self._url.database or "")

    def _is_ready(self) -> bool:
        """Say whether the tables are there; raise StorageUnusable where they are of another version."""
        with self._engine.connect() as connection:
            version = stored_version(connection)
        if version not in {None, (SCHEMA_VERSION, REVISION)}:
            raise StorageUnusable(
                f"{self.address}: its table schema is of another Optuna ({version}, not"
                f" {(SCHEMA_VERSION, REVISION)}): back it up and run `optuna storage upgrade`, or take"
                " another database"
            )
        return version is not None

    def _create(self) -> None:
        with self.writing() as connection:
            if not self._sqlite:
                self._lock(connection, _SCHEMA_LOCK)
            create_tables(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            translated = translate(error, self.address, str(self._url.password or ""))
            if isinstance(translated, StorageReadOnly):
                # A primary that became a standby: the next connection looks for the primary again.
                self._engine.dispose()
            raise translated from None
        except UnicodeError:
            raise StorageUnusable(
                f"{self.address}: a name in the URL, or text that the database holds, is not valid UTF-8"
            ) from None


def require_address(url: str) -> None:
    """Raise StorageUnusable where `url` is no address of a study database; nothing is asked there."""
    _parse(url, postgres_only=False)


def _parse(url: str, *, postgres_only: bool) -> URL:
    form = StorageUnusable(
        "the storage address is not of the form sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME;"
        " in a password all but letters and digits are written as in any URL (@ is %40)"
    )
    if not url.isprintable():
        raise form
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError):  # what it says of the port may hold a part of the password
        raise form from None
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if postgres_only:
        raise StorageUnusable(
            f"storage {parsed.drivername[:50]!r} is not accepted here: use the URL of a PostgreSQL database"
            " (postgresql+psycopg://USER:PASSWORD@HOST/NAME)"
        )
    if parsed.get_backend_name() != "sqlite":
        raise StorageUnusable(f"storage {parsed.drivername!r} is not supported: use sqlite or postgresql")
    if not parsed.database or parsed.database == ":memory:":
        raise StorageUnusable("a study in memory cannot be shared with runners: use sqlite:///PATH")
    return parsed


def _sqlite_engine(url: URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    sa.event.listen(engine, "connect", _configure_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # The driver would begin transactions by itself, and only at the first write: too late for a lock.
    connection.isolation_level = None
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")  # nothing is written to a study that was dropped


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _create_sqlite(path: Path) -> None:
    """Put a complete database at `path` in one step, so that processes starting together cannot collide."""
    if path.exists():
        _use_write_ahead_log(path)
        return
    if not path.parent.is_dir():
        raise StorageUnavailable(f"sqlite:///{path}: there is no folder {path.parent}")
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        engine = sa.create_engine(URL.create("sqlite", database=str(draft)))
        with engine.begin() as connection:
            create_tables(connection)
        engine.dispose()
        _use_write_ahead_log(draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first, and its database is as good


def _use_write_ahead_log(path: Path) -> None:
    """Let readers and one writer work at once; the mode is kept in the file."""
    with closing(sqlite3.connect(path, timeout=_BUSY_TIMEOUT_MS / 1000)) as connection:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.DatabaseError as error:
            raise of_sqlite(error, f"sqlite:///{path}") from None
