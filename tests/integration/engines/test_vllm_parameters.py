"""What vLLM's parameters really do on its server, on a CPU: the rules here are not hearsay."""

import json

import pytest
from fakes.engine_cases import EngineCase, safetensors
from fakes.engine_environments import safetensors_folder
from fakes.small_llama import MIB

from llmopt_core.engines.vllm.declaration import VLLM
from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.errors.log_texts import logged_arguments
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.memory.shapes import read_shape

pytestmark = pytest.mark.slow
_SMALL = {"kv_cache_memory_mib": 128, "max_model_len": 1024, "max_num_seqs": 4}
GUESSING = {
    **_SMALL,
    "enforce_eager": True,
    "enable_prefix_caching": False,
    "speculative_method": "ngram",
    "num_speculative_tokens": 3,
    "prompt_lookup_max": 3,
    "prompt_lookup_min": 2,
    "block_size": 32,
    "stream_interval": 4,
    "async_scheduling": False,
    "scheduling_policy": "priority",
}
STEPWISE = {
    **_SMALL,
    "async_scheduling": True,
    "enable_chunked_prefill": True,
    "max_num_batched_tokens": 256,
    "long_prefill_token_threshold": 64,
    "prefill_schedule_interval": 2,
    "compilation_mode": "NONE",
    "optimization_level": 0,
    "cpu_threads_bind": "auto",
    "speculative_method": "draft_model",
    "num_speculative_tokens": 3,
}
REPEATED = (
    "Repeat this word for word: one two three four one two three four one two three four one two three four"
)
LONG = "Once there was a farmer who sold apples and pears at the market of a small town by the sea. " * 12
GREEDY = {"temperature": 0, "ignore_eos": True, "max_tokens": 40}


def _case(name, parameters):
    assert VLLM.conflicts(Configuration(engine=parameters)) == ()
    return EngineCase(
        name, Vllm(), parameters, model=safetensors, environment="vllm", start_limit_seconds=300.0
    )


@pytest.fixture(scope="module")
def guessing(tmp_path_factory):
    with _case("guessing", GUESSING).running(tmp_path_factory.mktemp("guessing")) as served:
        yield served


@pytest.fixture(scope="module")
def stepwise(tmp_path_factory):
    parameters = {**STEPWISE, "speculative_model": str(safetensors_folder())}
    with _case("stepwise", parameters).running(tmp_path_factory.mktemp("stepwise")) as served:
        yield served


def _counters(served):
    return served.case.engine.read_counters(served.server.metrics_text())


def _accepted(served, before):
    """Return how many guesses were right since `before`; there are never more than guesses."""
    after = _counters(served)
    grown = {name: after[name] - before[name] for name in ("draft_tokens", "accepted_draft_tokens")}
    assert grown["accepted_draft_tokens"] <= grown["draft_tokens"]
    return grown["accepted_draft_tokens"]


def test_what_is_called_tried_is_tried():
    """The page of engines says of no parameter that it was tried unless a server is started with it here."""
    tried = {known.name for known in VLLM.parameters.values() if known.group == "engine" and known.tried}
    assert tried == {*GUESSING, *STEPWISE, "speculative_model"}


def test_tokens_are_guessed_and_some_are_right(guessing):
    """Where an answer repeats itself, look-up finds what comes next; the counters say how often."""
    before = _counters(guessing)
    guessing.post(GREEDY, question=REPEATED)
    assert _accepted(guessing, before)


def test_a_draft_model_guesses_tokens(stepwise):
    """A model that guesses for itself is mostly right; the KV cache holds the tokens of both."""
    before = _counters(stepwise)
    stepwise.post(GREEDY, question="Count to ten.")
    assert _accepted(stepwise, before) > GREEDY["max_tokens"] / 2
    facts = stepwise.server.facts()
    both_bytes = 2 * sum(
        each.count * each.token_bytes(2, 2) for each in read_shape(safetensors_folder()).cache
    )
    fitting = facts["kv_cache_mib"] * MIB / both_bytes
    assert fitting - facts["block_size"] < facts["kv_cache_tokens"] <= fitting


def test_a_stream_comes_in_pieces_of_the_interval(guessing):
    """Four tokens in a piece: forty tokens are no more than a dozen pieces with text."""
    fields = {**GREEDY, "stream": True, "stream_options": {"include_usage": True}}
    with guessing.open(fields, question="Count.") as answer:
        lines = [line.removeprefix(b"data: ") for line in answer.read().split(b"\n\n") if line]
    chunks = [json.loads(line) for line in lines if line != b"[DONE]"]
    pieces = [chunk for chunk in chunks if chunk["choices"] and chunk["choices"][0]["delta"].get("content")]
    assert chunks[-1]["usage"]["completion_tokens"] == 40
    assert 2 < len(pieces) <= 12


def test_blocks_have_the_size_that_was_asked_for(guessing):
    """As its metrics say."""
    assert guessing.server.facts()["block_size"] == 32


def test_a_long_prompt_is_read_in_steps_without_compilation(stepwise):
    """It is answered whole by a server that plans steps ahead and compiles nothing, as its log says."""
    usage = stepwise.post({**GREEDY, "max_tokens": 4}, question=LONG)["usage"]
    assert usage["prompt_tokens"] > 200
    assert usage["completion_tokens"] == 4
    log = stepwise.server.log_text()
    assert logged_arguments(log, VLLM_LOGS.arguments)["async_scheduling"] is True
    assert "CompilationMode.NONE" in log
    assert "compile_seconds" not in stepwise.server.facts()
