import pytest
from fakes.records import outcome, trial

from llmopt_core.results.durations import saved_seconds
from llmopt_core.storage.records import OutcomeKind


def _ended(kind, items):
    samples = {str(place): 1.0 for place in range(items)}
    return trial(1, outcome(kind, samples=samples, seconds={"measure": 6.0, "total": 9.0}))


def test_what_stopped_trials_did_not_measure_is_saved():
    """A trial stopped after 15 of 60 items in 6 s would have measured 18 s longer; others saved nothing."""
    trials = [
        _ended(OutcomeKind.PRUNED, 15),
        _ended(OutcomeKind.PRUNED, 0),
        _ended(OutcomeKind.MEASURED, 30),
        trial(2),
    ]
    assert saved_seconds(trials, 60) == pytest.approx(18.0)
