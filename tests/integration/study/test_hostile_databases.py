"""Whatever a tenant's database does is a named error, and passes when its cause does."""

import time
from dataclasses import replace

import psycopg
import pytest
from fakes.postgres import PASSWORD
from fakes.postgres_messages import many_notices, many_rows, one_row
from fakes.studies import definition, heartbeat
from fakes.tcp_proxy import TcpProxy
from fakes.tenant_databases import HASTY, TenantsDatabase, look
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage import postgres as connections
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StorageReadOnly, StorageUnavailable, StorageUnusable


@pytest.fixture
def tenants(postgres):
    return TenantsDatabase(postgres)


BROKEN = {
    "a renamed column": ("ALTER TABLE trials RENAME COLUMN number TO nummer", "tables are not"),
    "a dropped table": ("DROP TABLE trial_user_attributes", "tables are not"),
    "another type of column": ("ALTER TABLE trials ALTER COLUMN number TYPE text USING 'garbage'", "garbage"),
    "a view in a table's place": (
        "ALTER TABLE trials RENAME TO kept; CREATE VIEW trials AS SELECT trial_id FROM kept",
        "tables are not",
    ),
    "revoked rights": (
        "ALTER TABLE trials OWNER TO llmopt; REVOKE ALL ON trials FROM PUBLIC",
        "lacks a right",
    ),
    "a moved schema": ("ALTER SCHEMA public RENAME TO elsewhere", "tables are not"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_tables_are_a_named_error(tenants, case):
    """Whatever was done to the tables, reading and writing raise StorageUnusable that says what to do."""
    statement, words = BROKEN[case]
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=9)
        tenants.sql(statement)
        for call in (
            lambda: look(study),
            lambda: storage.pulses(["study"]) and study.claim("runner", budget=9),
        ):
            with pytest.raises(StorageUnusable, match=words) as caught:
                call()
            assert PASSWORD not in str(caught.value)
            assert caught.value.__cause__ is None
        assert claim.number == 0


def test_rights_that_come_back(tenants):
    """Revoked: the right to read. Survives: the study object, which works again once the right is back."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.sql("ALTER TABLE trials OWNER TO llmopt")
        with pytest.raises(StorageUnusable, match="lacks a right"):
            look(study)
        tenants.admin("ALTER TABLE trials OWNER TO {}", tenants.role)
        assert look(study).trials()[0].state == "waiting"


@pytest.mark.parametrize("path", ["elsewhere", "public, pg_catalog"])
def test_another_search_path(tenants, path):
    """A search_path without the tables, or with functions that replace the server's, is refused."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.sql("CREATE SCHEMA elsewhere")
        tenants.admin("ALTER ROLE {} SET search_path = " + path, tenants.role)
        tenants.cut()
        with pytest.raises(StorageUnusable, match=r"search_path|tables are not"):
            look(study)
        tenants.admin("ALTER ROLE {} RESET search_path", tenants.role)
        tenants.cut()
        assert look(study).trials()


def test_locked_table(tenants):
    """Locked: a table, by the tenant. Within the lock's limit: StorageUnavailable; then it works again."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        holder = psycopg.connect(tenants.url.replace("+psycopg", ""))
        holder.execute("LOCK TABLE trials, studies")
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="lock"):
            look(study)
        with pytest.raises(StorageUnavailable, match="lock"):
            storage.pulses(["study"])
        assert time.monotonic() - began < 10.0  # and not until the lock is given back
        holder.close()
        assert look(study).trials()


def test_statement_that_takes_too_long(tenants):
    """A view that sleeps costs no more than the limit on a statement."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.sql(
            "ALTER TABLE trials RENAME TO kept",
            "CREATE VIEW trials AS SELECT kept.* FROM kept, pg_sleep(60)",
        )
        tenants.admin("ALTER VIEW trials OWNER TO {}", tenants.role)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="took too long"):
            study.trials()
        assert time.monotonic() - began < HASTY.answer_seconds + 3.0


def test_dropped_and_restored_database(tenants):
    """Dropped: the whole database. While it is away, and when an empty one is there, errors have a class."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        before = storage.pulses(["study"])["study"].table
        tenants.drop()
        with pytest.raises(StorageUnavailable, match=r"does not exist|terminat"):
            look(study)
        tenants.create()
        with pytest.raises(StorageUnusable, match="tables are not"):
            look(study)
    with open_for_search(tenants.url, HASTY) as storage:
        assert storage.create_study(definition()).trials()
        assert storage.pulses(["study"])["study"].table != before


def test_read_only_mode(tenants):
    """Read-only: the database. Reading works, writing raises StorageReadOnly; then writing works again."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.admin("ALTER DATABASE {} SET default_transaction_read_only = on", tenants.name)
        tenants.cut()
        assert study.trials()
        with pytest.raises(StorageReadOnly, match="takes no writes"):
            study.heartbeat(heartbeat("runner", 1))
        tenants.admin("ALTER DATABASE {} RESET default_transaction_read_only", tenants.name, into="postgres")
        study.heartbeat(heartbeat("runner", 1))
        assert len(study.runners()) == 1


def test_connection_limit(tenants):
    """A role at its limit of connections is unavailable, and works when one is given back."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.admin("ALTER ROLE {} CONNECTION LIMIT 1", tenants.role)
        tenants.cut()
        with psycopg.connect(tenants.url.replace("+psycopg", "")):
            with pytest.raises(StorageUnavailable, match="too many connections"):
                study.trials()
            with pytest.raises(StorageUnavailable, match="too many connections"):
                open_for_search(tenants.url, HASTY)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                assert study.trials()
                break
            except StorageUnavailable:
                continue


@pytest.fixture
def proxy(postgres):
    with TcpProxy(postgres.port) as proxy:
        yield proxy


def _through(url, server, proxy):
    return url.replace(f":{server.port}/", f":{proxy.port}/")


def test_server_that_accepts_and_never_answers(tenants, postgres, proxy):
    """Swallowed: all that is sent. Each call ends within the limits, and works once the server answers."""
    with open_for_search(_through(tenants.url, postgres, proxy), HASTY) as storage:
        study = storage.create_study(definition())
        proxy.swallow(new=True)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable):
            look(study)
        with pytest.raises(StorageUnavailable):
            storage.pulses(["study"])
        with pytest.raises(StorageUnavailable):
            open_for_search(_through(tenants.url, postgres, proxy), HASTY)
        assert time.monotonic() - began < 4 * HASTY.answer_seconds + 3 * HASTY.connect_seconds
        proxy.forward()
        assert look(study).trials()


@pytest.mark.parametrize("access", [HASTY, Access()], ids=["operator", "runner"])
def test_idle_connections_that_a_firewall_forgot(tenants, postgres, proxy, access, monkeypatch):
    """Forgotten: idle connections, without a word. Survives: the next call, within the limit on a ping."""
    with open_for_search(_through(tenants.url, postgres, proxy), access) as storage:
        study = storage.create_study(definition())
        monkeypatch.setattr(connections, "_REST_SECONDS", -1.0)  # as if they had rested
        proxy.swallow(new=False)
        began = time.monotonic()
        study.heartbeat(heartbeat("runner", 1))
        assert time.monotonic() - began < 10.0
        assert len(study.runners()) == 1


@pytest.mark.parametrize("flood", [many_rows, one_row, many_notices])
def test_server_that_answers_without_end(tenants, postgres, proxy, flood):
    """Sent: 128 MiB in place of an answer. Received: no more than the limit and what the system buffers."""
    with open_for_search(_through(tenants.url, postgres, proxy), HASTY) as storage:
        study = storage.create_study(definition())
        proxy.answer(b"trial_user_attributes", flood(128 * 2**20))
        with pytest.raises(StorageUnavailable, match=f"more than {HASTY.answer_bytes} bytes"):
            look(study)
        assert proxy.answered_bytes < 32 * 2**20
        assert len(look(storage.open_study("study")).trials()) == 1


def test_server_that_answers_with_many_empty_rows(tenants, postgres, proxy):
    """Sent: thirty thousand rows in a few hundred kilobytes. They are refused before they become objects."""
    with open_for_search(_through(tenants.url, postgres, proxy), HASTY) as storage:
        study = storage.create_study(definition())
        proxy.answer(b"trial_user_attributes", many_rows(30_000 * 11, row_bytes=0))
        with pytest.raises(StorageUnavailable, match=f"more than {HASTY.answer_rows} rows"):
            look(study)
        assert len(look(storage.open_study("study")).trials()) == 1


def test_received_bytes_are_counted(tenants):
    """The system counts what a connection receives, also of answers that the driver has not read yet."""
    with psycopg.connect(tenants.url.replace("+psycopg", "")) as connection:
        before = connections.received_bytes(connection.pgconn.socket)
        connection.execute("SELECT repeat('x', 1000000)")
        grown = connections.received_bytes(connection.pgconn.socket) - before
    assert 1_000_000 < grown < 1_010_000


def test_idle_connections_that_were_cut(tenants, postgres, proxy):
    """Closed: idle connections, by a proxy. Survives: the next call, without an error."""
    with open_for_search(_through(tenants.url, postgres, proxy), HASTY) as storage:
        study = storage.create_study(definition())
        proxy.cut()
        study.heartbeat(heartbeat("runner", 1))
        assert len(study.runners()) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////tmp/study.db", "PostgreSQL"),
        ("postgresql:///db", "must name the host"),
        ("postgresql://u@127.0.0.1:1/db?port=x", "ports are numbers"),
        ("postgresql://u:p@ss:word@127.0.0.1/db", "%40"),
        ("postgresql://u@/db?host=/var/run/postgresql", "no socket"),
        ("postgresql://u@127.0.0.1:1/db?sslkey=/etc/passwd", "sslkey"),
        ("postgresql://u@127.0.0.1:1/db?host=" + ",".join(["127.0.0.1"] * 7), "more than 6 hosts"),
        ("postgresql://u@127.0.0.1:1/db?passfile=/etc/passwd&service=x", "passfile, service"),
    ],
)
def test_addresses_of_strangers(url, words, tmp_path):
    """Where only Postgres is accepted, another address is refused and nothing is opened or made."""
    with pytest.raises(StorageUnusable, match=words):
        open_for_search(url.replace("/tmp/", f"{tmp_path}/"), HASTY)  # noqa: S108 - replaced
    assert not list(tmp_path.iterdir())


@given(st.text("postgresql://@:?&=%[],.1\0\ud800é x", max_size=30))
def test_any_address_of_a_stranger_has_its_own_error(text):
    """Whatever stands in a Secret, it is an error of ours that repeats no password."""
    access = replace(HASTY, connect_seconds=1)
    for url in (
        text,
        f"postgresql://user:s3cret@word:{text}",
        f"postgresql://user:s3cret@127.0.0.1:1/{text}",
    ):
        with pytest.raises(LlmoptError) as error:
            open_for_search(url, access)
        assert "s3cret" not in str(error.value)
