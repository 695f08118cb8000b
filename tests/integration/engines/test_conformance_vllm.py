"""`vllm serve` on a CPU, in its modes, against what every engine must do, and what is its own."""

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import anyio
import psutil
import pytest
from fakes.engine_cases import DAMAGED_FOLDERS, EngineCase, safetensors
from fakes.engine_conformance import *  # noqa: F403 - the whole suite runs over CASES

from llmopt_core.engines.vllm.patterns import VLLM_LOGS
from llmopt_core.errors.classes import ErrorClass
from llmopt_core.errors.classification import Evidence, classify
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.vllm.engine import Vllm
from llmopt_runner.load.client import run_load
from llmopt_runner.load.requests import ChatRequest, Endpoint
from llmopt_runner.load.shapes import ClosedLoop

# A start takes half a minute: no compilation, and a small cache of a given size.
_SMALL = {"enforce_eager": True, "kv_cache_memory_mib": 128, "max_model_len": 1024, "max_num_seqs": 4}
_LIMIT_SECONDS = 60
_BUSY = re.compile(r"^vllm:num_requests_running\{.*\} 2", re.MULTILINE)
LONG = "Once there was a farmer who sold apples and pears at the market of a small town by the sea. " * 12


def _case(name, parameters, **other):
    return EngineCase(
        name,
        Vllm(),
        {**_SMALL, **parameters},
        model=safetensors,
        environment="vllm",
        absent="absent",
        damages=DAMAGED_FOLDERS,
        start_limit_seconds=300.0,
        **other,
    )


PLAIN = _case("plain", {"enable_prefix_caching": False, "enable_chunked_prefill": False})
# Prompts are read in steps of 64 tokens, and kept.
CACHED = _case(
    "cached",
    {"enable_prefix_caching": True, "enable_chunked_prefill": True, "max_num_batched_tokens": 64},
    disposable=False,
    proven=("temperature", "seed"),
)
CASES = (PLAIN, CACHED)


def _cached_tokens(served):
    usage = served.post({"temperature": 0}, question=LONG)["usage"]
    assert usage["prompt_tokens"] > 200
    return usage["prompt_tokens_details"]["cached_tokens"]


def test_a_server_is_made_fresh_for_the_next_trial(served):
    """What one trial left in the prefix cache, the next one does not find; a server without one is fresh."""
    caches = served.case.parameters["enable_prefix_caching"]
    before = served.case.engine.read_counters(served.server.metrics_text())
    assert (_cached_tokens(served), _cached_tokens(served) > 200) == (0, caches)
    assert served.case.engine.make_fresh(served.server, Configuration(engine=served.case.parameters))
    assert _cached_tokens(served) == 0
    after = served.case.engine.read_counters(served.server.metrics_text())
    grown = {name: after[name] - before[name] for name in after}
    assert grown.pop("preemptions") == 0
    assert (min(grown.values()) > 200) is caches


def test_a_prompt_longer_than_the_context_is_named(served):
    """A request that cannot be served says so, and what to set."""
    with pytest.raises(OSError, match="400") as caught:
        served.post({}, question=LONG * 6)
    failure = classify(Evidence(caught.value.read().decode(), patterns=VLLM_LOGS.patterns))
    caught.value.close()
    assert failure.error_class is ErrorClass.KV_CACHE_TOO_SMALL
    assert "max_model_len (1024)" in failure.suggestion


def test_the_server_says_what_it_was_given(served):
    """Facts from log and metrics are those of the configuration."""
    facts = served.server.facts()
    assert facts["kv_cache_mib"] == 128
    # 30 layers of 3 heads of 64 numbers of 2 bytes, for keys and values.
    assert facts["kv_cache_tokens"] == pytest.approx(128 * 2**20 / (2 * 30 * 3 * 64 * 2), rel=0.05)
    assert facts["n_ctx"] == 1024
    assert facts["prefix_caching"] is served.case.parameters["enable_prefix_caching"]
    assert facts["chunked_prefill"] is served.case.parameters["enable_chunked_prefill"]
    assert facts["dtype"] == "bfloat16"
    assert 0 < facts["load_seconds"] < served.case.start_limit_seconds


# What computes for the API server, one a case: the last test of each, as it ends the case's server.
_KILLED = {"plain": "VLLM::EngineCore", "cached": "VLLM::Worker"}


def _long_answers(served):
    """Return the records of two long answers that are streamed at the same time."""
    fields = {"temperature": 0, "ignore_eos": True}
    message = {"role": "user", "content": "Count."}
    requests = [ChatRequest(name, (message,), 900, fields) for name in "ab"]
    endpoint = Endpoint(served.server.base_url, served.server.model)

    async def send():
        return await run_load(endpoint, requests, ClosedLoop(2), request_timeout_seconds=_LIMIT_SECONDS)

    return anyio.run(send).records


def _wait_for(condition):
    deadline = time.monotonic() + _LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_part_ends_the_server(served):
    """The API server outlives the processes that compute, and ends gracefully: still that is a crash.

    Killed with SIGKILL is one of those, while answers are streamed. What must survive: no process of the
    server, and no answer that passes for a whole one.
    """
    pids = served.server.pids()
    title = _KILLED[served.case.name]
    (victim,) = (pid for pid in pids if title in psutil.Process(pid).cmdline())
    with ThreadPoolExecutor() as threads:
        answers = threads.submit(_long_answers, served)
        _wait_for(lambda: _BUSY.search(served.server.metrics_text()))
        os.kill(victim, signal.SIGKILL)
        _wait_for(lambda: not served.server.alive())
        assert all(record.error for record in answers.result())
    evidence = Evidence(
        served.server.log_text(),
        served.server.exit_code,
        served.server.exit_signal,
        patterns=VLLM_LOGS.patterns,
    )
    assert classify(evidence).error_class is ErrorClass.ENGINE_CRASHED
    assert not served.server.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
