"""The scripts that the chart's Postgres runs, on a real one: all they need is its programs."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from cluster.processes import Process
from fakes.charts import CHART
from fakes.postgres import PostgresServer
from fakes.studies import definition

from llmopt_core.storage.storages import open_storage

START_SECONDS = 60.0
SUPERUSER = "super-word"
AWKWARD = """it's "quoted", 100%\\ $HOME"""


@dataclass
class ChartsPostgres:
    """What the StatefulSet starts and the Job does, with folders in place of volumes."""

    server: PostgresServer
    folder: Path
    process: Process | None = field(default=None)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.server.binaries}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.server.port),
            "PGUSER": "postgres",
            "PGPASSWORD": SUPERUSER,
            "LISTEN_ADDRESSES": "127.0.0.1",
            "PASSWORD_FILE": str(self.folder / "password"),
            "HBA_FILE": str(self.folder / "pg_hba.conf"),
            "TENANTS_FOLDER": str(self.folder / "tenants"),
        }

    def start(self) -> None:
        command = self.server.as_its_account("sh", str(self.folder / "start.sh"))
        self.process = Process("charts-postgres", command, self.folder, **self.environment)
        self.process.wait_until(self._is_ready, "it took connections", START_SECONDS)

    def stop(self) -> None:
        """End the server as the StatefulSet's preStop does."""
        stop = ("sh", "-c", 'pg_ctl stop --mode fast --pgdata "$PGDATA"')
        done = self._run(*self.server.as_its_account(*stop))
        assert done.returncode == 0, done.stderr
        assert self.process is not None
        self.process.stop()

    def make_tenants(
        self, passwords: Mapping[str, str], **environment: str
    ) -> subprocess.CompletedProcess[str]:
        folder = self.folder / "tenants"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, password in passwords.items():
            (folder / name).write_text(password)
        return self._run("sh", str(self.folder / "make-tenants.sh"), **environment)

    def connect(self, user: str, password: str, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, user=user, password=password, dbname=database,
            autocommit=True, connect_timeout=5,
        )  # fmt: skip

    def _is_ready(self) -> bool:
        return self._run("pg_isready", "--quiet").returncode == 0

    def _run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = self.environment | environment
        return subprocess.run(
            command, env=variables, cwd=self.folder, capture_output=True, text=True, check=False
        )


@pytest.fixture
def postgres() -> Iterator[ChartsPostgres]:
    """The chart's scripts, and a place for them to work in, not started yet."""
    server = PostgresServer()
    folder = server.folder / "charts"
    shutil.copytree(CHART / "files" / "postgres", folder)
    (folder / "password").write_text(SUPERUSER)
    (folder / "password").chmod(0o644)
    shutil.chown(folder, server.folder.stat().st_uid)
    it = ChartsPostgres(server, folder)
    yield it
    if it.process is not None:
        it.process.kill()
    server.remove()


def test_a_tenant_reaches_its_own_database_and_no_other(postgres: ChartsPostgres) -> None:
    """Each tenant may make tables in its own database, and enters no other, nor the server's."""
    passwords = {"llmopt-team-a": "word-a", "llmopt-team-b": AWKWARD}
    postgres.start()
    assert postgres.make_tenants(passwords).returncode == 0

    for name, password in passwords.items():
        with postgres.connect(name, password, name) as connection:
            connection.execute("CREATE TABLE kept (id int)")
    for name, password in passwords.items():
        others = {*passwords, "postgres", "template1"} - {name}
        for other in others:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                postgres.connect(name, password, other)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgres.connect("llmopt-team-a", AWKWARD, "llmopt-team-a")


def test_a_tenant_cannot_take_the_connections_of_others(postgres: ChartsPostgres) -> None:
    """A tenant at its limit of connections is refused more, others connect, and the limit can be changed."""
    postgres.start()
    passwords = {"llmopt-team-a": "word-a", "llmopt-team-b": "word-b"}
    assert postgres.make_tenants(passwords, TENANT_CONNECTIONS="2").returncode == 0
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(postgres.connect("llmopt-team-a", "word-a", "llmopt-team-a"))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            postgres.connect("llmopt-team-a", "word-a", "llmopt-team-a")
        postgres.connect("llmopt-team-b", "word-b", "llmopt-team-b").close()
        assert postgres.make_tenants(passwords, TENANT_CONNECTIONS="3").returncode == 0
        postgres.connect("llmopt-team-a", "word-a", "llmopt-team-a").close()


def test_studies_are_kept_with_a_tenants_rights(postgres: ChartsPostgres) -> None:
    """The rights of a tenant are enough to make the tables of studies and a study in them."""
    postgres.start()
    postgres.make_tenants({"llmopt-team-a": "word"})
    url = f"postgresql+psycopg://llmopt-team-a:word@127.0.0.1:{postgres.server.port}/llmopt-team-a"
    with open_storage(url) as storage:
        storage.create_study(definition("one"))
        assert storage.study_names() == ("one",)


def test_what_is_there_outlives_restarts_and_upgrades(postgres: ChartsPostgres) -> None:
    """Stopped, started and its tenants made again, with a new password: the rows are still there."""
    postgres.start()
    postgres.make_tenants({"llmopt-team-a": "old"})
    with postgres.connect("llmopt-team-a", "old", "llmopt-team-a") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    postgres.stop()

    postgres.start()
    again = postgres.make_tenants({"llmopt-team-a": "new"})
    assert (again.returncode, again.stderr) == (0, "")
    with postgres.connect("llmopt-team-a", "new", "llmopt-team-a") as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]


def test_an_interrupted_first_start_is_begun_again(postgres: ChartsPostgres) -> None:
    """What a first start left behind when it was killed does not keep the next from starting."""
    unfinished = postgres.folder / "data.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    shutil.chown(unfinished, postgres.folder.stat().st_uid)
    postgres.start()
    assert not unfinished.exists()


def test_a_volume_that_its_group_may_write_is_served(postgres: ChartsPostgres) -> None:
    """A kubelet that mounts the volume again lets the group write to it, which Postgres refuses by itself."""
    postgres.start()
    postgres.stop()
    postgres.data.chmod(0o2770)
    postgres.start()
    assert postgres.make_tenants({"llmopt-team-a": "word"}).returncode == 0


def test_tenants_without_a_server_fail_in_one_sentence(postgres: ChartsPostgres) -> None:
    """When Postgres does not answer in time, the Job's pod says which one, and fails."""
    done = postgres.make_tenants({"llmopt-team-a": "word"}, WAIT_SECONDS="0")
    assert done.returncode == 1
    assert done.stderr == "Postgres at 127.0.0.1 does not answer: look at its pod\n"
