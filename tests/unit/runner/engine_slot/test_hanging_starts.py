"""A start that hangs costs its timeout once."""

import pytest
from fakes.studies import definition, measured

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.search.configurations import Configuration
from llmopt_core.storage.records import Outcome, OutcomeKind
from llmopt_runner.loop.budgets import Ending
from llmopt_runner.loop.lifecycle import Loop
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.progress import Progress

TIMEOUT = Failure(ErrorClass.ENGINE_START_TIMEOUT, "no completion within 600 s", "raise the timeout")


class Trials:
    """Engines with the cache type `hanging` never become ready; the first `slow` starts do not either."""

    def __init__(self, hanging, slow=0):
        self.stopping, self.progress = StopSignal(), Progress()
        self.hanging, self.slow = hanging, slow
        self.hung = []

    def run(self, claim):
        self.slow -= 1
        if self.slow >= 0 or claim.parameters.get("engine.kv") == self.hanging:
            self.hung.append((claim.parameters.get("engine.kv"), claim.parameters.get("engine.n_parallel")))
            configuration = Configuration.from_flat(claim.parameters)
            seconds = {"load": 600.0, "total": 600.0}
            return Outcome(OutcomeKind.FAILED, configuration, failure=TIMEOUT, seconds=seconds)
        return measured(claim)

    def close(self):
        pass


class Search(Loop):
    """Works the baseline and the search off."""

    def run(self):
        self._work_off(lambda: self._study.claim("runner", budget=24), lambda: None, budget=24)
        return Ending("TrialsExhausted", "done")

    def _ends_all(self, _claim, _failure):
        return False


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition(sampler="auto"))


def test_an_engine_that_hangs_is_started_once(study):
    """Of 24 trials no engine is started again whose start hung, and few of its kind at all."""
    trials = Trials(hanging="q8_0")
    Search(study, trials, "runner").run()
    assert len(trials.hung) == len(set(trials.hung))
    assert 1 <= len(trials.hung) <= 4


def test_the_first_start_of_a_study_may_be_slow(study):
    """What is compiled or fetched once makes the first start slow: it is tried again."""
    trials = Trials(hanging="none", slow=1)
    Search(study, trials, "runner").run()
    assert [trial.outcome.kind for trial in study.trials()].count(OutcomeKind.FAILED) == 0
