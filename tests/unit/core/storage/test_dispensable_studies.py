"""Studies that go with their resource, in a database that several namespaces share."""

from dataclasses import replace
from pathlib import Path

from fakes.manifests import optimization

from llmopt_core.resources import resource_of
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.storages import open_storage
from llmopt_core.storage.studies import DELETE, KEEP


def test_a_study_says_whose_resource_it_is_of(tmp_path: Path) -> None:
    """Who sweeps sees of each study whose it is, and that it is nobody's where an earlier version made it."""
    definition = define_study(resource_of(optimization()))
    with open_storage(f"sqlite:///{tmp_path}/studies.db") as storage:
        for name, retention, owner in (
            ("mine", DELETE, "cluster/team-a"),
            ("theirs", DELETE, "cluster/team-b"),
            ("kept", KEEP, "cluster/team-a"),
        ):
            storage.create_study(replace(definition, name=name)).retain(retention, owner)
        storage.create_study(replace(definition, name="silent"))
        assert storage.dispensable_studies() == {"mine": "cluster/team-a", "theirs": "cluster/team-b"}
