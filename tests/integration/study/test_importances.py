"""Which parameters matter in searches of every size, on a real study."""

import pytest
from fakes.studies import SLO, TWO_OBJECTIVES, definition, ended, measured

from llmopt_core.results.importances import importances
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind


def _searched(url, trials, **changes):
    study = open_for_search(url).create_study(definition(**changes))
    for _ in range(trials):
        claim = study.claim("runner", budget=trials)
        study.finish(claim, measured(claim))
    return study


@pytest.mark.parametrize("trials", [0, 1, 2, 3, 4, 30])
def test_few_trials_say_nothing_and_warn_of_nothing(sqlite_url, trials):
    """Below four trials no parameter is called important; shares of many add up to one."""
    found = importances(_searched(sqlite_url, trials))
    assert bool(found) == (trials >= 4)
    if trials == 30:
        shares = found["accuracy"]
        assert sum(shares.values()) == pytest.approx(1.0)
        assert next(iter(shares)) == "sampling.temperature"  # what the accuracy of these trials follows from


def test_every_objective_has_its_own(sqlite_url):
    """The latency of these trials follows from the slots, not from the temperature."""
    found = importances(_searched(sqlite_url, 30, objectives=TWO_OBJECTIVES, constraints=SLO))
    assert next(iter(found["ttft_ms_p95"])) == "engine.n_parallel"


def test_only_measured_trials_of_the_search_count(sqlite_url):
    """Failed, pruned and infeasible trials and repeats change nothing."""
    study = _searched(sqlite_url, 20)
    before = importances(study)
    for kind in (OutcomeKind.FAILED, OutcomeKind.INVALID):
        study.finish(study.claim("runner", budget=40), ended(kind))
    study.give_back(study.claim("runner", budget=40), "asked to stop")
    study.plan_confirm(ConfirmPlan(({},), (0,), repeats=2))
    repeat = study.claim_confirm("runner")
    study.finish(repeat, measured(repeat, accuracy=0.0))
    assert importances(study) == before


def test_equal_values_have_no_importances(sqlite_url):
    """Where all trials are equally good, nothing is called important."""
    study = open_for_search(sqlite_url).create_study(definition())
    for _ in range(8):
        claim = study.claim("runner", budget=8)
        study.finish(claim, measured(claim, accuracy=0.5))
    assert importances(study) == {}
