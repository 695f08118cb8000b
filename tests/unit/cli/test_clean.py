"""What `llmopt clean` takes and what it leaves; processes are another test's."""

import json

import pytest
from fakes.local_runs import manifest

from llmopt.commands.clean import clean as command
from llmopt.local.folders import FolderBusy, ResultsFolder
from llmopt.local.histories import states
from llmopt.local.leftovers import Extent, cache_folder, free, freeable
from llmopt_core.api.exit_codes import Exit
from llmopt_core.resources import load_manifest
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.storages import open_storage


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A finished and an unfinished study, each with an engine log, and a cache of our own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (cache_folder() / "tools").mkdir(parents=True)
    (cache_folder() / "tools" / "uv").write_bytes(bytes(1000))
    results = tmp_path / "results"
    for name in ("finished", "unfinished"):
        folder = ResultsFolder(results / name)
        folder.engine_logs.mkdir(parents=True)
        (folder.engine_logs / "1.log").write_bytes(bytes(500))
        folder.manifest.write_text(manifest(name=name))
        with open_storage(folder.storage_url()) as storage:
            study = storage.create_study(define_study(load_manifest(folder.manifest)))
            if name == "finished":
                study.end("TrialsExhausted", "done")
    return results


@pytest.fixture
def clean(monkeypatch, results):
    """Run the command on `results`; no process is looked for."""
    monkeypatch.setattr("llmopt.machine.orphans.ours", lambda: type("Nothing", (), {"orphans": ()}))

    def run(extent=Extent.FINISHED, *, dry_run=False, yes=True, storage=None, as_json=False):
        return command(
            results, storage, extent, dry_run=dry_run, agreed=lambda _question: yes, as_json=as_json
        )

    return run


def going(results, extent):
    """Return what goes, by path below the folder of all, with its size."""
    found = freeable(states(results, None), extent)
    return {str(one.path.relative_to(results.parent)): one.size_bytes for one in found}


def test_by_default_logs_and_finished_results_go(results):
    """An unfinished study loses its engine logs and nothing else; no cache is touched."""
    found = going(results, Extent.FINISHED)
    assert set(found) == {"results/finished", "results/unfinished/logs/engines"}
    assert found["results/unfinished/logs/engines"] == 500


def test_caches_and_unfinished_studies_go_when_asked_for(results):
    """--cache adds our own caches, --all the unfinished studies."""
    assert set(going(results, Extent.CACHE)) == {
        "results/finished", "results/unfinished/logs/engines", "cache/llmopt/tools",
    }  # fmt: skip
    assert set(going(results, Extent.ALL)) == {"results/finished", "results/unfinished", "cache/llmopt/tools"}


def test_a_folder_in_use_is_left_out_as_a_whole(results):
    """Neither its results nor its logs are among what goes, even of everything."""
    with ResultsFolder(results / "finished").locked():
        assert "results/finished" not in going(results, Extent.ALL)


def test_what_is_taken_up_meanwhile_stays(results):
    """Between the list and its removal somebody began to work in the folder: it is refused, not removed."""
    (one,) = (each for each in freeable(states(results, None), Extent.FINISHED) if "finished" in each.what)
    with ResultsFolder(results / "finished").locked(), pytest.raises(FolderBusy):
        free(one, None)
    assert (results / "finished" / "study.db").exists()


def test_a_dry_run_says_and_leaves(clean, results, capsys):
    """Each folder is named with its size, and everything is there after."""
    assert clean(dry_run=True) == Exit.FINISHED
    output = capsys.readouterr().out
    assert str(results / "finished") in output
    assert "nothing was changed" in output
    assert (results / "finished" / "study.db").exists()


def test_what_would_go_is_there_for_programs(clean, results, capsys):
    """With --json standard output is one document, before and after; lines for people go elsewhere."""
    assert clean(dry_run=True, as_json=True) == Exit.FINISHED
    before = capsys.readouterr()
    would = json.loads(before.out)
    size = would["size_bytes"]
    assert {each["path"]: each["what"] for each in would["folders"]} == {
        str(results / "finished"): "finished results",
        str(results / "unfinished" / "logs" / "engines"): "engine logs",
    }
    assert size == sum(each["size_bytes"] for each in would["folders"]) > 0
    assert (would["orphans"], would["freed_bytes"], would["troubles"]) == ([], 0, [])
    assert "nothing was changed" in before.err
    assert clean(as_json=True) == Exit.FINISHED
    assert json.loads(capsys.readouterr().out)["freed_bytes"] == size
    assert clean(as_json=True) == Exit.FINISHED
    assert json.loads(capsys.readouterr().out)["folders"] == []


def test_without_consent_nothing_goes(clean, results):
    """A no is a no."""
    assert clean(yes=False) == Exit.FINISHED
    assert (results / "finished" / "study.db").exists()


def test_cleaning_removes_what_it_said(clean, results):
    """The finished study is gone, the unfinished one goes on where it was."""
    assert clean() == Exit.FINISHED
    assert not (results / "finished").exists()
    assert (results / "unfinished" / "study.db").exists()
    assert not (results / "unfinished" / "logs" / "engines").exists()
    assert (cache_folder() / "tools" / "uv").exists()


def test_everything_is_everything_of_ours(clean, results):
    """After --all neither studies nor caches are left, and a file that is not ours is."""
    (results / "notes.txt").write_text("mine")
    assert clean(Extent.ALL) == Exit.FINISHED
    assert [path.name for path in results.iterdir()] == ["notes.txt"]
    assert list(cache_folder().iterdir()) == []
    assert clean(Extent.ALL) == Exit.FINISHED


def test_a_finished_study_in_another_database_goes_with_its_folder(clean, results):
    """With --storage the study is dropped there too."""
    url = f"sqlite:///{results.parent / 'shared.db'}"
    folder = ResultsFolder(results / "shared")
    folder.prepare()
    folder.manifest.write_text(manifest(name="shared"))
    with open_storage(url) as storage:
        storage.create_study(define_study(load_manifest(folder.manifest))).end("TrialsExhausted", "done")
        storage.create_study(define_study(load_manifest(manifest(name="other"))))
    assert clean(storage=url) == Exit.FINISHED
    assert not folder.path.exists()
    with open_storage(url) as storage:
        assert storage.study_names() == ("other",)
