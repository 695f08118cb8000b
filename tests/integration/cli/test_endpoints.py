"""A server that runs already, from the command and from Python, with the real runner."""

import pytest
from fakes.openai_server import FakeOptions, FakeServer

import llmopt
from llmopt.commands.drafted_runs import optimize_options
from llmopt.manifests import OptionInvalid
from llmopt.options import Options, RunOptions
from llmopt.starting.engines import chosen
from llmopt_core.api.exit_codes import Exit

ITEMS = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(20)]
ANSWERS = {item["question"]: item["answer"] for item in ITEMS}


@pytest.fixture(scope="module")
def server():
    options = FakeOptions(ttft_ms=4.0, gap_ms=1.0, tokens=3, answers=ANSWERS, right_probability=0.9)
    with FakeServer(options) as fake:
        yield fake


def test_what_the_advice_for_ollama_says_works(server, tmp_path, capsys):
    """`--engine ollama` is answered with options that run a study, here on another server."""
    with pytest.raises(OptionInvalid) as caught:
        chosen(Options(model="nobody/fake-model", engine="ollama"), lambda: None)
    advised = [word for word in str(caught.value).split() if word.startswith("--")]
    assert set(advised) == {"--engine", "--endpoint", "--endpoint-model"}
    asked = Options(
        model="nobody/fake-model",
        endpoint=f"{server.base_url}/v1",
        endpoint_model="fake-model",
        trials=2,
        samples=4,
        objectives=["accuracy"],
    )
    code = optimize_options(asked, RunOptions(results=tmp_path, no_progress=True), dry_run=False)
    printed = capsys.readouterr()
    assert code == Exit.FINISHED, printed
    assert printed.err.startswith("engine: openai (--endpoint names a server that runs already)")


def test_a_list_of_items_is_what_is_asked(server, tmp_path):
    """Python's own list is the data set, and the model of the server is found by its name."""
    before = len(server.truth())
    result = llmopt.optimize(
        "nobody/fake-model",
        endpoint=server.base_url,
        dataset=ITEMS,
        samples=4,
        trials=2,
        objectives="accuracy",
        results=tmp_path,
    )
    assert result.ended == "TrialsExhausted"
    assert result.metrics["accuracy"] > 0
    asked = {truth.question for truth in server.truth()[before:]}
    assert asked & set(ANSWERS)
