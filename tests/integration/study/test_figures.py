"""The figures of searches of every size, on a real study."""

import pytest
from fakes.studies import SLO, TWO_OBJECTIVES, definition, ended, measured

from llmopt_core.results.figures import figures
from llmopt_core.sampling.methods import open_for_search
from llmopt_core.storage.records import ConfirmPlan, OutcomeKind


def _searched(url, trials, **changes):
    study = open_for_search(url).create_study(definition(**changes))
    for _ in range(trials):
        claim = study.claim("runner", budget=trials)
        study.finish(claim, measured(claim))
    return study


@pytest.mark.parametrize("trials", [0, 1, 2, 3, 4, 30])
def test_few_trials_draw_without_warnings(sqlite_url, trials):
    """Any number of trials is drawn; importances and slices only where they can mean something."""
    drawn = figures(_searched(sqlite_url, trials))
    assert ("history accuracy" in drawn) == (trials > 0)
    assert ("timeline" in drawn) == (trials > 0)
    if trials < 4:
        assert not [name for name in drawn if name.startswith(("importances", "slices"))]
    if trials == 30:
        assert {"importances accuracy", "slices accuracy"} <= drawn.keys()
        assert len(drawn["history accuracy"].data[0].x) == 30


def test_two_objectives_have_a_front(sqlite_url):
    """Two objectives are drawn one by one and as a front."""
    drawn = figures(_searched(sqlite_url, 20, objectives=TWO_OBJECTIVES, constraints=SLO, sampler="tpe"))
    assert {"front", "history accuracy", "history ttft_ms_p95"} <= drawn.keys()


def test_all_endings_are_drawn(sqlite_url):
    """Failed, pruned and infeasible trials, equal values and repeats do not disturb the figures."""
    study = _searched(sqlite_url, 6)
    for kind in (OutcomeKind.FAILED, OutcomeKind.PRUNED, OutcomeKind.INFEASIBLE, OutcomeKind.INVALID):
        study.finish(study.claim("runner", budget=20), ended(kind))
    study.give_back(study.claim("runner", budget=20), "asked to stop")
    study.plan_confirm(ConfirmPlan(({},), (0,), repeats=2))
    repeat = study.claim_confirm("runner")
    study.finish(repeat, measured(repeat, accuracy=0.99))
    drawn = figures(study)
    assert 0.99 not in drawn["history accuracy"].data[0].y
    assert len(drawn["history accuracy"].data[0].x) == 6


def test_equal_values_have_no_importances(sqlite_url):
    """Where all trials are equally good, nothing is called important."""
    study = open_for_search(sqlite_url).create_study(definition())
    for _ in range(8):
        claim = study.claim("runner", budget=8)
        study.finish(claim, measured(claim, accuracy=0.5))
    assert "importances accuracy" not in figures(study)
