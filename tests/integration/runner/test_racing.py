"""A hopeless configuration is stopped after a part of its items, also with several objectives."""

import pytest
from fakes.endpoint_manifests import manifest
from fakes.openai_server import FakeOptions, FakeServer

from llmopt_core.analysis.summary import summarise
from llmopt_core.api.exit_codes import RunnerExit
from llmopt_core.storage.records import OutcomeKind, Phase
from llmopt_runner.datasets.arithmetic import arithmetic

ITEMS = 60
GOOD, HOPELESS = ("0.0", "0.1", "0.2"), ("0.8", "0.9")
OBJECTIVES = ("accuracy", "good_answers_per_second")
# Right with probability 1 - temperature; the default's temperature is 1.0.
OPTIONS = FakeOptions(
    ttft_ms=4.0,
    gap_ms=1.0,
    tokens=3,
    answers={item.question: item.answer for item in arithmetic().items(200, 0)},
    right_loss_per_temperature=1.0,
)


def _manifest(url, pruner):
    temperature = {"name": "temperature", "float": {"low": "0", "high": "1", "step": "0.1"}}
    search = {
        "sampler": {"name": "random"},
        **({} if pruner is None else {"pruner": {"name": pruner}}),
        "space": {"sampling": [temperature]},
        "enqueue": [{"sampling.temperature": each} for each in (*GOOD, *HOPELESS)],
    }
    trials = 1 + len(GOOD) + len(HOPELESS)
    return manifest(url, trials=trials, objectives=OBJECTIVES, samples=ITEMS, concurrency=2, search=search)


def _run(folder, pruner):
    """Return the finished search and how many requests its server saw."""
    with FakeServer(OPTIONS) as server:
        folder.write(_manifest(server.base_url, pruner))
        assert folder.run() == RunnerExit.DONE, folder.log()
        requests = len(server.truth())
    with folder.study() as study:
        return study.trials(), summarise(study), requests


@pytest.mark.parametrize(("pruner", "stops"), [(None, True), ("none", False)])
def test_hopeless_configurations_cost_fewer_requests(folder, pruner, stops):
    """By default both hopeless ones are stopped; they keep estimates of all metrics and are never best."""
    trials, summary, requests = _run(folder, pruner)
    hopeless = trials[1 + len(GOOD) :]
    kind = OutcomeKind.PRUNED if stops else OutcomeKind.MEASURED
    assert [trial.outcome.kind for trial in hopeless] == [kind] * len(HOPELESS)
    assert (requests < len(trials) * ITEMS) is stops
    for trial in hopeless:
        assert (len(trial.outcome.samples) < ITEMS) is stops
        assert {*OBJECTIVES, "e2e_ms_p95"} <= set(trial.outcome.metrics)
    assert trials[0].phase is Phase.BASELINE
    assert {trial.outcome.kind for trial in trials[: 1 + len(GOOD)]} == {OutcomeKind.MEASURED}
    shown = {summary.best.number, *(trial.number for trial in summary.pareto)}
    assert shown <= {trial.number for trial in trials[1 : 1 + len(GOOD)]}
    assert summary.counts.get(OutcomeKind.PRUNED, 0) == (len(HOPELESS) if stops else 0)
