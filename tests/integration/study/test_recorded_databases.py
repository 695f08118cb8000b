"""Postgres databases of earlier releases, under the study layer of this version: read and resumed."""

import pytest
from releases.recorded import RECORDED, hashes, resources
from releases.restored import restore_database

from llmopt_core.analysis.comparison import compare_candidates
from llmopt_core.analysis.summary import summarise
from llmopt_core.resources import LLMBenchmark, resource_of
from llmopt_core.resources.hashed import served_document
from llmopt_core.results.findings import finding_of
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.reaper import Reaper


@pytest.fixture(params=RECORDED, ids=lambda release: release.name)
def release(request):
    return request.param


@pytest.fixture
def storage(release, postgres, request):
    url = postgres.create_database(f"recorded-{release.name}-{request.node.name}"[:60])
    restore_database(url, release)
    with open_for_search(url) as storage:
        yield storage


def recorded_studies(release):
    """Return, by their file, the resources that have a study."""
    return {name: each for name, each in resources(release).items() if "study" in each.get("status", {})}


def test_each_resource_finds_its_study(storage, release):
    """Name and fingerprint are those that the resource has now: it is opened, and no second one is made."""
    before = storage.study_names()
    for name, document in recorded_studies(release).items():
        study = storage.create_study(define_study(resource_of(served_document(document))))
        assert study.definition.name == document["status"]["study"]
        assert study.definition.fingerprint == hashes(release)[name]["fingerprint"]
    assert storage.study_names() == before
    assert len(before) == len(recorded_studies(release))


def test_each_study_says_what_its_release_said(storage, release):
    """Trials, result and end are read as they were reported in the status."""
    for document in recorded_studies(release).values():
        status, resource = document["status"], resource_of(served_document(document))
        study = storage.open_study(status["study"])
        held = {each["type"] for each in status["conditions"] if each["status"] == "True"}
        assert (study.ended is not None) == bool(held & {"Complete", "Failed"})
        if isinstance(resource, LLMBenchmark):
            found = compare_candidates(study)
            assert (found.winner, found.finished) == (status.get("winner"), status["progress"]["finished"])
        elif "best" in status:
            assert finding_of(study, summarise(study)).trial == status["best"]["trial"]
            assert len(summarise(study).errors) == len(status.get("errors", ()))


def test_a_running_study_is_resumed(storage, release):
    """A new runner gets the trial that the former one held, with the same parameters, and then new ones."""
    document = resources(release)["cluster/llmoptimizations/running.json"]
    study = storage.open_study(document["metadata"]["uid"])
    (held,) = [trial for trial in study.trials() if trial.state == "running"]
    study.replace_runners(0)
    assert Reaper(study, lease_seconds=60.0).sweep() == (held.number,)
    claim = study.claim("newer", budget=500)
    assert claim.parameters == held.parameters
    assert study.claim("newest", budget=500).number > held.number
