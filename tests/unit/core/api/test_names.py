"""Kinds, exit codes and variables have the values that users and clusters already hold."""

import pytest

from llmopt_core.api.environment import Variable, engine_program, of_candidate
from llmopt_core.api.exit_codes import Exit, OperatorExit, RunnerExit
from llmopt_core.api.kinds import API_VERSION, Kind


def test_kinds_are_called_as_the_api_server_calls_them():
    """Manifests, paths, rights and kubectl each have their name for a kind."""
    assert API_VERSION == "llmopt.dev/v1alpha1"
    assert [(kind.value, kind.plural, kind.short, kind.resource) for kind in Kind] == [
        ("LLMOptimization", "llmoptimizations", "llmo", "llmoptimizations.llmopt.dev"),
        ("LLMBenchmark", "llmbenchmarks", "llmb", "llmbenchmarks.llmopt.dev"),
    ]


@pytest.mark.parametrize("code", [*Exit, *RunnerExit, *OperatorExit])
def test_every_exit_code_says_what_it_means(code):
    """The meaning is a sentence."""
    assert code.meaning.endswith(".")


def test_scripts_find_the_exit_codes_that_they_know():
    """Scripts and Jobs of earlier versions compare with these numbers."""
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 130]
    assert [int(code) for code in RunnerExit] == [0, 2, 64, 65, 69, 75]
    assert {code for code in RunnerExit if code.retryable} == {RunnerExit.STORAGE, RunnerExit.INTERRUPTED}
    assert [int(code) for code in OperatorExit] == [0, 1, 65]


def test_variables_are_spelled_in_capitals():
    """Names with dashes become names that a shell takes."""
    assert of_candidate(Variable.MODEL_TOKEN, "big-model") == "LLMOPT_MODEL_TOKEN_BIG_MODEL"
    assert engine_program("my-engine") == "LLMOPT_ENGINE_MY_ENGINE"
