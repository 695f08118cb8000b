"""The declaration of vLLM against the classes of the installed vLLM: no default and no rule is hearsay."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from fakes.engine_environments import use_engine

from llmopt_core.engines.vllm.declaration import DTYPES, KV_CACHE_DTYPES, QUANTIZATIONS, VLLM
from llmopt_core.engines.vllm.flags import flags, variables
from llmopt_core.search.configurations import Configuration
from llmopt_runner.engines.base import LaunchSettings
from llmopt_runner.engines.vllm.engine import Vllm

pytestmark = pytest.mark.slow
LIMIT_SECONDS = 240
SCRIPT = Path(__file__).parents[2] / "fakes" / "vllm_truth.py"
# Per parameter a value that is not its default.
SET = {
    "max_num_seqs": 7,
    "max_num_batched_tokens": 99,
    "max_model_len": 1234,
    "gpu_memory_utilization": 0.5,
    "kv_cache_memory_mib": 3,
    "dtype": "float16",
    "quantization": "fp8",
    "kv_cache_dtype": "fp8",
    "enable_prefix_caching": False,
    "enable_chunked_prefill": False,
    "enforce_eager": True,
    "tensor_parallel_size": 2,
    "block_size": 32,
    "cpu_threads_bind": "0-1",
}
# What vLLM's own word stands for, where it has another.
HELD = {"kv_cache_memory_mib": ("kv_cache_memory_bytes", 3 * 2**20)}
SAMPLING = (
    {},
    {"temperature": 0.0, "top_p": 0.5, "top_k": 5, "min_p": 0.1},
    {"temperature": 9e-6, "top_p": 0.5},
    {"temperature": 0.002},
    {"temperature": 2.0},
    {"top_k": -1},
    {"presence_penalty": -2.0, "frequency_penalty": 2.0},
)
REFUSED_SAMPLING = (
    {"temperature": 2.1},
    {"temperature": -0.1},
    {"top_p": 0.0},
    {"top_p": 1.1},
    {"top_k": -2},
    {"min_p": 1.1},
    {"repetition_penalty": 0.0},
    {"presence_penalty": 2.1},
    {"frequency_penalty": -2.1},
)
SCHEDULERS = (
    {"max_num_seqs": 64, "max_num_batched_tokens": 32, "max_model_len": 16},
    {"max_num_seqs": 64, "max_num_batched_tokens": 64, "max_model_len": 2048},
    {"enable_chunked_prefill": False, "max_num_batched_tokens": 1024, "max_model_len": 2048},
    {"enable_chunked_prefill": False, "max_num_batched_tokens": 2048, "max_model_len": 2048},
)


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Return what vLLM itself says, asked once: to import it takes a while."""
    python = use_engine("vllm") / "bin" / "python"
    folder = tmp_path_factory.mktemp("model")
    settings = LaunchSettings(folder, "org/name", folder, folder / "log", port=1, trust_remote_code=True)
    revised = LaunchSettings(None, "org/name", folder, folder / "log", port=1, model_revision="v2")
    command_lines = [
        Vllm().command(settings).argv[2:],
        Vllm().command(revised).argv[2:],
        *(("model", *flags({name: value})) for name, value in SET.items()),
    ]
    asked = {
        "command_lines": command_lines,
        "sampling": (*SAMPLING, *REFUSED_SAMPLING),
        "schedulers": SCHEDULERS,
    }
    answer = subprocess.run(
        (python, SCRIPT),
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT_SECONDS,
        check=True,
        env={**os.environ, **variables(SET)},
    )
    return json.loads(answer.stdout.splitlines()[-1])


def test_the_defaults_are_vllms(truth):
    """What the declaration says vLLM does by itself is what it does."""
    for known in VLLM.parameters.values():
        if known.group != "engine" or known.name == "cpu_threads_bind":
            continue
        name = HELD.get(known.name, (known.name,))[0]
        assert truth["defaults"][name] == known.default, name


def test_the_choices_are_vllms(truth):
    """Every type that can be chosen is one that vLLM knows, and none is missing but other spellings."""
    assert set(KV_CACHE_DTYPES) == set(truth["kv_cache_dtypes"])
    assert sorted(QUANTIZATIONS) == truth["quantizations"]
    assert set(DTYPES) == set(truth["dtypes"]) - {"half", "float"}


def test_every_parameter_reaches_vllm(truth):
    """Each flag sets the argument of its name, and each variable is read."""
    assert SET.keys() == {known.name for known in VLLM.parameters.values() if known.group == "engine"}
    for (name, value), found in zip(SET.items(), truth["parsed"][2:], strict=True):
        if name == "cpu_threads_bind":
            assert truth["threads_bind"] == value
            continue
        held, expected = HELD.get(name, (name, value))
        assert found[held] == expected
        assert truth["defaults"][held] != expected


def test_the_command_is_understood(truth):
    """Model, name, address, revision, trust and what makes measuring possible arrive."""
    found, revised = truth["parsed"][:2]
    assert found["served_model_name"] == ["org/name"]
    assert (found["host"], found["port"]) == ("127.0.0.1", 1)
    assert found["enable_prompt_tokens_details"] is True
    assert found["middleware"] == ["llmopt_prefix_cache.PrefixCacheReset"]
    assert found["trust_remote_code"] is True
    assert (revised["model_tag"], revised["revision"]) == ("org/name", "v2")


def test_sampling_is_dropped_and_raised_as_declared(truth):
    """The canonical form of a request is what vLLM makes of it, and its neutral values are vLLM's own."""
    neutral = {known.name: known.neutral for known in VLLM.parameters.values() if known.group == "sampling"}
    assert truth["sampled"][0] == neutral
    for asked, made in zip(SAMPLING, truth["sampled"], strict=False):
        canonical = {**neutral, **VLLM.canonical(Configuration(sampling=asked)).sampling}
        assert made in (canonical, {**canonical, "top_k": -1})


def test_what_vllm_refuses_is_out_of_bounds_or_a_conflict(truth):
    """Every value that a request is refused for is refused before it is sent."""
    for asked, why in zip(REFUSED_SAMPLING, truth["sampled"][len(SAMPLING) :], strict=True):
        assert isinstance(why, str), asked
        ((name, value),) = asked.items()
        assert _refuses(name, value), asked


def _refuses(name, value):
    try:
        VLLM.parameters[f"sampling.{name}"].parse(str(value))
    except ValueError:
        return True
    return bool(VLLM.conflicts(Configuration(sampling={name: value})))


def test_batches_are_refused_where_vllm_refuses_them(truth):
    """The rules between requests, tokens a step and context are the scheduler's."""
    for asked, why in zip(SCHEDULERS, truth["scheduled"], strict=True):
        conflicts = VLLM.conflicts(Configuration(engine=asked))
        assert bool(conflicts) == bool(why), (asked, why)
