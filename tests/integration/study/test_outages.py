"""The database goes away, or is none: what a runner sees, and that the same study works afterwards."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fakes.postgres import PASSWORD
from fakes.studies import definition, heartbeat, measured

from llmopt_core.analysis.summary import summarise
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.errors import StorageUnavailable, StorageUnusable, StudyUnreadable
from llmopt_core.storage.reaper import Reaper


def test_study_works_again_after_postgres_was_stopped(postgres, postgres_url):
    """Stopped: Postgres, as by a crash. Survives: the study object, its claims and what was measured."""
    with open_for_search(postgres_url) as storage:
        study = storage.create_study(definition(sampler="tpe"))
        first, second = (study.claim("runner", budget=9) for _ in range(2))
        study.finish(first, measured(first))
        postgres.stop()
        try:
            calls = (
                lambda: study.claim("runner", budget=9),
                lambda: study.finish(second, measured(second)),
                lambda: study.give_back(second, "asked to stop"),
                lambda: study.heartbeat(heartbeat("runner", 1)),
                study.trials,
                lambda: study.ended,
                Reaper(study, 1.0).sweep,
            )
            for call in calls:
                with pytest.raises(StorageUnavailable) as error:
                    call()
                assert error.value.retryable
                assert PASSWORD not in str(error.value)
        finally:
            postgres.start()
        study.heartbeat(heartbeat("runner", 2))
        study.finish(second, measured(second))
        while (claim := study.claim("runner", budget=9)) is not None:
            study.finish(claim, measured(claim))
        assert summarise(study).budget_used == 9
        assert len(storage.open_study("study").trials()) == 9


def test_a_study_is_dropped_while_a_trial_ends(postgres_url):
    """A user who drops a study waits for what is being written to it, and leaves no row of it."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with (
        open_for_search(postgres_url) as runner,
        open_for_search(postgres_url) as other,
        ThreadPoolExecutor() as pool,
    ):
        study = runner.create_study(definition())
        claim = study.claim("runner", budget=9)
        drops = []

        @sa.event.listens_for(runner.engine, "after_cursor_execute")
        def drop_meanwhile(_connection, _cursor, statement, *_):
            if drops or not statement.startswith("INSERT INTO trial_user_attributes"):
                return
            drops.append(pool.submit(other.drop_study, "study"))
            deadline = time.monotonic() + 30
            with other.engine.connect() as looking:
                while not looking.execute(waiting).scalar():
                    looking.rollback()
                    assert time.monotonic() < deadline
                    time.sleep(0.01)

        study.finish(claim, measured(claim))
        drops[0].result(timeout=30)
        assert other.study_names() == ()
        with other.engine.connect() as connection:
            for table in ("trials", "trial_user_attributes", "trial_values", "study_user_attributes"):
                assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() == 0  # noqa: S608


def test_connections_cut_in_the_middle(postgres_url):
    """Cut: the pooled connections, by the server. Survives: the next call, without an error."""
    with open_for_search(postgres_url) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=9)
        cutter = sa.create_engine(postgres_url)
        with cutter.connect() as connection:
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        cutter.dispose()
        study.finish(claim, measured(claim))
        assert study.trials()[0].state == "finished"


@pytest.mark.parametrize("event", ["commit", "lost"])
def test_claim_whose_answer_was_lost(postgres_url, event):
    """Cut: the connection around a claim's commit. Survives: a budget without a trial nobody knows of."""
    with open_for_search(postgres_url) as storage:
        study = storage.create_study(definition())
        study.claim("runner", budget=3)
        cut = threading.Event()

        def cut_off(connection):
            if not cut.is_set():
                cut.set()
                if event == "lost":  # committed, but the answer does not arrive
                    connection.connection.commit()
                connection.connection.driver_connection.close()

        sa.event.listen(storage.engine, "commit", cut_off)
        with pytest.raises(StorageUnavailable):
            study.claim("runner", budget=3)
        claims = [study.claim("runner", budget=3) for _ in range(3)]
        assert [claim and claim.number for claim in claims] == [1, 2, None]
        for claim in claims[:2]:
            study.finish(claim, measured(claim))


def test_postgres_that_is_not_there():
    """An address where nobody listens is unavailable, said without the password."""
    url = f"postgresql+psycopg://llmopt:{PASSWORD}@127.0.0.1:1/study"
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:1/study") as error:
        open_for_search(url)
    assert PASSWORD not in str(error.value)
    assert error.value.__cause__ is None


def test_wrong_password_is_not_reported(postgres):
    """A refused password is not repeated in the message."""
    url = postgres.url("postgres").replace(PASSWORD, "wr0ng-word")
    with pytest.raises(StorageUnavailable) as error:
        open_for_search(url)
    assert "wr0ng-word" not in str(error.value)


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_file_that_is_no_database(tmp_path, content):
    """A file of something else is refused as unusable, and left as it was."""
    path = tmp_path / "study.db"
    path.write_bytes(content)
    with pytest.raises(StorageUnusable, match="move the file away"):
        open_for_search(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_folder_that_is_not_there(tmp_path):
    """A path in a missing folder is said to be so."""
    with pytest.raises(StorageUnavailable, match="there is no folder"):
        open_for_search(f"sqlite:///{tmp_path}/missing/study.db")


@pytest.mark.parametrize("url", ["mysql://host/study", "no address", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_cannot_be_used(url):
    """An address of another kind is refused with what to use."""
    with pytest.raises(StorageUnusable, match="sqlite"):
        open_for_search(url)


def test_database_of_another_optuna(sqlite_url, tmp_path):
    """A database of another version of Optuna is refused, and not changed."""
    with sqlite3.connect(tmp_path / "study.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
    connection.close()
    with pytest.raises(StorageUnusable, match="table schema"):
        open_for_search(sqlite_url)


def test_optunas_own_study_is_not_ours(sqlite_url):
    """A study that Optuna alone made is not opened as one of ours."""
    program = f"import optuna; optuna.create_study(storage={sqlite_url!r}, study_name='plain')"
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=dict(os.environ))
    with open_for_search(sqlite_url) as storage, pytest.raises(StudyUnreadable, match="is not llmopt's"):
        storage.open_study("plain")


def test_full_disk(sqlite_url):
    """A database that cannot grow is unavailable; after there is space the same call works."""
    with open_for_search(sqlite_url) as storage:
        study = storage.create_study(definition())
        claim = study.claim("runner", budget=9)
        outcome = measured(claim)
        big = type(outcome)(
            outcome.kind, outcome.configuration, metrics=outcome.metrics, facts={"log": "x" * 500_000}
        )
        pages = []

        def limit(connection, _record, _proxy):
            pages.append(connection.execute("PRAGMA page_count").fetchone()[0])
            connection.execute(f"PRAGMA max_page_count = {pages[0]}")

        sa.event.listen(storage.engine, "checkout", limit)
        with pytest.raises(StorageUnavailable, match="full"):
            study.finish(claim, big)
        sa.event.remove(storage.engine, "checkout", limit)
        storage.close()
        study.finish(claim, big)
        assert study.trials()[0].outcome == big
