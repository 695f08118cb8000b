"""How much of a study a reader reads, keeps and waits for."""

from dataclasses import replace
from itertools import count

import pytest
import sqlalchemy as sa
from fakes.studies import definition

from llmopt_core.storage.access import Access
from llmopt_core.storage.database import Database
from llmopt_core.storage.errors import StorageUnavailable, StudyUnreadable
from llmopt_core.storage.snapshot import Snapshot
from llmopt_core.storage.storages import open_storage

READER = Access(batch_rows=2, search_details=False)
TRIALS = 10


@pytest.fixture
def url(tmp_path):
    """The address of a study with ten trials that wait."""
    address = f"sqlite:///{tmp_path}/studies.db"
    entries = tuple({"engine.n_parallel": 3} for _ in range(TRIALS - 1))
    with open_storage(address) as storage:
        storage.create_study(definition(enqueue=entries))
    return address


def _forge(url, text, numbers):
    """Write `text` in place of the assignments of the trials `numbers`."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for number in numbers:
            connection.execute(
                sa.text(
                    "UPDATE trial_user_attributes SET value_json = :text WHERE key = 'llmopt:ticket'"
                    " AND trial_id = (SELECT trial_id FROM trials WHERE number = :number)"
                ),
                {"text": text, "number": number},
            )
    engine.dispose()


def _refreshed(url, access, **more):
    snapshot = Snapshot(1, definition(), access, **more)
    with Database(url) as database, database.reading() as connection:
        snapshot.refresh(connection)
    return snapshot


def test_rows_that_cannot_be_read_count_with_their_bytes(url):
    """A few large rows of garbage and the study is refused: thousands of them are not read one by one."""
    access = replace(READER, kept_bytes=50_000)
    _forge(url, "x" * 20_000, [0, 1])
    snapshot = _refreshed(url, access)
    assert len(snapshot.trials) == TRIALS
    assert snapshot.kept_bytes > 40_000
    _forge(url, "x" * 20_000, [2])
    with pytest.raises(StudyUnreadable, match="more than 50000 bytes"):
        _refreshed(url, access)


def test_what_is_kept_counts_as_what_it_takes(url):
    """Notes of a sampler made of empty lists take twenty times their text, and count as more than that."""
    _forge(url, f'{{"phase":"search","sampler":{{"a":[{"[]," * 2000}[]]}}}}', [1])
    assert _refreshed(url, READER).kept_bytes > 40 * 2_000
    with pytest.raises(StudyUnreadable, match="more than 50000 bytes"):
        _refreshed(url, replace(READER, kept_bytes=50_000))


def test_a_definition_counts_among_what_is_kept(url):
    """An open study keeps its definition, so one that is too large is not even parsed."""
    with open_storage(url, READER) as storage:
        study = storage.open_study("study")
        assert study.kept_bytes > 500
        before = study.kept_bytes
        study.trials()
        assert study.kept_bytes > before
    with (
        open_storage(url, replace(READER, kept_bytes=500)) as storage,
        pytest.raises(StudyUnreadable, match="more than 500 bytes"),
    ):
        storage.open_study("study")


def test_reading_ends_when_nobody_waits_for_it_any_more(url):
    """Between rows the time is looked at; what was read is kept, and the next look goes on from there."""
    ticks = count()
    snapshot = Snapshot(
        1, definition(), replace(READER, refresh_seconds=4.0), clock=lambda: float(next(ticks))
    )
    with Database(url) as database, database.reading() as connection:
        with pytest.raises(StorageUnavailable, match=r"study study could not be read within 4 s"):
            snapshot.refresh(connection)
        assert 0 < len(snapshot.trials) < TRIALS
        snapshot._clock = lambda: 0.0
        snapshot.refresh(connection)
    assert list(snapshot.trials) == list(range(TRIALS))


def test_only_samplers_keep_which_trials_changed(url):
    """A reader of a study that changes for months keeps no list of all changes."""
    assert _refreshed(url, READER).changes == []
    assert _refreshed(url, replace(READER, search_details=True)).changes == list(range(TRIALS))
