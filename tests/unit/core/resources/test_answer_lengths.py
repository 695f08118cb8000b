"""Answers of a fixed length: what may be searched and scored with them, and on which engines."""

from dataclasses import replace

import pytest
from fakes.known_names import KNOWN
from fakes.manifests import Document, benchmark, changed, optimization

from llmopt_core.engines.registry import BUILT_IN
from llmopt_core.resources import validate
from llmopt_core.resources.known import installed


def _of_one_length(document: Document, metric: str = "output_tokens_per_second") -> Document:
    """Return an optimization of slots alone, whose answers all have 32 tokens."""
    slots = {"engine": [{"name": "n_parallel", "int": {"low": 1, "high": 8}}]}
    document = changed(document, "spec.search", {"space": slots})
    document = changed(document, "spec.objectives", [{"metric": metric}])
    return changed(document, "spec.workload.outputTokens", 32)


def test_answers_can_have_one_length_where_only_the_engine_is_searched() -> None:
    """Then objectives per token mislead nobody."""
    assert validate(_of_one_length(optimization()), KNOWN) == ()


@pytest.mark.parametrize("metric", ["accuracy", "good_answers_per_second"])
def test_answers_of_a_fixed_length_are_not_scored(metric: str) -> None:
    """Text beyond the end of an answer falsifies its score: no metric of quality can be asked for."""
    for path, value in {
        "spec.objectives": [{"metric": metric}],
        "spec.constraints": [{"metric": metric, "min": "0.5"}],
        "spec.budget.target": {"metric": metric, "value": "0.5"},
    }.items():
        document = changed(_of_one_length(optimization()), path, value)
        faults = validate(document, installed())
        assert [fault.path.startswith(path) for fault in faults] == [True]
        assert faults[0].suggestion == "answers of a fixed length are not scored: remove one of them"
    bench = changed(benchmark(), "spec.workload.outputTokens", 32)
    (fault,) = validate(changed(bench, "spec.metrics", [metric]), installed())
    assert fault.path == "spec.metrics[0]"


@pytest.mark.parametrize(
    "search",
    [
        {"preset": "balanced"},
        {"space": {"prompt": [{"name": "few_shot", "int": {"low": 0, "high": 3}}]}},
        {"space": {"sampling": [{"name": "temperature", "float": {"low": "0", "high": "1"}}]}},
    ],
)
def test_prompts_and_sampling_are_not_searched_with_answers_of_a_fixed_length(search: Document) -> None:
    """Without scores nothing speaks for one of them."""
    document = changed(_of_one_length(optimization()), "spec.search", search)
    (fault,) = validate(document, KNOWN)
    assert fault.path == "spec.workload.outputTokens"
    assert "a search of engine parameters alone" in fault.expected
    assert "remove outputTokens" in str(fault.suggestion)


def test_an_engine_that_cannot_be_given_the_length_is_said_so() -> None:
    """A plug-in's engine that does not declare how."""
    deaf = {**BUILT_IN, "llamacpp": replace(BUILT_IN["llamacpp"], fixed_length=None)}
    (fault,) = validate(_of_one_length(optimization()), replace(KNOWN, declaration=deaf.get))
    assert fault.path == "spec.workload.outputTokens"
    assert "llamacpp has no request field" in fault.expected
    bench = changed(benchmark(), "spec.workload.outputTokens", 32)
    assert "llamacpp has no request field" in str(validate(bench, replace(KNOWN, declaration=deaf.get)))
