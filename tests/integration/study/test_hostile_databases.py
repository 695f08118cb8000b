"""Whatever a tenant's database does is a named error, and passes when its cause does."""

import json
import time
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from fakes.postgres import PASSWORD
from fakes.studies import definition, heartbeat, measured
from fakes.tcp_proxy import TcpProxy
from fakes.tenant_databases import TenantsDatabase
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.analysis.summary import summarise
from llmopt_core.errors.classes import LlmoptError
from llmopt_core.results.findings import finding_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage import postgres as connections
from llmopt_core.storage.access import Access
from llmopt_core.storage.errors import StorageReadOnly, StorageUnavailable, StorageUnusable, StudyUnreadable
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import OutcomeKind

# As the operator's, with the patience of a test.
HASTY = Access(
    postgres_only=True,
    idle_connections=1,
    connect_seconds=2,
    answer_seconds=4.0,
    statement_seconds=3.0,
    lock_seconds=0.3,
    idle_seconds=5.0,
    document_bytes=200_000,
    batch_bytes=300_000,
    batch_rows=7,
    most_trials=50,
    search_details=False,
)


@pytest.fixture
def tenants(postgres):
    return TenantsDatabase(postgres)


def _look(study):
    """All that the operator does with a study that runs."""
    Reaper(study, 60.0).sweep()
    return study.picture()


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
            lambda: _look(study),
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
            _look(study)
        tenants.admin("ALTER TABLE trials OWNER TO {}", tenants.role)
        assert _look(study).trials()[0].state == "waiting"


@pytest.mark.parametrize("path", ["elsewhere", "public, pg_catalog"])
def test_another_search_path(tenants, path):
    """A search_path without the tables, or with functions that replace the server's, is refused."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        tenants.sql("CREATE SCHEMA elsewhere")
        tenants.admin("ALTER ROLE {} SET search_path = " + path, tenants.role)
        tenants.cut()
        with pytest.raises(StorageUnusable, match=r"search_path|tables are not"):
            _look(study)
        tenants.admin("ALTER ROLE {} RESET search_path", tenants.role)
        tenants.cut()
        assert _look(study).trials()


def test_locked_table(tenants):
    """Locked: a table, by the tenant. Within the lock's limit: StorageUnavailable; then it works again."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        holder = psycopg.connect(tenants.url.replace("+psycopg", ""))
        holder.execute("LOCK TABLE trials, studies")
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="lock"):
            _look(study)
        with pytest.raises(StorageUnavailable, match="lock"):
            storage.pulses(["study"])
        assert time.monotonic() - began < 10.0  # and not until the lock is given back
        holder.close()
        assert _look(study).trials()


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
            _look(study)
        tenants.create()
        with pytest.raises(StorageUnusable, match="tables are not"):
            _look(study)
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
            _look(study)
        with pytest.raises(StorageUnavailable):
            storage.pulses(["study"])
        with pytest.raises(StorageUnavailable):
            open_for_search(_through(tenants.url, postgres, proxy), HASTY)
        assert time.monotonic() - began < 4 * HASTY.answer_seconds + 3 * HASTY.connect_seconds
        proxy.forward()
        assert _look(study).trials()


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


GARBAGE = {
    "no JSON": "not json",
    "another type": '"text"',
    "a deep nest": "[" * 100_000,
    "a phase that nobody knows": json.dumps({"phase": "dancing"}),
    "numbers for names": json.dumps({"phase": "search", "parameters": [1, 2]}),
    "too long": json.dumps({"phase": "search", "runner": "x" * 300_000}),
}


@pytest.mark.parametrize("case", GARBAGE)
@pytest.mark.parametrize("access", [HASTY, Access()], ids=["operator", "runner"])
def test_row_that_cannot_be_read_is_counted_and_named(tenants, case, access):
    """A trial whose row is garbage counts as failed, by its number; all others are as they were."""
    if case == "too long" and access.document_bytes > len(GARBAGE[case]):
        pytest.skip("not too long for a runner")
    with open_for_search(tenants.url, access) as storage:
        study = storage.create_study(definition())
        for _ in range(3):
            claim = study.claim("runner", budget=9)
            study.finish(claim, measured(claim))
        _write_assignment(storage, 1, GARBAGE[case])
        fresh = storage.open_study("study")
        summary = summarise(_look(fresh))
        assert summary.counts == {OutcomeKind.MEASURED: 2, OutcomeKind.FAILED: 1}
        assert [(error.count, error.last_trial) for error in summary.errors] == [(1, 1)]
        assert "trial 1" in summary.errors[0].last.message
        assert summary.budget_used == 3
        claim = fresh.claim("runner", budget=9)
        assert claim.number == 3
        fresh.finish(claim, measured(claim))
        assert finding_of(fresh, summarise(fresh)).trial is not None


def _write_assignment(storage, number, text):
    with storage.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE trial_user_attributes SET value_json = :text WHERE key = 'llmopt:ticket'"
                " AND trial_id IN (SELECT trial_id FROM trials WHERE number = :number)"
            ),
            {"text": text, "number": number},
        )


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trial_user_attributes WHERE key = 'llmopt:ticket' AND trial_id = {}",
        "DELETE FROM trial_user_attributes WHERE key = 'llmopt:ending' AND trial_id = {}",
        (
            "UPDATE trial_user_attributes"
            """ SET value_json = '{{"outcome":{{"kind":"measured","configuration":{{}}}}}}'"""
            " WHERE key = 'llmopt:ending' AND trial_id = {}"
        ),
        "UPDATE trials SET state = 'RUNNING' WHERE trial_id = {}",
        "UPDATE trials SET datetime_start = '0001-01-01 BC' WHERE trial_id = {}",
    ],
    ids=["no assignment", "no ending", "no metric", "running with an ending", "a time before all times"],
)
def test_row_that_contradicts_itself(tenants, statement):
    """A trial of which a part is missing or forged never keeps the others from being read."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(3):
            claim = study.claim("runner", budget=9)
            study.finish(claim, measured(claim))
        with storage.engine.begin() as connection:
            trial_id = connection.execute(sa.text("SELECT trial_id FROM trials WHERE number = 1")).scalar()
            connection.exec_driver_sql(statement.format(trial_id))
        picture = _look(storage.open_study("study"))
        assert [trial.number for trial in picture.trials()] == [0, 1, 2]
        assert summarise(picture).counts[OutcomeKind.MEASURED] >= 2
        assert finding_of(picture, summarise(picture)).trial is not None


def test_trials_without_a_number_and_runners_of_garbage(tenants):
    """Rows that have no name of their own are counted, and those of runners named."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        study.heartbeat(heartbeat("runner", 1))
        with storage.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO trials (study_id, state)"
                " SELECT study_id, 'FAIL' FROM studies, generate_series(1, 3)"
            )
            connection.exec_driver_sql(
                "INSERT INTO study_user_attributes (study_id, key, value_json)"
                " SELECT study_id, 'runner:evil', '{' FROM studies"
            )
        picture = _look(study)
        assert picture.unreadable == ("runner:evil", "3 trials without a number")
        assert [runner.name for runner in picture.runners()] == ["runner"]
        assert len(picture.trials()) == 1


def test_definition_that_cannot_be_read(tenants):
    """A study whose definition is garbage, or a gigabyte, is an error with its own class."""
    with open_for_search(tenants.url, HASTY) as storage:
        storage.create_study(definition())
        for text in ("'{'", "'{\"space\": 3}'", "repeat('x', 100000000)"):
            tenants.sql(
                f"UPDATE study_user_attributes SET value_json = {text} WHERE key = 'llmopt:definition'"  # noqa: S608 - ours
            )
            with pytest.raises(StudyUnreadable, match="definition"):
                storage.open_study("study")


def test_huge_attributes_are_not_sent(tenants):
    """Attributes of many megabytes cost the reader neither memory nor the study."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=9)
        study.finish(claim, measured(claim))
        tenants.sql(
            "INSERT INTO trial_user_attributes (trial_id, key, value_json)"
            " SELECT trial_id, 'mine', repeat('x', 50000000) FROM trials",
            "INSERT INTO study_user_attributes (study_id, key, value_json)"
            " SELECT study_id, name, repeat('x', 50000000)"
            " FROM studies, unnest(ARRAY['mine', 'runner:big']) AS name",
        )
        received = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            if cursor.pgresult and cursor.pgresult.ntuples:
                received.append(_bytes_of(cursor.pgresult))

        picture = _look(storage.open_study("study"))
        assert picture.unreadable == ("runner:big",)
        assert len(picture.trials()) == 1
        assert 0 < sum(received) < 100_000


def _bytes_of(result):
    return sum(
        len(result.get_value(row, column) or b"")
        for row in range(result.ntuples)
        for column in range(result.nfields)
    )


def test_many_rows_are_read_in_batches_up_to_a_limit(tenants):
    """A study of more trials than one answer holds is read whole; of more than are allowed, it is refused."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(20):
            claim = study.claim("runner", budget=99)
            study.finish(claim, measured(claim))
        rows = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            rows.append(cursor.rowcount)

        assert len(storage.open_study("study").trials()) == 20
        assert max(rows) == HASTY.batch_rows
        tenants.sql(
            "INSERT INTO trials (study_id, number, state)"
            " SELECT study_id, each, 'FAIL' FROM studies, generate_series(100, 100099) AS each"
        )
        rows.clear()
        with pytest.raises(StudyUnreadable, match="more than 50 trials"):
            storage.open_study("study").trials()
        assert sum(rows) < 100
        assert storage.pulses(["study"])["study"].trials == HASTY.most_trials + 1


def test_large_documents_are_read_in_batches(tenants):
    """One answer holds no more than about `batch_bytes`, however large the single documents are."""
    with open_for_search(tenants.url, HASTY) as storage:
        study = storage.create_study(definition())
        for _ in range(6):
            claim = study.claim("runner", budget=99)
            outcome = measured(claim)
            study.finish(claim, replace(outcome, facts={"log": "x" * 150_000}))
        sizes = []

        @sa.event.listens_for(storage.engine, "after_cursor_execute")
        def count(_connection, cursor, *_):
            if cursor.pgresult:
                sizes.append(_bytes_of(cursor.pgresult))

        trials = storage.open_study("study").trials()
        assert len(trials) == 6
        assert max(sizes) < HASTY.batch_bytes + HASTY.document_bytes


def test_a_reader_keeps_a_limited_number_of_bytes(tenants):
    """A study of which a reader would keep more than its limit is refused; what is dropped does not count."""
    small = replace(HASTY, kept_bytes=40_000)
    with open_for_search(tenants.url) as owner, open_for_search(tenants.url, small) as reader:
        study = owner.create_study(definition())
        samples = {f"item-{number}": 1.0 for number in range(5_000)}
        for warning in ("short", "x" * 60_000):
            claim = study.claim("runner", budget=9)
            study.finish(claim, replace(measured(claim), samples=samples, warnings=(warning,)))
            if warning == "short":
                opened = reader.open_study("study")
                assert opened.trials()
                assert 0 < opened.kept_bytes < 2_000
        with pytest.raises(StudyUnreadable, match="more than 40000 bytes"):
            reader.open_study("study").trials()


def test_a_reader_keeps_no_samples_of_the_search(tenants):
    """Samples, sampler notes and foreign facts of search trials are not kept; what a result shows is."""
    with open_for_search(tenants.url) as owner, open_for_search(tenants.url, HASTY) as reader:
        study = owner.create_study(definition())
        claim = study.claim("runner", budget=9)
        outcome = measured(claim)
        facts = {"serve_command": "serve it", "log": "long"}
        samples = {f"item-{number}": 1.0 for number in range(100)}
        study.finish(claim, replace(outcome, facts=facts, samples=samples))
        (seen,) = reader.open_study("study").trials()
        assert seen.outcome.samples == {}
        assert seen.outcome.facts == {"serve_command": "serve it"}
        assert seen.outcome.metrics == outcome.metrics
        assert owner.open_study("study").trials()[0].outcome.samples == samples
