import dataclasses
import shutil

import pytest
from fakes.local_runs import document
from fakes.studies import heartbeat, measured

from llmopt_core.resources.optimization import LLMOptimization
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.definitions import define_study
from llmopt_runner.loop.earlier_studies import learn_from_others

MACHINE = "4 x Processor, 16 GiB"


def _resource(name, namespace=None, **search):
    plain = document(name=name)
    plain["spec"]["search"] |= {"sampler": {"name": "auto"}, **search}
    if namespace is not None:
        plain["metadata"]["namespace"] = namespace
    return LLMOptimization.model_validate(plain)


def _url(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder}/study.db"


def _finished(url, resource):
    """An optimization of six measured configurations on MACHINE."""
    with open_for_search(url) as storage:
        study = storage.create_study(define_study(resource))
        study.heartbeat(heartbeat("r", 1, machine=MACHINE))
        default = study.claim("r", budget=99)
        study.finish(default, dataclasses.replace(measured(default), configuration=Configuration()))
        for _ in range(6):
            claim = study.claim("r", budget=99)
            study.finish(claim, measured(claim))
        study.end("TrialsExhausted", "all trials are done")


def _learned(url, resource, results):
    with open_for_search(url) as storage:
        study = storage.create_study(define_study(resource))
        learn_from_others(study, resource, url, results, MACHINE)
        kept = study.lessons.kept
    return None if kept is None else [each.resource for each in kept]


def test_studies_in_the_folders_beside_are_learned_from(tmp_path):
    """The folder of another run is; one that was set aside for a fresh start is not, nor what is no study."""
    _finished(_url(tmp_path / "first"), _resource("first"))
    shutil.copytree(tmp_path / "first", tmp_path / "first.until-20261126-110000-000000")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "study.db").write_text("no database")
    folder = tmp_path / "second"
    assert _learned(_url(folder), _resource("second"), folder) == ["default/first"]


def test_studies_of_a_shared_database_are_learned_from(tmp_path):
    """Those of the own namespace are, also where the database does not lie in the results folder."""
    url = _url(tmp_path / "shared")
    _finished(url, _resource("first", "team"))
    _finished(url, _resource("foreign", "others"))
    assert _learned(url, _resource("second", "team"), tmp_path / "results") == ["team/first"]


@pytest.mark.parametrize("machine_of", ["first", "second"])
def test_what_is_named_comes_first(tmp_path, machine_of):
    """A study that the manifest starts from is learned from before others."""
    for name in ("first", "second"):
        _finished(_url(tmp_path / name), _resource(name))
    folder = tmp_path / "third"
    resource = _resource("third", warmStartFrom=[{"name": machine_of}])
    learned = _learned(_url(folder), resource, folder)
    assert learned[0] == f"default/{machine_of}"
    assert sorted(learned) == ["default/first", "default/second"]


def test_a_manifest_can_want_nothing_of_other_studies(tmp_path):
    """With `transfer: none` nothing is kept of any."""
    _finished(_url(tmp_path / "first"), _resource("first"))
    folder = tmp_path / "second"
    assert _learned(_url(folder), _resource("second", transfer="none"), folder) is None
