"""What is asked of a database leaves out what is longer than anything that llmopt writes."""

import pytest
import sqlalchemy as sa
from fakes.studies import definition

from llmopt_core.storage.database import Database
from llmopt_core.storage.keys import OWNER_KEY, RETENTION_KEY, RUNNER_PREFIX
from llmopt_core.storage.rows import delete_study, find_studies, list_studies, newest_attributes
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import DELETE

LONG = "x" * 5_000


@pytest.fixture
def database(tmp_path):
    """A database with three studies of one owner."""
    url = f"sqlite:///{tmp_path}/studies.db"
    with open_storage(url) as storage:
        for name in ("one", "two", "three"):
            storage.create_study(definition(name)).retain(DELETE, "cluster/team")
    with Database(url) as opened:
        yield opened


def _write(database, statement, **values):
    with database.writing() as connection:
        connection.execute(sa.text(statement), values)


def test_a_study_with_a_long_name_or_owner_is_left_out(database):
    """It is nobody's either: what is nobody's is taken over."""
    _write(database, "UPDATE studies SET study_name = :long WHERE study_name = 'one'", long=LONG)
    _write(
        database,
        "UPDATE study_user_attributes SET value_json = :long WHERE key = 'llmopt:owner'"
        " AND study_id = (SELECT study_id FROM studies WHERE study_name = 'two')",
        long=LONG,
    )
    with database.reading() as connection:
        assert find_studies(connection, RETENTION_KEY, f'"{DELETE}"', OWNER_KEY) == {
            "three": '"cluster/team"'
        }
        assert list_studies(connection) == ("three", "two")


def test_a_runner_with_a_long_name_is_left_out(database):
    """Keys have a limited length, unless their column was altered."""
    for name in ("short", LONG):
        _write(
            database,
            "INSERT INTO study_user_attributes (study_id, key, value_json) VALUES (1, :key, '{}')",
            key=f"{RUNNER_PREFIX}{name}",
        )
    with database.reading() as connection:
        assert newest_attributes(connection, 1, RUNNER_PREFIX) == {f"{RUNNER_PREFIX}short": "{}"}


def test_a_dropped_study_is_locked_without_being_read(database):
    """Its rows are counted by the database: of millions of trials none is sent."""
    received = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def look(_connection, _cursor, statement, *_):
        received.append(statement)

    with database.exclusive(1) as connection:
        delete_study(connection, 1)
    asked = [statement for statement in received if statement.startswith("SELECT")]
    assert len(asked) == 2
    assert all(statement.startswith("SELECT count(*)") for statement in asked)
    with database.reading() as connection:
        assert list_studies(connection) == ("three", "two")
