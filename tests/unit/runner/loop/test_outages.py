"""A server that runs elsewhere and does not answer: before it ever did, and after."""

import pytest
from fakes.studies import definition, measured

from llmopt_core.errors.classes import ErrorClass, Failure
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_runner.loop.budgets import Ending
from llmopt_runner.loop.lifecycle import Loop
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.outcomes import failed
from llmopt_runner.trial.progress import Progress

AWAY = Failure(ErrorClass.ENDPOINT_UNREACHABLE, "http://h did not answer within 10 s", "start that server")


class Trials:
    """Measures but for the tries (counted from 0) in which the server is `away`."""

    def __init__(self, away):
        self.stopping, self.progress = StopSignal(), Progress()
        self.away, self.tries = away, 0

    def run(self, claim):
        self.tries += 1
        outcome = measured(claim)
        return failed(outcome.configuration, AWAY) if self.tries - 1 in self.away else outcome

    def close(self):
        pass


class Search(Loop):
    """Works the baseline and the search off."""

    def run(self):
        ending = self._work_off(lambda: self._study.claim("runner", budget=4), lambda: None, budget=4)
        return ending or Ending("TrialsExhausted", "done")

    def _ends_all(self, _claim, _failure):
        return True


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition())


def _run(study, away):
    trials = Trials(away)
    ending = Search(study, trials, "runner").run()
    kinds = [trial.outcome.kind for trial in study.trials() if trial.outcome is not None]
    return ending, trials.tries, kinds.count(OutcomeKind.MEASURED)


@pytest.mark.parametrize(("first", "measured_before"), [(0, 0), (2, 2)])
def test_a_server_that_stays_away_ends_the_study(study, first, measured_before):
    """Two tries show it; no trial of the budget is lost, so that the same command goes on later."""
    ending, tries, count = _run(study, range(first, 100))
    assert (ending.reason, ending.message, ending.failed) == (
        ErrorClass.ENDPOINT_UNREACHABLE,
        AWAY.text,
        True,
    )
    assert (tries, count) == (first + 2, measured_before)
    ending, _, count = _run(study, ())
    assert (ending.reason, count) == ("TrialsExhausted", 4)


def test_a_server_that_is_away_for_a_moment_costs_no_trial(study):
    """Each trial is tried once more: also where the baseline and two others met a restart."""
    ending, tries, count = _run(study, {0, 2, 4})
    assert (ending.reason, tries, count) == ("TrialsExhausted", 4 + 3, 4)
    assert study.trials()[0].phase is Phase.BASELINE
