"""A measurement during which other programs took the processors is made again, a few times."""

import pytest
from fakes.studies import definition, measured

from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase
from llmopt_runner.budgets import Ending
from llmopt_runner.loop import Loop
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial import Progress


class Trials:
    """Gives outcomes that were disturbed as often as it is told."""

    def __init__(self, disturbed):
        self.stopping, self.progress = StopSignal(), Progress()
        self.disturbed = disturbed

    def run(self, claim):
        self.disturbed -= 1
        outcome = measured(claim)
        object.__setattr__(outcome, "disturbed", self.disturbed >= 0)
        return outcome

    def close(self):
        pass


class Repeats(Loop):
    """Works the baseline, then the repeats off."""

    def run(self):
        self._work_off(lambda: self._study.claim("runner", budget=1), lambda: None, budget=1)
        self._study.plan_confirm(ConfirmPlan(({}, {"engine.kv": "f16"}), (0, 1), 2, basis=1))
        self._work_off(lambda: self._study.claim_confirm("runner"), lambda: None, budget=None)
        return Ending("TrialsExhausted", "done")

    def _ends_all(self, _failure):
        return False


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition())


def _run(study, disturbed):
    Repeats(study, Trials(disturbed), "runner").run()
    kinds = [trial.outcome.kind for trial in study.trials()]
    return kinds.count(OutcomeKind.RETURNED), kinds.count(OutcomeKind.MEASURED)


def test_a_quiet_machine_measures_once(study):
    """Nothing is disturbed: the baseline and the four repeats are measured, each once."""
    assert _run(study, 0) == (0, 5)


def test_a_disturbed_repeat_is_measured_again(study):
    """It is given back, and its second measurement counts; the search goes on with what it has."""
    assert _run(study, 2) == (1, 5)
    repeats = [trial for trial in study.trials() if trial.phase is Phase.CONFIRM]
    assert not any(trial.outcome.disturbed for trial in repeats)


def test_a_machine_that_is_never_quiet_ends_too(study):
    """Each is made again once, four in all: then what was measured is taken and says so."""
    again, taken = _run(study, 100)
    assert (again, taken) == (4, 5)
    assert all(trial.outcome.disturbed for trial in study.trials() if trial.outcome.metrics)
