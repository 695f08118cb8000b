"""How many lost trials one sweep takes away."""

from fakes.studies import definition

from llmopt_core.storage import studies
from llmopt_core.storage.database import Database
from llmopt_core.storage.documents import Assignment
from llmopt_core.storage.reaper import Reaper
from llmopt_core.storage.records import Phase
from llmopt_core.storage.rows import TrialWriter
from llmopt_core.storage.storages import open_storage


def test_one_sweep_takes_a_limited_number_of_trials(tmp_path, monkeypatch):
    """Thousands of rows that claim to run are taken away over many sweeps, and none is forgotten."""
    monkeypatch.setattr(studies, "MOST_REAPED", 3)
    url, now = f"sqlite:///{tmp_path}/studies.db", [0.0]
    with open_storage(url) as storage, Database(url) as database:
        study = storage.create_study(definition())
        writer = TrialWriter(1, definition().space)
        with database.writing() as connection:
            for number in range(1, 6):
                writer.create(connection, number, Assignment(Phase.SEARCH, runner="gone"), run=True)
        reaper = Reaper(study, 60.0, lambda: now[0])
        assert reaper.sweep() == ()
        now[0] = 61.0
        assert reaper.sweep() == (1, 2, 3)
        assert reaper.sweep() == (4, 5)
        assert reaper.sweep() == ()
