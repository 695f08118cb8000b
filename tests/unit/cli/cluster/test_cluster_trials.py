import builtins

import pytest
from fakes.cluster_resources import RUNNING, resource
from fakes.records import outcome, trial

from llmopt.cluster.conditions import status_of
from llmopt.cluster.errors import ClientMissing
from llmopt.cluster.trials import frame, recorded, remembered
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.storage.records import OutcomeKind, Phase

RECORDS = [
    trial(0, outcome(metrics={"accuracy": 0.5}), phase=Phase.BASELINE),
    trial(1, outcome(metrics={"accuracy": 0.7}), parameters={"sampling.temperature": 0.2}),
    trial(2, outcome(OutcomeKind.FAILED, error=ErrorClass.CUDA_FAULT)),
    trial(3, repaired_from=2),
]


def test_records_are_plain():
    """Each trial says how it ended, with what, and how long it took."""
    first, second, third, fourth = recorded(RECORDS)
    assert (first.phase, first.outcome, first.metrics) == ("baseline", "measured", {"accuracy": 0.5})
    assert (second.parameters, second.seconds) == ({"sampling.temperature": 0.2}, 1.0)
    assert (third.outcome, third.error) == ("failed", "CudaFault")
    assert (fourth.state, fourth.outcome, fourth.seconds) == ("running", None, None)
    assert (third.repaired_from, fourth.repaired_from) == (None, 2)


def test_a_status_remembers_some():
    """Default, best, top and front, each once and by number, with typed parameters."""
    winner = {"trial": 3, "parameters": {"engine.n_parallel": 4, "sampling.temperature": "0.2"},
            "metrics": {"accuracy": "0.75"}, "repairedFrom": 0}  # fmt: skip
    document = resource(
        "mine", RUNNING,
        status={"baseline": {"trial": 0}, "best": winner, "top": [winner, {"trial": 1}], "pareto": [winner]},
    )  # fmt: skip
    trials = remembered(document, status_of(document))
    assert [(each.number, each.phase) for each in trials] == [(0, "baseline"), (1, "search"), (3, "search")]
    assert trials[-1].parameters == {"engine.n_parallel": 4, "sampling.temperature": 0.2}
    assert trials[-1].metrics == {"accuracy": 0.75}
    assert trials[-1].repaired_from == 0
    assert remembered(resource(), status_of(resource())) == []


def test_a_frame_has_a_column_for_each_parameter_and_metric():
    """Trials are its rows, by number; what a trial lacks is missing there."""
    found = frame(recorded(RECORDS))
    assert list(found.index) == [0, 1, 2, 3]
    assert found.loc[1, "sampling.temperature"] == 0.2
    assert found.loc[0, "accuracy"] == 0.5
    assert found.loc[2, "error"] == "CudaFault"
    assert found["accuracy"].isna().sum() == 2
    assert found.loc[3, "repaired_from"] == 2
    assert frame([]).empty


def test_without_pandas_the_error_says_what_to_install(monkeypatch):
    """Pandas is the caller's choice."""
    real = builtins.__import__

    def without_pandas(name, *arguments, **more):
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(ClientMissing, match="pip install pandas"):
        frame(recorded(RECORDS))
