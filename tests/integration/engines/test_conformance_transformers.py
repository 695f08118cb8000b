"""`transformers serve` in its modes against what every engine must do, and what is its own."""

import json
import shlex
import subprocess
import urllib.request

import pytest
from fakes.engine_cases import DAMAGED_FOLDERS, EngineCase, in_folder, safetensors
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES
from fakes.engine_conformance import answers_at, wait_for

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines import ports
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.engines.transformers.engine import Transformers

# float32 is the fastest on CPUs, and one thread where others work too. Without a number of blocks the paged
# cache would take 12 GB.
_CPU = {"device": "cpu", "threads": 1}
_PLAIN = {**_CPU, "dtype": "float32"}
_BATCHED = {**_PLAIN, "continuous_batching": True, "cb_block_size": 32, "cb_num_blocks": 64}


def _case(name, parameters, **other):
    return EngineCase(
        name,
        Transformers(),
        parameters,
        model=safetensors,
        environment="transformers",
        absent="absent",
        damages=DAMAGED_FOLDERS,
        told_by_command=False,
        **other,
    )


PLAIN = _case("plain", _PLAIN)
# The code that samples is the same whatever the weights are: two of its parameters stand for all.
QUANTISED = tuple(
    _case(
        quantization,
        {**_CPU, "quantization": quantization},
        disposable=False,
        proven=("temperature", "top_k"),
    )
    for quantization in ("bnb-4bit", "bnb-8bit")
)
BATCHED = _case(
    "continuous-batching",
    _BATCHED,
    disposable=False,
    proven=("temperature", "seed", "top_k", "top_p", "min_p", "typical_p"),
)
CASES = (PLAIN, *QUANTISED, BATCHED)


def test_the_first_request_that_is_shown_fixes_the_sampling(tmp_path):
    """With batching, the command and the request for a person make all later answers as they were measured.

    Those name no sampling, and end where the model ends them: a generation_config of their own would take
    its end away.
    """
    settings = BATCHED.settings(tmp_path)
    greedy = Configuration(engine=BATCHED.parameters, sampling={"temperature": 0.0})
    lines = BATCHED.engine.serve_arguments(BATCHED.engine.declaration.canonical(greedy), settings)
    command, first = lines.splitlines()
    port = ports.free_port("127.0.0.1")
    with subprocess.Popen(
        (*shlex.split(command), "--port", str(port)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            probe = Probe(f"http://127.0.0.1:{port}")
            wait_for(lambda: answers_at(probe))
            told = json.loads(shlex.split(first)[-1])
            _post(probe, told)
            question = [{"role": "user", "content": "What is 2+2? Answer with a number."}]
            body = {"model": told["model"], "messages": question, "max_tokens": 40}
            answers = [_post(probe, body) for _ in "12"]
        finally:
            process.kill()
    assert {answer["choices"][0]["finish_reason"] for answer in answers} == {"stop"}
    assert len({answer["choices"][0]["message"]["content"] for answer in answers}) == 1


def test_a_server_that_cannot_batch_is_given_up_at_once(tmp_path):
    """A batching thread that has ended is an error with its cause, though the server lives on."""
    settings = BATCHED.settings(tmp_path, parameters={**BATCHED.parameters, "cb_num_blocks": 10_000_000})
    with EngineServer(BATCHED.engine, settings) as server, pytest.raises(EngineStartFailed) as caught:
        server.start(300)
    assert caught.value.exit_code is None
    failure = caught.value.explained({"cb_num_blocks": 10_000_000})
    assert failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert "lower cb_num_blocks (10000000)" in failure.suggestion


def test_weights_that_were_made_up_are_not_served(tmp_path):
    """Where weights are missing transformers serves random ones, and only its log says so."""
    damage = in_folder(
        "config.json", lambda content: content.replace(b'"num_hidden_layers": 30', b'"num_hidden_layers": 31')
    )
    settings = PLAIN.settings(tmp_path, model_path=damage(PLAIN.model().path, tmp_path))
    with EngineServer(PLAIN.engine, settings) as server, pytest.raises(EngineStartFailed) as caught:
        server.start(300)
    assert caught.value.failure.error_class is ErrorClass.MODEL_CORRUPT


def _post(probe, body):
    request = urllib.request.Request(  # noqa: S310 - a server of this test
        f"{probe.base_url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return json.load(answer)
