"""What a runner's loop counts while it has no trial to run."""

from types import SimpleNamespace

import pytest
from fakes.studies import definition

from llmopt_core.api.reasons import Reason
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.errors import StorageUnavailable
from llmopt_runner.loop.budgets import Ending
from llmopt_runner.loop.lifecycle import Loop
from llmopt_runner.trial.progress import Progress


class Idle(Loop):
    """A loop that finds no trial to claim, on a study in which another runner has one."""

    def run(self):
        endings = iter([None, Ending(Reason.TRIALS_EXHAUSTED, "all are done")])
        return self._patiently(lambda: self._work_off(lambda: None, lambda: next(endings), budget=40))

    def _ends_all(self, _claim, _failure):
        return True


class StorageDown(Idle):
    """A loop whose storage does not answer twice."""

    def run(self):
        answers = iter([StorageUnavailable("away"), StorageUnavailable("away"), None])

        def step():
            if (error := next(answers)) is not None:
                raise error
            return Ending(Reason.TRIALS_EXHAUSTED, "all are done")

        return self._patiently(step)


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        study = storage.create_study(definition())
        study.claim("another", budget=40)
        yield study


@pytest.fixture
def trials():
    """What runs trials: it has none, and does not wait."""
    stopping = SimpleNamespace(wait=lambda _seconds: None, check=lambda: None)
    return SimpleNamespace(stopping=stopping, progress=Progress(), close=lambda: None)


def test_time_without_a_trial_is_counted(study, trials):
    """While another runner has the last trial, the time passes as waited; the storage is not to blame."""
    assert Idle(study, trials, "runner").run().reason == Reason.TRIALS_EXHAUSTED
    assert trials.progress.stage == "waiting for other runners"
    assert trials.progress.waited_seconds > 0
    assert trials.progress.storage_failures == 0


def test_failures_of_the_storage_are_counted(study, trials):
    """Each time that the storage does not answer counts, and is no waiting for others."""
    assert StorageDown(study, trials, "runner").run().reason == Reason.TRIALS_EXHAUSTED
    assert trials.progress.storage_failures == 2
    assert trials.progress.waited_seconds == 0
