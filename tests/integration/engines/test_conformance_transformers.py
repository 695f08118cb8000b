"""`transformers serve` in its modes against what every engine must do, and what is its own."""

import json
import shlex
import subprocess
import urllib.error
import urllib.request
from dataclasses import replace

import pytest
from fakes.engine_cases import DAMAGED_FOLDERS, EngineCase, in_folder, safetensors
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES
from fakes.engine_conformance import answers_at, wait_for
from fakes.engine_environments import use_engine

from llmopt_core.errors.classes import ErrorClass
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines import ports
from llmopt_runner.engines.failures import EngineStartFailed
from llmopt_runner.engines.probing import Probe
from llmopt_runner.engines.programs import python_of
from llmopt_runner.engines.server import EngineServer
from llmopt_runner.engines.transformers.engine import Transformers
from llmopt_runner.memory.model_shapes import shape_of

_SAVE_AS_NF4 = """
import shutil, sys
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
source, target = sys.argv[1:]
nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.safetensors"))
AutoModelForCausalLM.from_pretrained(source, quantization_config=nf4).save_pretrained(target)
"""
# float32 is the fastest on CPUs, and one thread where others work too. Without a number of blocks the paged
# cache would take 12 GB.
_CPU = {"device": "cpu", "threads": 1}
_PLAIN = {**_CPU, "dtype": "float32"}
_FP4 = {
    "bnb_4bit_quant_type": "fp4",
    "bnb_4bit_use_double_quant": False,
    "bnb_4bit_compute_dtype": "bfloat16",
}
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
        command_has_sampling=False,
        **other,
    )


PLAIN = _case("plain", _PLAIN, same_answers=frozenset({"cache_implementation"}))
# The code that samples is the same whatever the weights are: two of its parameters stand for all.
QUANTISED = tuple(
    _case(
        name,
        {**_CPU, **parameters},
        disposable=False,
        proven=("temperature", "top_k"),
    )
    for name, parameters in (
        ("bnb-4bit", {"quantization": "bnb-4bit"}),
        ("bnb-8bit", {"quantization": "bnb-8bit"}),
        ("fp4", {"quantization": "bnb-4bit", **_FP4}),
    )
)
FP4 = QUANTISED[-1]
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
            first_request = json.loads(shlex.split(first)[-1])
            _post(probe, first_request)
            question = [{"role": "user", "content": "What is 2+2? Answer with a number."}]
            body = {"model": first_request["model"], "messages": question, "max_tokens": 40}
            answers = [_post(probe, body) for _ in "12"]
        finally:
            process.kill()
    assert {answer["choices"][0]["finish_reason"] for answer in answers} == {"stop"}
    assert len({answer["choices"][0]["message"]["content"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "options",
    [
        _FP4,
        {
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": "float16",
        },
    ],
    ids=["fp4", "nf4"],
)
def test_4bit_options_are_those_of_the_loaded_model(options, tmp_path):
    """The facts are read from the model's own layers, and its weights are as large as predicted."""
    settings = FP4.settings(tmp_path, parameters={**FP4.parameters, **options})
    with EngineServer(FP4.engine, settings) as server:
        server.start(FP4.start_limit_seconds)
        facts = server.facts()
    assert {name: facts[name] for name in options} == options
    shape = shape_of(str(settings.model_path))
    need = FP4.engine.memory_need(shape, Configuration(engine=settings.parameters))
    assert facts["weights_mib"] == pytest.approx(need.weights_mib, rel=0.005)


def test_the_command_with_4bit_options_really_has_them(tmp_path):
    """What is shown to a person, pasted into a shell, serves the model as it was measured."""
    configuration = FP4.engine.declaration.canonical(Configuration(engine=FP4.parameters))
    line = FP4.engine.serve_arguments(configuration, FP4.settings(tmp_path)).splitlines()[0]
    port = ports.free_port("127.0.0.1")
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen((*shlex.split(line), "--port", str(port)), stdout=output, stderr=output) as process,
    ):
        try:
            wait_for(lambda: answers_at(Probe(f"http://127.0.0.1:{port}")))
        finally:
            process.kill()
    facts = FP4.engine.read_facts(log.read_text(), "")
    assert {name: facts[name] for name in _FP4} == _FP4


def test_files_that_are_quantised_already_are_not_served_under_other_options(tmp_path):
    """They stay as they are: the start fails, in place of a measurement under a wrong name."""
    settings = FP4.settings(tmp_path)
    saved = tmp_path / "quantised"
    python = python_of(use_engine("transformers") / "bin" / "transformers")
    subprocess.run((python, "-c", _SAVE_AS_NF4, str(settings.model_path), str(saved)), check=True)
    with (
        EngineServer(FP4.engine, replace(settings, model_path=saved)) as server,
        pytest.raises(EngineStartFailed) as caught,
    ):
        server.start(FP4.start_limit_seconds)
    assert caught.value.failure.error_class is ErrorClass.INVALID_CONFIGURATION
    assert "take bnb_4bit_quant_type out of the search space" in caught.value.failure.suggestion


def test_a_cache_of_the_request_leaves_the_answer_as_it_is(tmp_path):
    """Each cache that a CPU can have gives the same greedy answer; one that there is not is an error."""
    greedy = {"temperature": 0.0}
    with PLAIN.running(tmp_path) as served:
        caches = ({}, {"cache_implementation": "dynamic"}, {"cache_implementation": "static"})
        assert len({served.sampled({**greedy, **cache}) for cache in caches}) == 1
        with pytest.raises(urllib.error.HTTPError):
            served.sampled({**greedy, "cache_implementation": "nonsense"})


def test_attention_and_a_static_cache_leave_the_answer_as_it_is(tmp_path):
    """Servers with another attention, or with `compile`, which is a static cache on a CPU, answer alike."""
    answers = set()
    for more in ({}, {"attn_implementation": "eager"}, {"compile": True}):
        with PLAIN.running(tmp_path, parameters={**_PLAIN, **more}) as served:
            answers.add(served.sampled({"temperature": 0.0}))
    assert len(answers) == 1


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
