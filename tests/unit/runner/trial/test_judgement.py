"""What is kept of a measurement."""

from types import SimpleNamespace

import pytest

from llmopt_runner.load.requests import LoadRun
from llmopt_runner.quality.distinct import DistinctN
from llmopt_runner.quality.exact import Exact
from llmopt_runner.stopping import StopSignal
from llmopt_runner.trial.judgement import Judgement
from llmopt_runner.trial.progress import Progress


@pytest.mark.parametrize(
    ("evaluator", "scores", "metric"),
    [(Exact(), {"a": 1.0}, "accuracy"), (Exact(), {}, ""), (DistinctN(), {"a": 0.5}, "")],
)
def test_the_metric_of_the_samples_is_the_one_that_is_their_mean(monkeypatch, evaluator, scores, metric):
    """The share of distinct words of one answer says nothing of the metric: nothing compares by it."""
    for other in ("_facts", "_kept_items", "_kept_answers"):
        monkeypatch.setattr(Judgement, other, lambda *_: None)
    workload = SimpleNamespace(evaluator=evaluator, item_scores=lambda scores: scores)
    judgement = Judgement(workload, None, None, {}, "1.0", StopSignal(), Progress())
    steady = SimpleNamespace(run=LoadRun((), 0.0, 1.0, 0, 0))
    measurement = SimpleNamespace(scores=scores, curve=None, steady=steady)
    outcome = judgement._observed(None, None, measurement, None)
    assert (outcome.samples, outcome.sample_metric) == (scores, metric)
