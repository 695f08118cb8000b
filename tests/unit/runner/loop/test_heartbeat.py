"""The heartbeat goes on whatever happens, but for the end of its study."""

import itertools
import threading

import pytest

from llmopt_core.storage.errors import StorageUnavailable, StudyDropped, StudyNotFound
from llmopt_runner.loop import heartbeat
from llmopt_runner.loop.heartbeat import Heartbeat
from llmopt_runner.trial.progress import Progress


class Beaten:
    """A study that keeps heartbeats and raises the errors that it was given, once each."""

    def __init__(self, *errors):
        self._errors = itertools.chain(errors, itertools.repeat(None))
        self.heartbeats = []
        self.reached = threading.Semaphore(0)

    def replace_runners(self, index):
        pass

    def heartbeat(self, record):
        self.heartbeats.append(record)
        self.reached.release()
        if (error := next(self._errors)) is not None:
            raise error


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.001)
    monkeypatch.setattr(heartbeat, "Reaper", lambda *_: type("Reaper", (), {"sweep": lambda _: ()})())


@pytest.mark.parametrize(
    "error", [StorageUnavailable("away"), ValueError("a row"), KeyError("x"), RecursionError("deep")]
)
def test_no_error_ends_the_heartbeats(error):
    """A runner that lives says so again after an error of any kind."""
    study = Beaten(None, error, error)
    with Heartbeat(study, "runner", 0, Progress()) as beating:
        for _ in range(5):
            assert study.reached.acquire(timeout=10)
        beating.ending = "done"
    assert study.heartbeats[-1].ended == "done"
    assert [record.beat for record in study.heartbeats] == list(range(1, len(study.heartbeats) + 1))


@pytest.mark.parametrize("error", [StudyDropped(), StudyNotFound("gone")])
def test_the_end_of_the_study_ends_the_heartbeats(error):
    """Where there is no study there is nobody to say, and the runner's own end is no error of the thread."""
    study = Beaten(None, error)
    with Heartbeat(study, "runner", 0, Progress()) as beating:
        beating._thread.join(10)
        assert not beating._thread.is_alive()


def test_an_error_that_stays_is_logged_once(caplog):
    """An hour without a database is one line, not two thousand."""
    study = Beaten(None, *(StorageUnavailable("away") for _ in range(4)))
    with Heartbeat(study, "runner", 0, Progress()):
        for _ in range(7):
            assert study.reached.acquire(timeout=10)
    assert caplog.text.count("heartbeat failed, it is tried again: StorageUnavailable: away") == 1
