"""Errors of several studies put together, and states of results folders that are there, or broken."""

import json

import pytest
from fakes.local_runs import manifest
from typer.testing import CliRunner

from llmopt.local.folders import ResultsFolder
from llmopt.local.histories import StudyState, error_history, states
from llmopt.main import app
from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.resources import load_manifest
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.definitions import define_study
from llmopt_core.storage.records import Outcome, OutcomeKind


def failure(error_class, message="it failed", suggestion="fix it"):
    return Failure(error_class, message, suggestion)


def state(tmp_path, name, trials, *failures):
    return StudyState(ResultsFolder(tmp_path / name), "TrialsExhausted", trials, failures)


@pytest.fixture
def results(tmp_path):
    """Two studies that met errors, an unreadable one, and one that lies elsewhere."""
    for name, count in (("a", 2), ("b", 1)):
        folder = ResultsFolder(tmp_path / name)
        folder.prepare()
        folder.manifest.write_text(manifest(name=name))
        with open_for_search(folder.storage_url()) as storage:
            study = storage.create_study(define_study(load_manifest(folder.manifest)))
            for number in range(count):
                claim = study.claim("runner", budget=10)
                failed = failure(ErrorClass.ENGINE_CRASHED, f"crash {name}{number}", f"read log {name}")
                study.finish(claim, Outcome(OutcomeKind.FAILED, Configuration({}, {}, {}), failure=failed))
            study.end("TooManyFailures", "enough", failed=True)
    for name in ("broken", "elsewhere"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.yaml").write_text(manifest(name=name))
    (tmp_path / "broken" / "study.db").write_bytes(b"garbage" * 1000)
    return tmp_path


def test_errors_are_counted_by_class_over_all_studies(tmp_path):
    """The most frequent comes first, with its share of all trials and the failure that came last."""
    gpu, crash = ErrorClass.GPU_OUT_OF_MEMORY, ErrorClass.ENGINE_CRASHED
    history = error_history(
        (
            state(tmp_path, "a", 6, (failure(gpu, "early"), 1.0), (failure(crash, "boom"), 2.0)),
            state(tmp_path, "b", 4, (failure(gpu, "late", "less"), 9.0), (failure(gpu, "middle"), 5.0)),
        )
    )
    assert [(one.error_class, one.count, one.share) for one in history] == [(gpu, 3, 0.3), (crash, 1, 0.1)]
    assert (history[0].last_message, history[0].last_seen, history[0].suggestion) == ("late", 9.0, "less")
    assert history[0].studies == ("a", "b")


def test_no_studies_have_no_errors():
    """Nothing is divided by no trials."""
    assert error_history(()) == ()


def test_a_study_that_cannot_be_read_says_why_and_hides_no_other(results):
    """Garbage and a study in another database are states of their own."""
    found = {one.folder.name: one for one in states(results, None)}
    assert (found["a"].ended, found["a"].trials) == ("TooManyFailures", 2)
    assert "broken" in found["broken"].trouble
    assert "--storage" in found["elsewhere"].trouble
    assert not (results / "elsewhere" / "study.db").exists()


def test_errors_are_listed_with_what_to_do(results):
    """The table has counts, share and last message; below it stands the suggestion."""
    result = CliRunner().invoke(app, ["list", "--type", "errors", "--results", str(results)])
    assert result.exit_code == 0
    assert "EngineCrashed" in result.output
    assert "100.0%" in result.output
    assert "EngineCrashed -> read log b" in result.output
    assert f"warning: {results / 'broken'}" in result.output


def test_errors_as_json_can_be_read_by_programs(results):
    """Standard output is one document; warnings go elsewhere."""
    result = CliRunner().invoke(app, ["list", "--type", "errors", "--json", "--results", str(results)])
    document = json.loads(result.stdout)
    (error,) = document["errors"]
    assert document["trials"] == 3
    assert (error["class"], error["count"], error["share"]) == ("EngineCrashed", 3, 1.0)
    assert (error["last_message"], error["suggestion"]) == ("crash b0", "read log b")
    assert error["last_seen"].startswith("20")


def test_no_errors_are_said_so(tmp_path):
    """An empty folder is not an error."""
    result = CliRunner().invoke(app, ["list", "--type", "errors", "--results", str(tmp_path)])
    assert result.exit_code == 0
    assert f"no errors in {tmp_path} (studies: 0, trials: 0)" in result.output


def test_what_failed_a_study_as_a_whole_is_in_the_history(tmp_path):
    """A study that no trial of could start counts once, by the class that ended it; shares are of trials."""
    invalid = failure(ErrorClass.INVALID_CONFIGURATION, "no such flag")
    ended = StudyState(ResultsFolder(tmp_path / "c"), "InvalidConfiguration", 0, (), (invalid, 3.0))
    crashed = state(tmp_path, "a", 2, (failure(ErrorClass.ENGINE_CRASHED), 1.0))
    crash, whole = error_history((crashed, ended))
    assert (crash.error_class, crash.ended) == (ErrorClass.ENGINE_CRASHED, ())
    assert (whole.error_class, whole.count, whole.share) == (ErrorClass.INVALID_CONFIGURATION, 1, 0.0)
    assert (whole.last_message, whole.ended, whole.studies) == ("no such flag", ("c",), ("c",))


def test_a_failed_trial_that_ended_its_study_counts_once(tmp_path):
    """The trial and the study it ended are one failure."""
    missing = failure(ErrorClass.MODEL_NOT_FOUND, "no file")
    both = StudyState(ResultsFolder(tmp_path / "c"), "ModelNotFound", 1, ((missing, 1.0),), (missing, 1.0))
    (one,) = error_history((both,))
    assert (one.count, one.share, one.ended) == (1, 1.0, ("c",))


def test_a_study_that_failed_is_listed_with_its_class(tmp_path):
    """list --type errors shows what ended a study before any trial."""
    folder = ResultsFolder(tmp_path / "a")
    folder.prepare()
    folder.manifest.write_text(manifest(name="a"))
    with open_for_search(folder.storage_url()) as storage:
        study = storage.create_study(define_study(load_manifest(folder.manifest)))
        study.end("DatasetInvalid", "items.jsonl has no questions", failed=True)
    (found,) = states(tmp_path, None)
    assert found.ended_by is not None
    result = CliRunner().invoke(app, ["list", "--type", "errors", "--results", str(tmp_path)])
    assert "DatasetInvalid ended a as a whole" in result.output
    document = json.loads(
        CliRunner().invoke(app, ["list", "--type", "errors", "--json", "--results", str(tmp_path)]).output
    )
    (error,) = document["errors"]
    assert (error["class"], error["count"], error["ended_studies"]) == ("DatasetInvalid", 1, ["a"])


def test_a_trial_that_was_given_back_is_no_error(tmp_path):
    """Ctrl-C is what the user did: nothing went wrong, and nothing is to be done."""
    folder = ResultsFolder(tmp_path / "small")
    folder.prepare()
    folder.manifest.write_text(manifest())
    with open_for_search(folder.storage_url()) as storage:
        study = storage.create_study(define_study(load_manifest(folder.manifest)))
        study.give_back(study.claim("runner", budget=10), "the runner was asked to stop")
    assert error_history(states(tmp_path, None)) == ()
