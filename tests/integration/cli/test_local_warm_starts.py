"""On one machine the study to start from lies in the folder beside the new one."""

import pytest
from fakes.local_runs import FAST, Listener, document, manifest, run_options, stub_command

from llmopt.commands.run import local_study
from llmopt.local.folders import ResultsFolder
from llmopt.local.runs import RunSettings, find
from llmopt.local.sessions import Stop
from llmopt_core.analysis.summary import rank
from llmopt_core.sampling.others import WarmStartInvalid
from llmopt_core.storage.storages import open_storage


def _run(tmp_path, name, **changes):
    local = local_study(manifest(name=name, **changes), "test", run_options(tmp_path))
    return find(local, RunSettings(None, stub_command(), FAST), Stop(), Listener().audience)


def _from(name):
    return {**document()["spec"]["search"], "warmStartFrom": [{"name": name}]}


def test_the_best_of_the_folder_beside_are_tried_first(tmp_path):
    """What the first run found best is the second run's trial after its default."""
    _run(tmp_path, "first")
    _run(tmp_path, "second", search=_from("first"))
    with open_storage(ResultsFolder(tmp_path / "first").storage_url()) as storage:
        best = rank(storage.open_study("first"))[0].outcome.configuration
    with open_storage(ResultsFolder(tmp_path / "second").storage_url()) as storage:
        trial = storage.open_study("second").trials()[1]
    assert trial.parameters["sampling.temperature"] == best.sampling["temperature"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """A run that was never made is named with the field, and no runner is started."""
    with pytest.raises(WarmStartInvalid, match=r"warmStartFrom\[0\]\.name: 'absent' has no study .*absent"):
        _run(tmp_path, "second", search=_from("absent"))
