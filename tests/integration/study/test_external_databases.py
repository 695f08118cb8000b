"""Databases as administrators run them: with TLS, and with a standby that takes over."""

import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest
import trustme
from fakes.postgres import PASSWORD, PostgresServer
from fakes.studies import definition, heartbeat, measured

from llmopt_core.analysis.summary import summarise
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StorageUnavailable

OPERATOR = Access(
    postgres_only=True, idle_connections=1, connect_seconds=3, answer_seconds=5.0, lock_seconds=2.0
)


def _data(server: PostgresServer) -> Path:
    return server.folder / "data"


def _own(server: PostgresServer, *paths: Path) -> None:
    for path in paths:
        path.chmod(0o700 if path.is_dir() else 0o600)
        shutil.chown(path, server.folder.stat().st_uid, server.folder.stat().st_gid)


def _binaries_with_tls() -> Path:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        linked = subprocess.run(["ldd", folder / "postgres"], capture_output=True, text=True, check=False)
        if "libssl" in linked.stdout:
            return folder
    pytest.skip("NOT TESTED: no Postgres with TLS is installed here (Debian's postgresql package has it)")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """A server that takes connections by TLS alone, and the file with the certificate of its authority."""
    authority, server = trustme.CA(), PostgresServer(binaries=_binaries_with_tls())
    certificate = tmp_path_factory.mktemp("authority") / "ca.crt"
    authority.cert_pem.write_to_path(certificate)
    try:
        server.create()
        issued = authority.issue_cert("127.0.0.1", "localhost")
        key, chain = _data(server) / "server.key", _data(server) / "server.crt"
        issued.private_key_pem.write_to_path(key)
        issued.cert_chain_pems[0].write_to_path(chain)
        _own(server, key, chain)
        with (_data(server) / "postgresql.conf").open("a") as settings:
            settings.write("ssl = on\n")
        (_data(server) / "pg_hba.conf").write_text("hostssl all all all scram-sha-256\n")
        server.start()
        yield server, certificate
        server.stop()
    finally:
        server.remove()


@pytest.mark.parametrize("access", [OPERATOR, Access()], ids=["operator", "runner"])
def test_tls_with_a_verified_server(encrypted, access):
    """With verify-full and the authority's certificate a study is kept, over an encrypted connection."""
    server, certificate = encrypted
    url = f"{server.url('postgres')}?sslmode=verify-full&sslrootcert={certificate}"
    with open_for_search(url, access) as storage:
        study = storage.create_study(definition())
        with storage.engine.connect() as connection:
            assert connection.connection.driver_connection.pgconn.ssl_in_use
        assert study.trials()
        storage.drop_study("study")


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("sslmode=disable", "no encryption|hostssl|SSL off"),
        ("sslmode=verify-full&sslrootcert={other}", "certificate verify failed"),
        ("sslmode=verify-full&sslrootcert=/missing/ca.crt", "does not exist"),
    ],
    ids=["plain", "another authority", "no certificate"],
)
def test_what_tls_refuses_is_said(encrypted, tmp_path, parameters, words):
    """A plain connection, a server of another authority and a missing certificate are named errors."""
    server, _ = encrypted
    other = tmp_path / "other.crt"
    trustme.CA().cert_pem.write_to_path(other)
    url = f"{server.url('postgres')}?{parameters.format(other=other)}"
    with pytest.raises(StorageUnavailable, match=words) as error:
        open_for_search(url, OPERATOR)
    assert PASSWORD not in str(error.value)


def test_the_name_of_a_server_is_verified(encrypted):
    """A certificate of the right authority for another name is refused."""
    server, certificate = encrypted
    url = server.url("postgres").replace("@127.0.0.1:", "@127.0.0.2:")
    with pytest.raises(StorageUnavailable, match="does not match host name"):
        open_for_search(f"{url}?sslmode=verify-full&sslrootcert={certificate}&hostaddr=127.0.0.1", OPERATOR)


@pytest.fixture
def pair():
    """A primary and the standby that follows it."""
    primary, standby = PostgresServer(), PostgresServer()
    try:
        primary.create()
        with (_data(primary) / "pg_hba.conf").open("a") as rules:
            rules.write("host replication all all scram-sha-256\n")
        primary.start()
        open_for_search(primary.url("postgres")).close()
        primary.stop()
        shutil.copytree(_data(primary), _data(standby))
        for path in (_data(standby), *_data(standby).rglob("*")):
            _own(standby, path)
        (_data(standby) / "postmaster.pid").unlink(missing_ok=True)
        (_data(standby) / "standby.signal").touch()
        address = f"host=127.0.0.1 port={primary.port} user=llmopt password={PASSWORD}"
        with (_data(standby) / "postgresql.conf").open("a") as settings:
            settings.write(f"primary_conninfo = '{address}'\n")
        _own(standby, _data(standby) / "standby.signal")
        primary.start()
        standby.start()
        yield primary, standby
        standby.stop()
    finally:
        primary.remove()
        standby.remove()


def _both(primary, standby):
    return (
        f"postgresql+psycopg://llmopt:{PASSWORD}@/postgres"
        f"?host=127.0.0.1:{primary.port}&host=127.0.0.1:{standby.port}&target_session_attrs=read-write"
    )


def _replayed(primary, standby):
    """Wait until the standby has what the primary wrote."""
    with psycopg.connect(primary.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        written = connection.execute("SELECT pg_current_wal_lsn()").fetchone()[0]
    with psycopg.connect(standby.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(600):
            behind = "SELECT pg_last_wal_replay_lsn() >= %s, pg_sleep(0.05)"
            if connection.execute(behind, (written,)).fetchone()[0]:
                return
    raise AssertionError("the standby does not follow")


@pytest.mark.parametrize("access", [OPERATOR, Access()], ids=["operator", "runner"])
def test_the_standby_takes_over(pair, access):
    """Stopped: the primary, as by a crash. Survives: the study, on the host that was promoted, by one URL."""
    primary, standby = pair
    with open_for_search(_both(primary, standby), access) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=3)
        _replayed(primary, standby)
        primary.stop()
        with pytest.raises(StorageUnavailable) as error:
            study.heartbeat(heartbeat("runner", 1))
        assert PASSWORD not in str(error.value)
        with psycopg.connect(standby.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            assert connection.execute("SELECT pg_promote(true, 60)").fetchone()[0]
        study.finish(claim, measured(claim))
        while (claim := study.claim("runner", budget=3)) is not None:
            study.finish(claim, measured(claim))
        assert summarise(study).budget_used == 3
