"""A measurement during which others took the processors is made again, a few times."""

import json
from dataclasses import replace

import pytest
from fakes.comparisons import FASTER, SPEED, comparison
from fakes.manifests import optimization
from fakes.studies import definition, measured

from llmopt_core.resources.benchmark import BenchmarkSpec
from llmopt_core.resources.loading import resource_of
from llmopt_core.results.best_documents import best_text
from llmopt_core.results.reading import comparison_result, search_result
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind, Phase
from llmopt_core.storage.repeats import measured_again
from llmopt_runner.loop.budgets import Ending
from llmopt_runner.loop.comparison import ComparisonLoop
from llmopt_runner.loop.lifecycle import Loop
from llmopt_runner.stopping import Interrupted, StopSignal
from llmopt_runner.trial.progress import Progress

SPEC = {
    "model": {"source": "file:///model.gguf"},
    "engine": {"name": "llamacpp"},
    "workload": {"dataset": {"name": "arithmetic"}},
    "candidates": [{"name": "a"}, {"name": "b"}],
    "repeats": 2,
    "objective": {"metric": SPEED},
}


class Trials:
    """Gives outcomes that were disturbed as often as configured."""

    def __init__(self, disturbed):
        self.stopping, self.progress = StopSignal(), Progress()
        self.disturbed = disturbed
        self.left = -1  # how many trials are run before the runner is asked to stop

    def run(self, claim):
        if self.left == 0:
            raise Interrupted("asked to stop")
        self.left -= 1
        self.disturbed -= 1
        outcome = measured(claim)
        metrics = {**outcome.metrics, SPEED: 50.0 + claim.number}
        return replace(outcome, metrics=metrics, disturbed=self.disturbed >= 0)

    def close(self):
        pass


class Repeats(Loop):
    """Works the baseline, then the repeats off."""

    def run(self):
        self._work_off(lambda: self._study.claim("runner", budget=1), lambda: None, budget=1)
        self._study.plan_confirm(ConfirmPlan(({}, {"engine.kv": "f16"}), (0, 1), 2, basis=1))
        self._work_off(lambda: self._study.claim_confirm("runner"), lambda: None, budget=None)
        return Ending("TrialsExhausted", "done")

    def _ends_all(self, _claim, _failure):
        return False


@pytest.fixture
def study(tmp_path):
    with open_for_search(f"sqlite:///{tmp_path}/study.db") as storage:
        yield storage.create_study(definition())


def _run(study, disturbed):
    Repeats(study, Trials(disturbed), "runner").run()
    kinds = [trial.outcome.kind for trial in study.trials()]
    return kinds.count(OutcomeKind.RETURNED), kinds.count(OutcomeKind.MEASURED)


def _found(study):
    return search_result(study, resource_of(optimization()).spec)


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


def test_runners_that_follow_each_other_share_the_bound(study):
    """What was measured again before a runner was stopped counts for the one that goes on."""
    trials = Trials(100)
    trials.left = 4
    with pytest.raises(Interrupted):
        Repeats(study, trials, "runner").run()
    _run(study, 100)
    assert measured_again(study.trials()) == 4


def test_the_result_of_a_machine_that_is_never_quiet_says_so_first(study):
    """From the measurement to the headline and best.json: the doubt stands before all numbers."""
    _run(study, 100)
    study.end("TrialsExhausted", "all trials are done")
    result = _found(study)
    assert result.confirmed
    assert result.headline.startswith("Other programs or virtual machines disturbed the measurements")
    assert json.loads(best_text(result))["headline"] == result.headline


def test_the_result_of_a_quiet_machine_has_no_doubts(study):
    """Nothing was disturbed: the headline begins with what was found."""
    _run(study, 0)
    study.end("TrialsExhausted", "all trials are done")
    assert _found(study).status.notes == []


def test_a_benchmark_on_such_a_machine_says_so_first(tmp_path):
    """The same for the repeats of a benchmark, by the same code."""
    made = definition(objectives=(FASTER,), comparison=comparison("a", "b", repeats=2))
    with open_for_search(f"sqlite:///{tmp_path}/benchmark.db") as storage:
        study = storage.create_study(made)
        ComparisonLoop(BenchmarkSpec.model_validate(SPEC), study, study.comparison, Trials(100), "one").run()
        assert comparison_result(study).headline.startswith("Other programs or virtual machines disturbed")
