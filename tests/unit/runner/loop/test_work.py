"""What a runner makes of errors beside its trials."""

from threading import Event

import pytest
from fakes.studies import definition

from llmopt_core.errors.classes import LlmoptError
from llmopt_core.storage.errors import SamplerUnavailable, StorageFull, StorageUnavailable, StudyDropped
from llmopt_core.storage.storages import open_storage
from llmopt_runner.loop.heartbeat import Heartbeat
from llmopt_runner.main import Work
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.progress import Progress


@pytest.fixture
def study(tmp_path):
    with open_storage(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition())


class Loop:
    """Raises what it is asked to."""

    def __init__(self, error):
        self.error = error
        self.closed = Event()

    def run(self):
        raise self.error

    def close(self):
        self.closed.set()


def _work(study, tmp_path, monkeypatch, loop):
    monkeypatch.setattr(Work, "_loop", lambda _work, _spec: loop())
    return Work(study, "runner", tmp_path, StopSignal(), Progress(), lambda _kind, _outcome: None, {})


def test_what_no_trial_can_avoid_ends_the_study(study, tmp_path, monkeypatch):
    """A sampler that cannot work ends the study with its class, so that no replacement tries again."""
    loop = Loop(SamplerUnavailable("sampler gp needs torch"))
    ending = _work(study, tmp_path, monkeypatch, lambda: loop).run(None)
    assert (ending.reason, ending.failed) == ("InvalidConfiguration", True)
    assert study.ended.message == "sampler gp needs torch"
    assert loop.closed.is_set()


def test_a_folder_that_cannot_be_made_ends_the_study(study, tmp_path, monkeypatch):
    """An error of the operating system before the first trial has a class too."""

    def refused():
        raise PermissionError(13, "Permission denied", "/results/logs")

    ending = _work(study, tmp_path, monkeypatch, refused).run(None)
    assert (ending.reason, ending.failed) == ("AccessDenied", True)
    assert "/results/logs" in ending.message


@pytest.mark.parametrize(
    "error", [StorageUnavailable("away"), StudyDropped(), Interrupted("asked to stop"), KeyError("a bug")]
)
def test_what_may_pass_or_is_not_the_studys_leaves_it_open(study, tmp_path, monkeypatch, error):
    """A storage that is away, a study that is gone, a stop and a bug are the runner's to report."""
    with pytest.raises(type(error)):
        _work(study, tmp_path, monkeypatch, lambda: Loop(error)).run(None)
    assert study.ended is None


@pytest.mark.parametrize(
    "error",
    [StorageUnavailable("away"), StorageFull("full"), StudyDropped(), Interrupted("asked to stop")],
)
def test_what_may_pass_while_a_runner_prepares_leaves_the_study_open(study, tmp_path, monkeypatch, error):
    """Before the first trial, too, a storage that is away or full ends the runner and not the study."""

    def unprepared():
        raise error

    with pytest.raises(type(error)):
        _work(study, tmp_path, monkeypatch, unprepared).run(None)
    assert study.ended is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Interrupted("asked to stop"), "interrupted"),
        (KeyError("choices"), "KeyError: 'choices'"),
        (LlmoptError("no way"), "LlmoptError: no way"),
    ],
)
def test_the_last_heartbeat_says_how_the_runner_ended(study, error, said):
    """Only a runner that was asked to stop was interrupted; one that ended by itself says by what."""

    def run():
        with Heartbeat(study, "runner", 0, Progress()):
            raise error

    with pytest.raises(type(error)):
        run()
    assert study.runners()[0].ended == said
