"""The PostgreSQL that holds the studies of a test cluster: it ends with the process that started it."""

from pathlib import Path
from types import TracebackType
from typing import Self

from cluster.control_plane import LOOPBACK
from cluster.processes import Process
from fakes.postgres import PostgresServer

_START_SECONDS = 60.0


class Database:
    """A server at `address`, which pods reach when it is the one of their network; its log is in `folder`."""

    def __init__(self, folder: Path, address: str = LOOPBACK) -> None:
        self._folder = folder
        self.server = PostgresServer(address)

    def __enter__(self) -> Self:
        """Return when the server takes connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.server.create()
        self._process = Process("postgres", self.server.command(), self._folder)
        try:
            self._process.wait_until(self.server.answers, "it took connections", _START_SECONDS)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server and remove its files."""
        self._stop()

    def create(self, name: str) -> str:
        """Create database `name`; return its address as SQLAlchemy reads it."""
        return self.server.create_database(name)

    def _stop(self) -> None:
        self._process.stop()
        self.server.remove()
