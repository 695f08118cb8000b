"""What all evaluators share: their settings, their metric, their mean."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt_core.metrics.catalog import CATALOG
from llmopt_runner.datasets.base import Item
from llmopt_runner.quality.base import EvaluatorInvalid, EvaluatorSettings
from llmopt_runner.quality.choice import Choice
from llmopt_runner.quality.contains import Contains
from llmopt_runner.quality.distinct import DistinctN
from llmopt_runner.quality.endpoint import EndpointScore
from llmopt_runner.quality.exact import Exact
from llmopt_runner.quality.judge import Judge
from llmopt_runner.quality.numeric import Numeric
from llmopt_runner.quality.token_f1 import TokenF1

_LOCAL = (Exact, Numeric, Choice, Contains, TokenF1, DistinctN)
_REMOTE = (Judge, EndpointScore)
_WITH_ENDPOINT = {"endpoint_url": "http://127.0.0.1:1/v1", "endpoint_model": "judge"}


def _settings(kind, args=None):
    return EvaluatorSettings("it", args or {}, **(_WITH_ENDPOINT if kind in _REMOTE else {}))


@pytest.mark.parametrize("kind", [*_LOCAL, *_REMOTE])
class TestEveryEvaluator:
    def test_metric_is_of_the_catalogue(self, kind):
        """What comes out has a name of the metric catalogue."""
        assert kind.metric in CATALOG

    def test_unknown_arguments_are_refused(self, kind):
        """An argument that does not exist is an error that names it."""
        with pytest.raises(EvaluatorInvalid, match=r"workload\.evaluator\.args\.colour is not known to it"):
            kind.from_settings(_settings(kind, {"colour": "red"}))

    def test_plain_settings_are_enough(self, kind):
        """Without arguments each evaluator can be set up."""
        assert isinstance(kind.from_settings(_settings(kind)), kind)

    def test_mean_of_nothing_is_an_error(self, kind):
        """Without a scored answer there is no metric, not a zero."""
        with pytest.raises(EvaluatorInvalid, match="at least one"):
            kind.from_settings(_settings(kind)).aggregate({}, {})


@pytest.mark.parametrize("kind", _LOCAL)
def test_endpoint_means_nothing_to_local_evaluators(kind):
    """An endpoint that nobody would ask is refused."""
    with pytest.raises(EvaluatorInvalid, match="endpoint means nothing to it"):
        kind.from_settings(EvaluatorSettings("it", endpoint_url="http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("kind", "settings", "reason"),
    [
        (Numeric, {"args": {"tolerance": "much"}}, "tolerance is 'much': write a decimal"),
        (Numeric, {"args": {"tolerance": "-1"}}, "tolerance is -1: it must be 0 or more"),
        (Numeric, {"args": {"tolerance": "nan"}}, "tolerance is 'nan'"),
        (Judge, {"endpoint_model": "m"}, r"write its address in workload\.evaluator\.endpoint\.url"),
        (Judge, {"endpoint_url": "http://x"}, r"write its name in workload\.evaluator\.endpoint\.model"),
        (Judge, {**_WITH_ENDPOINT, "args": {"scale": 0}}, "scale is 0: write a whole number"),
        (Judge, {**_WITH_ENDPOINT, "args": {"scale": "2.5"}}, "scale is 2.5: write a whole number"),
        (EndpointScore, {}, r"write its address in workload\.evaluator\.endpoint\.url"),
        (EndpointScore, {**_WITH_ENDPOINT, "args": {"timeout_seconds": 0}}, "it must be more than 0"),
    ],
)
def test_wrong_settings_are_named(kind, settings, reason):
    """A wrong value is an error with the field, the value and what to write."""
    with pytest.raises(EvaluatorInvalid, match=reason):
        kind.from_settings(EvaluatorSettings("it", **settings))


def test_key_is_never_shown():
    """The API key does not stand in the settings' text."""
    assert "secret" not in repr(EvaluatorSettings("judge", api_key="secret"))


@given(st.dictionaries(st.text(), st.floats(0, 1), min_size=1))
def test_metric_is_the_mean_of_the_scores(scores):
    """Accuracy is the mean over the items that were scored."""
    assert Exact().aggregate(scores, {}) == {"accuracy": pytest.approx(sum(scores.values()) / len(scores))}


@pytest.mark.parametrize(("answer", "score"), [("10.04", 1), ("9.96", 1), ("10.06", 0)])
def test_tolerance_is_absolute(answer, score):
    """An answer as far off as the tolerance still counts."""
    evaluator = Numeric.from_settings(EvaluatorSettings("numeric", {"tolerance": "0.05"}))
    assert asyncio.run(evaluator.score(Item("i", "?", "10", "k"), answer)) == score


def test_distinct_over_all_answers():
    """Distinct words and pairs are counted over all answers together, pairs never across two answers."""
    found = DistinctN().aggregate({"a": 1.0, "b": 1.0}, {"a": "red blue red", "b": "Red, blue"})
    assert found == {"distinct_1": 2 / 5, "distinct_2": 2 / 3}


def test_empty_answers_are_not_varied():
    """Answers without words have no variety, and nothing is divided by zero."""
    assert DistinctN().aggregate({}, {"a": "", "b": "!"}) == {"distinct_1": 0.0, "distinct_2": 0.0}


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=60), min_size=1))
def test_distinct_is_a_share(answers):
    """Both shares lie from 0 to 1 for any answers."""
    found = DistinctN().aggregate({}, answers)
    assert all(0 <= value <= 1 for value in found.values())
    assert not DistinctN.pairable
