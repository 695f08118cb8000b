"""What is read of a study for its resource, and what is no study."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from fakes.manifests import optimization

from llmopt_core.resources import resource_of
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.errors import StudyUnreadable
from llmopt_core.storage.storages import open_storage
from llmopt_operator.adapters.readings import read_study
from llmopt_operator.adapters.storages import NamespaceDatabase

RESOURCE = resource_of(optimization())


def test_a_study_without_its_definition_is_not_taken_for_none(tmp_path: Path) -> None:
    """Only where there is no study may a new one be made; one whose definition is gone cannot be read."""
    definition = define_study(RESOURCE)
    with open_storage(f"sqlite:///{tmp_path}/studies.db") as storage:
        storage.create_study(definition)
        with storage.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM study_user_attributes WHERE key = 'llmopt:definition'"))
        database = NamespaceDatabase("team-a", "url", storage)
        with pytest.raises(StudyUnreadable, match="llmopt:definition"):
            read_study(database, definition.name, RESOURCE, "cluster/team-a")
        assert read_study(database, "another", RESOURCE, "cluster/team-a") is None
